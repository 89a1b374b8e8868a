#include "benchmarks/filters/rows.hpp"

namespace assay::benchmarks::sampling {

namespace {

constexpr std::int64_t count = 300;  ///< biases of a row

}  // namespace

void describe_logit_bias(Suite& suite) {
  filters::add_cases(suite, "", [](HostArguments& arguments) {
    const Tensor& logits = arguments.inputs.at("logits");
    const std::int64_t rows = logits.shape()[0], tokens = logits.shape()[1];
    std::vector<std::int32_t> ids;
    for (std::int64_t i = 0; i < rows * count; ++i)
      ids.push_back(static_cast<std::int32_t>(i * 7919 % tokens));
    arguments.inputs.emplace("bias_ids", Tensor::from<std::int32_t>(ids, {rows, count}));
    arguments.inputs.emplace("biases",
                             Tensor::from<float>(std::vector<float>(ids.size(), -1.5F), {rows, count}));
  });
}

}  // namespace assay::benchmarks::sampling
