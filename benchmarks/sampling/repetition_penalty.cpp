#include "benchmarks/filters/rows.hpp"

namespace assay::benchmarks::sampling {

namespace {

constexpr std::int64_t seen = 1024;  ///< tokens of the past

}  // namespace

void describe_repetition_penalty(Suite& suite) {
  filters::add_cases(suite, "", [](HostArguments& arguments) {
    const Tensor& logits = arguments.inputs.at("logits");
    const std::int64_t rows = logits.shape()[0], tokens = logits.shape()[1];
    std::vector<std::int32_t> previous;
    for (std::int64_t i = 0; i < rows * seen; ++i)
      previous.push_back(static_cast<std::int32_t>(i * 7919 % tokens));
    arguments.inputs.emplace("previous", Tensor::from<std::int32_t>(previous, {rows, seen}));
    filters::add_per_row(arguments, "repetition", 1.1F);
    filters::add_per_row(arguments, "presence", 0.5F);
    filters::add_per_row(arguments, "frequency", 0.1F);
  });
}

}  // namespace assay::benchmarks::sampling
