/// libFuzzer's target for the readers of tokenizer files (`ci/fuzz`): what is refused has a message of one
/// line, what is accepted holds to what the encoders rely on.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/llm/tokenizer/description_checks.hpp"
#include "engine/llm/tokenizer/open.hpp"
#include "engine/llm/tokenizer/vocab_and_merges.hpp"

namespace {

using namespace assay;

/// Ends the run: libFuzzer keeps the input.
void require(bool holds) {
  if (!holds) std::abort();
}

void check_refusal(const InputError& error) {
  require(error.message.starts_with("fuzz"));
  require(error.message.find('\n') == std::string::npos);
  require(error.message.size() < 2000);  // what a file says is quoted in part
}

bool is_token(TokenId id, const Vocabulary& vocabulary) {
  return id == no_token || id < vocabulary.size();
}

void check_description(const TokenizerDescription& tokenizer) {
  const Vocabulary& vocabulary = tokenizer.vocabulary;
  const Specification& specification = tokenizer.specification;
  require(!tokenizer::what_is_missing(tokenizer));
  for (TokenId id = 0; id < vocabulary.size(); ++id) {
    const TokenId found = vocabulary.find(vocabulary.bytes_of(id));
    if (vocabulary.kind_of(id) == TokenKind::normal) require(found <= id);
    if (found != no_token) require(vocabulary.bytes_of(found) == vocabulary.bytes_of(id));
    if (vocabulary.kind_of(id) == TokenKind::byte) require(vocabulary.bytes_of(id).size() == 1);
  }
  std::string joined;
  for (const Merge& merge : vocabulary.merges()) {
    require(merge.left < vocabulary.size() && merge.right < vocabulary.size() &&
            merge.result < vocabulary.size());
    joined = vocabulary.bytes_of(merge.left);
    joined += vocabulary.bytes_of(merge.right);
    require(joined == vocabulary.bytes_of(merge.result));
  }
  for (const AddedToken& each : specification.added)
    require(each.id < vocabulary.size() && !each.content.empty());
  for (const TokenId id :
       {specification.bos, specification.eos, specification.unknown, specification.padding})
    require(is_token(id, vocabulary));
  for (const auto* const ids : {&specification.before, &specification.after})
    for (const TokenId id : *ids) require(id < vocabulary.size());
}

void check(const Result<TokenizerDescription>& read) {
  if (!read) return check_refusal(read.error());
  check_description(read.value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // A GGUF file and a JSON document say what they are; the others begin with a letter of their own.
  if (!bytes.empty() && bytes[0] == 'T') {
    check(tokenizer::parse("fuzz.tiktoken", bytes.substr(1), "gpt-4o"));
  } else if (!bytes.empty() && bytes[0] == 'V') {
    const std::size_t middle = bytes.find('\0');
    const std::string_view merges =
        middle == std::string_view::npos ? std::string_view{} : bytes.substr(middle + 1);
    check(tokenizer::read_vocab_and_merges("fuzz.vocab.json", bytes.substr(1, middle - 1), "fuzz.merges.txt",
                                           merges, ""));
  } else {
    check(tokenizer::parse("fuzz.json", bytes, bytes.starts_with("GGUF") ? "llama-bpe" : ""));
  }
  return 0;
}
