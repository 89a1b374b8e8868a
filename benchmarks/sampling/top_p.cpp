#include "benchmarks/filters/rows.hpp"

namespace assay::benchmarks::sampling {

void describe_top_p(Suite& suite) {
  filters::add_cases(suite, "",
                     [](HostArguments& arguments) { filters::add_per_row(arguments, "top_p", 0.9); });
}

}  // namespace assay::benchmarks::sampling
