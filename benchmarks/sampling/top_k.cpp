#include "benchmarks/filters/rows.hpp"

namespace assay::benchmarks::sampling {

void describe_top_k(Suite& suite) {
  filters::add_cases(suite, "", [](HostArguments& arguments) {
    filters::add_per_row(arguments, "top_k", std::int32_t{50});
  });
}

}  // namespace assay::benchmarks::sampling
