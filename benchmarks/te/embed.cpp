#include "benchmarks/suite.hpp"
#include "engine/analysis/systems.hpp"

namespace assay::benchmarks::te {

void describe_embed(Suite& suite) {
  for (const std::int64_t rows : {10'000, 1'000'000}) {
    suite.add({.label = "rows=" + std::to_string(rows) + ",d=5",
               .size = static_cast<double>(rows),
               .make =
                   [rows](std::uint64_t seed) {
                     analysis::GeneratedSystem system = analysis::coupled_ar1(rows, 0.4, 0.4, 0.4, seed);
                     HostArguments arguments;
                     arguments.inputs.emplace("series", std::move(system.table.values));
                     arguments.parameters = {{"columns", std::vector<std::int64_t>{1, 1, 0}},
                                             {"histories", std::vector<std::int64_t>{1, 2, 2}},
                                             {"taus", std::vector<std::int64_t>{1, 1, 1}},
                                             {"delays", std::vector<std::int64_t>{0, 1, 1}}};
                     return arguments;
                   },
               .ceiling = "memory"});
  }
}

}  // namespace assay::benchmarks::te
