#include <string>

#include "benchmarks/peers/jidt.hpp"
#include "benchmarks/prepared_points.hpp"
#include "benchmarks/sides.hpp"
#include "benchmarks/suite.hpp"

namespace assay::benchmarks::te {

namespace {

Case item_of(std::int64_t variables, std::int64_t n, bool quick) {
  Case item;
  item.label = "variables=" + std::to_string(variables) + ",n=" + std::to_string(n);
  item.size = static_cast<double>(variables);
  item.size_name = "variables";
  item.make = [=](std::uint64_t seed) { return network_points(variables, n, seed); };
  item.check_with = [=](std::uint64_t seed) {
    // Many points and enough sources have a way of their own on CUDA (kernels/lists/long_lists.hpp).
    const bool many = n > 2'048;
    HostArguments small = network_points(many ? 8 : 4, std::min<std::int64_t>(n, many ? 2'049 : 1'000), seed);
    small.parameters["counts"] = true;
    return small;
  };
  item.ceiling = "none";
  item.quick = quick;
  return item;
}

}  // namespace

void describe_network(Suite& suite) {
  suite.add(item_of(20, 1'000, true));
  suite.add(item_of(30, 1'000, false));
  suite.add(item_of(100, 1'000, false));
  for (const std::int64_t n : {std::int64_t{200}, std::int64_t{1'000}}) {
    Case large = item_of(1'000, n, false);
    large.backends = {Backend::cuda};
    suite.add(large);
  }
  for (const char* label : {"variables=30,n=1000", "variables=100,n=1000"})
    suite.peer(peers::jidt_network(label, 0)).peer(peers::jidt_network(label, 1));
  // How the time grows.
  for (const std::int64_t variables : {10, 50}) suite.add(item_of(variables, 1'000, false));
  for (const std::int64_t variables : {200, 500}) {
    Case item = item_of(variables, 1'000, false);
    item.backends = {Backend::cuda};
    suite.add(std::move(item));
  }
  suite.add(item_of(5, 200, false));  // a short call: one process of `assay compare` has time for several
  for (const std::int64_t n : {200, 500, 2'000, 5'000, 10'000}) suite.add(item_of(20, n, false));
  suite.scaling({.axis = "variables",
                 .exponent = 2,
                 .why = "every ordered pair is searched; what a target's sources share is done once for each "
                        "variable, and so is of lower order"});
  suite.scaling({.axis = "n",
                 .exponent = 4.0 / 3.0,
                 .why = "a point's k-th distance in three dimensions is about (k/n)^(1/3) of the spread, and "
                        "the walk along its neighbours in (y, z), ordered once for all sources, passes those "
                        "within it: n (k/n)^(2/3) = n^(1/3) k^(2/3), as many as the counts in two dimensions "
                        "hold; times n points"});
  // Every pair on its own, as the oracle does it, beside what is shared.
  for (const std::int64_t n : {200, 1'000, 5'000}) {
    Case item = item_of(20, n, false);
    item.backends = {Backend::cpu};
    add_sides(suite, std::move(item), "search", {"sorted"});
  }
  // From how many sources on lists of many points pay on CUDA, beside a sweep of every pair.
  for (const std::int64_t variables : {8, 16, 30})
    for (const std::int64_t n : {2'500, 10'000}) {
      Case item = item_of(variables, n, false);
      item.backends = {Backend::cuda};
      add_sides(suite, std::move(item), "search", {"tree"});
    }
}

}  // namespace assay::benchmarks::te
