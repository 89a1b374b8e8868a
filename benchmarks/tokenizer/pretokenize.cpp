#include "benchmarks/tokens/english.hpp"
#include "benchmarks/tokens/sizes.hpp"

namespace assay::benchmarks::tokenizer {

namespace {

HostArguments arguments(std::size_t bytes, std::uint64_t seed) {
  HostArguments made;
  made.inputs.emplace("text", tokens::tensor_of(tokens::english(bytes, seed)));
  made.parameters.emplace("split", std::vector<std::int64_t>{static_cast<std::int64_t>(SplitStep::llama3)});
  return made;
}

}  // namespace

void describe_pretokenize(Suite& suite) {
  tokens::add_sizes(suite, arguments);
}

}  // namespace assay::benchmarks::tokenizer
