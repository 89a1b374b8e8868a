#include "benchmarks/filters/rows.hpp"

namespace assay::benchmarks::sampling {

void describe_temperature(Suite& suite) {
  filters::add_cases(suite, "",
                     [](HostArguments& arguments) { filters::add_per_row(arguments, "temperature", 0.8F); });
}

}  // namespace assay::benchmarks::sampling
