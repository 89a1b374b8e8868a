#include "ci/program/tokenizer_input.hpp"

#include "ci/program/backend_choice.hpp"
#include "ci/program/failure.hpp"
#include "engine/llm/tokenizer/cpu_engine.hpp"
#include "engine/llm/tokenizer/open.hpp"
#include "reference/text/encoder.hpp"

namespace assay::program {
namespace {

/// The literal encoder, which keeps the description that it refers to.
std::shared_ptr<const SegmentEncoder> make_reference(
    std::shared_ptr<const TokenizerDescription> description) {
  auto* const encoder = new reference::Encoder(*description);
  return {encoder, [description = std::move(description)](const reference::Encoder* each) { delete each; }};
}

}  // namespace

std::vector<Option> tokenizer_options() {
  return {{"tokenizer", "FILE",
           "a GGUF file, a tokenizer.json, a .tiktoken file, or a vocab.json with merges.txt beside it"},
          {"pre", "NAME",
           "how text is split, where the file does not say: gpt-2, llama-bpe, qwen2, gpt-4o, starcoder, "
           "refact, falcon, "
           "deepseek-coder, deepseek-llm, mpt, deepseek-r1-qwen, phi-2, default"}};
}

tokenizer::Tokenizer open_tokenizer(const Invocation& invocation) {
  const ChosenBackend chosen = choose_backend(invocation, required_operation("tokenizer.encode"));
  auto description = std::make_shared<const TokenizerDescription>(value_or_fail(
      tokenizer::open(invocation.text("tokenizer"), invocation.maybe_text("pre").value_or(""))));
  auto engine = chosen.backend == Backend::reference ? make_reference(description)
                                                     : tokenizer::make_cpu_engine(description);
  return {std::move(description), std::move(engine)};
}

}  // namespace assay::program
