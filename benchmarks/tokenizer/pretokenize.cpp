#include "benchmarks/suite.hpp"
#include "benchmarks/tokens/english.hpp"

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
