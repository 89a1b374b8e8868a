#include "benchmarks/logits/model_logits.hpp"
#include "benchmarks/logits/row_cases.hpp"

namespace assay::benchmarks::sampling {

void describe_categorical(Suite& suite) {
  logits::add_row_cases(suite, [](HostArguments& arguments, std::int64_t rows) {
    arguments.inputs.emplace("seed", logits::per_row<std::int64_t>(rows, 1));
    arguments.inputs.emplace("position", logits::per_row<std::int64_t>(rows, 7));
  });
}

}  // namespace assay::benchmarks::sampling
