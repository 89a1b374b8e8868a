#include "benchmarks/tokens/english.hpp"
#include "benchmarks/tokens/sizes.hpp"
#include "engine/tokenizers/arguments.hpp"

namespace assay::benchmarks::tokenizer {

namespace {

HostArguments arguments(std::size_t bytes, std::uint64_t seed) {
  HostArguments made = assay::tokenizers::arguments_of(tokens::english_tokenizer());
  made.inputs.emplace("text", tokens::tensor_of(tokens::english(bytes, seed)));
  return made;
}

}  // namespace

void describe_encode(Suite& suite) {
  tokens::add_sizes(suite, arguments);
}

}  // namespace assay::benchmarks::tokenizer
