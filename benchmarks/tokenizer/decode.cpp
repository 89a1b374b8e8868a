#include "benchmarks/tokens/english.hpp"
#include "benchmarks/tokens/sizes.hpp"
#include "engine/runtime/philox.hpp"
#include "engine/tokenizers/arguments.hpp"

namespace assay::benchmarks::tokenizer {

namespace {

/// Ids of any tokens; the size is of their bytes, about.
HostArguments arguments(std::size_t bytes, std::uint64_t seed) {
  const TokenizerDescription tokenizer = tokens::english_tokenizer();
  HostArguments all = assay::tokenizers::arguments_of(tokenizer);
  HostArguments made;
  for (const char* input : {"token_bytes", "token_ends", "token_kinds"})
    made.inputs.emplace(input, std::move(all.inputs.at(input)));
  Philox random(seed);
  std::vector<std::int32_t> ids;
  for (std::size_t size = 0; size < bytes;) {
    ids.push_back(
        static_cast<std::int32_t>(random.uniform() * static_cast<double>(tokenizer.vocabulary.size())));
    size += tokenizer.vocabulary.bytes_of(static_cast<TokenId>(ids.back())).size();
  }
  made.inputs.emplace("ids", Tensor::from(ids, {static_cast<std::int64_t>(ids.size())}));
  return made;
}

}  // namespace

void describe_decode(Suite& suite) {
  tokens::add_sizes(suite, arguments);
}

}  // namespace assay::benchmarks::tokenizer
