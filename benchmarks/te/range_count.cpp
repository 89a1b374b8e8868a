#include <cmath>

#include "benchmarks/prepared_points.hpp"
#include "benchmarks/sides.hpp"
#include "benchmarks/suite.hpp"

namespace assay::benchmarks::te {

namespace {

// Radii as the joint search gives them: about the distance to the 4th neighbour in three dimensions.
HostArguments counted(std::int64_t n, std::int64_t histories, std::uint64_t seed) {
  HostArguments arguments = joint_points(n, histories, seed);
  Tensor radii(DType::f64, {n});
  const double typical = std::pow(4.0 / static_cast<double>(n), 1.0 / static_cast<double>(2 * histories + 1));
  const auto values = radii.as<double>();
  for (std::int64_t row = 0; row < n; ++row)
    values[row] = typical * (0.75 + 0.5 * static_cast<double>(row % 97) / 97);
  arguments.inputs.emplace("radii", std::move(radii));
  return arguments;
}

Case size(std::int64_t n, std::int64_t histories, bool quick) {
  Case item;
  item.label = "n=" + std::to_string(n) + ",d=" + std::to_string(2 * histories + 1);
  item.size = static_cast<double>(n);
  item.make = [=](std::uint64_t seed) { return counted(n, histories, seed); };
  if (n > 10'000) item.check_with = [=](std::uint64_t seed) { return counted(2000, histories, seed); };
  item.ceiling = "none";
  item.quick = quick;
  return item;
}

}  // namespace

void describe_range_count(Suite& suite) {
  suite.add(size(1'000, 1, true))
      .add(size(10'000, 1, true))
      .add(size(100'000, 1, false))
      .add(size(10'000, 4, false));
  // Below and above the crossover of kernels/spatial/search.cpp.
  for (const std::int64_t n : {1'000, 2'000, 4'000}) {
    Case item = size(n, 1, false);
    item.backends = {Backend::cpu};
    add_sides(suite, std::move(item), "search", {"sorted", "tree"});
  }
}

}  // namespace assay::benchmarks::te
