#include "benchmarks/suite.hpp"
#include "benchmarks/tokens/english.hpp"
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
  for (const std::size_t bytes : {std::size_t{1} << 16, std::size_t{1} << 20}) {
    suite.add({.label = "n=" + std::to_string(bytes),
               .size = static_cast<double>(bytes),
               .size_name = "bytes",
               .make = [bytes](std::uint64_t seed) { return arguments(bytes, seed); },
               .backends = {Backend::cpu},
               .ceiling = "none",
               .check_with = [](std::uint64_t seed) { return arguments(4096, seed); }});
  }
  suite.scaling({"n", 1, "each byte is looked at a bounded number of times"});
}

}  // namespace assay::benchmarks::tokenizer
