#include "benchmarks/filters/rows.hpp"

namespace assay::benchmarks::sampling {

void describe_typical(Suite& suite) {
  filters::add_cases(suite, "",
                     [](HostArguments& arguments) { filters::add_per_row(arguments, "typical_p", 0.9); });
}

}  // namespace assay::benchmarks::sampling
