#include "benchmarks/logits/row_cases.hpp"

namespace assay::benchmarks::sampling {

void describe_argmax(Suite& suite) {
  logits::add_row_cases(suite);
}

}  // namespace assay::benchmarks::sampling
