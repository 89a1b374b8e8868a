#include "benchmarks/logits/model_logits.hpp"
#include "benchmarks/logits/row_cases.hpp"

namespace assay::benchmarks::sampling {

void describe_log_probs(Suite& suite) {
  logits::add_row_cases(suite, [](HostArguments& arguments, std::int64_t rows) {
    arguments.inputs.emplace("tokens", logits::per_row<std::int32_t>(rows, 1'234));
    arguments.parameters = {{"n", std::int64_t{20}}};
  });
}

}  // namespace assay::benchmarks::sampling
