#include "benchmarks/peers/jidt.hpp"
#include "benchmarks/prepared_points.hpp"
#include "benchmarks/sides.hpp"
#include "benchmarks/suite.hpp"

namespace assay::benchmarks::te {

namespace {

struct Size {
  std::int64_t n;
  std::int64_t histories = 1;
  std::int64_t k = 4;
  std::int64_t algorithm = 1;
  bool quick = false;
};

Case item_of(const Size& size) {
  const analysis::TeSpec spec{
      .sources = {0}, .targets = {1}, .k_history = size.histories, .l_history = size.histories};
  Case item;
  item.label = "n=" + std::to_string(size.n) + ",k=" + std::to_string(size.k);
  if (size.histories != 1) item.label += ",histories=" + std::to_string(size.histories);
  if (size.algorithm != 1) item.label += ",algorithm=" + std::to_string(size.algorithm);
  item.size = static_cast<double>(size.n);
  item.make = [=](std::uint64_t seed) {
    return transfer_entropy_points(size.n, spec, size.k, size.algorithm, seed);
  };
  if (size.n > 2000)
    item.check_with = [=](std::uint64_t seed) {
      return transfer_entropy_points(2000, spec, size.k, size.algorithm, seed);
    };
  item.ceiling = "none";
  item.quick = size.quick;
  return item;
}

}  // namespace

void describe_ksg(Suite& suite) {
  suite.add(item_of({.n = 1'000, .quick = true}));
  suite.add(item_of({.n = 10'000, .quick = true}));
  suite.add(item_of({.n = 100'000}));
  Case million = item_of({.n = 1'000'000});
  million.backends = {Backend::cuda};
  suite.add(million);
  suite.add(item_of({.n = 10'000, .histories = 2}));
  suite.add(item_of({.n = 10'000, .algorithm = 2}));
  // Short calls, of which a process of `assay compare` has time for several.
  suite.add(item_of({.n = 2'000}));
  suite.add(item_of({.n = 1'000, .histories = 2}));
  suite.add(item_of({.n = 1'000, .algorithm = 2}));
  // Below and above the crossover of kernels/spatial/search.cpp.
  for (const std::int64_t n : {5'000, 10'000, 20'000, 40'000}) {
    Case item = item_of({.n = n});
    item.backends = {Backend::cpu};
    add_sides(suite, std::move(item), "search", {"sorted", "tree"});
  }
  for (const char* label : {"n=1000,k=4", "n=10000,k=4"})
    suite.peer(peers::jidt(label, 0)).peer(peers::jidt(label, 1));
}

}  // namespace assay::benchmarks::te
