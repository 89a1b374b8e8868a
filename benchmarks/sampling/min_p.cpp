#include "benchmarks/filters/rows.hpp"

namespace assay::benchmarks::sampling {

void describe_min_p(Suite& suite) {
  filters::add_cases(suite, "",
                     [](HostArguments& arguments) { filters::add_per_row(arguments, "min_p", 0.05); });
}

}  // namespace assay::benchmarks::sampling
