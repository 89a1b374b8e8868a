#include "benchmarks/prepared_points.hpp"
#include "benchmarks/sides.hpp"
#include "benchmarks/suite.hpp"

namespace assay::benchmarks::te {

namespace {

HostArguments neighbours(std::int64_t n, std::int64_t histories, std::int64_t k, std::uint64_t seed) {
  HostArguments arguments = joint_points(n, histories, seed);
  arguments.parameters = {{"k", k}};
  return arguments;
}

Case size(std::int64_t n, std::int64_t histories, std::int64_t k, bool quick) {
  Case item;
  item.label =
      "n=" + std::to_string(n) + ",d=" + std::to_string(2 * histories + 1) + ",k=" + std::to_string(k);
  item.size = static_cast<double>(n);
  item.make = [=](std::uint64_t seed) { return neighbours(n, histories, k, seed); };
  // The reference sorts all distances of every point.
  if (n > 2000) item.check_with = [=](std::uint64_t seed) { return neighbours(2000, histories, k, seed); };
  item.ceiling = "none";
  item.quick = quick;
  return item;
}

/// Both structures on the CPU, beside the one that is chosen.
void sides(Suite& suite, Case item) {
  item.backends = {Backend::cpu};
  add_sides(suite, std::move(item), "search", {"sorted", "tree"});
}

}  // namespace

void describe_knn(Suite& suite) {
  suite.add(size(1'000, 1, 4, true)).add(size(10'000, 1, 4, true)).add(size(100'000, 1, 4, false));
  suite.add(size(10'000, 4, 4, false)).add(size(10'000, 16, 4, false)).add(size(10'000, 1, 32, false));
  // Below and above the crossovers of kernels/spatial/search.cpp.
  for (const std::int64_t n : {500, 1'000, 2'000, 4'000}) sides(suite, size(n, 1, 4, false));
  for (const std::int64_t n : {5'000, 10'000, 20'000}) sides(suite, size(n, 5, 4, false));
}

}  // namespace assay::benchmarks::te
