#include "benchmarks/suite.hpp"
#include "engine/runtime/philox.hpp"

namespace assay::benchmarks::te {

// Counts of neighbours, which is what the estimators evaluate psi at, spread over the small arguments
// (recurrence) and the large ones (series).
void describe_digamma(Suite& suite) {
  for (const std::int64_t n : {10'000, 100'000, 1'000'000}) {
    suite.add({.label = "n=" + std::to_string(n),
               .size = static_cast<double>(n),
               .make =
                   [n](std::uint64_t seed) {
                     Tensor x(DType::f64, {n});
                     Philox random(seed);
                     for (double& value : x.as<double>()) value = 1 + 60 * random.uniform();
                     HostArguments arguments;
                     arguments.inputs.emplace("x", std::move(x));
                     return arguments;
                   },
               .ceiling = "memory"});
  }
}

}  // namespace assay::benchmarks::te
