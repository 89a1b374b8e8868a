#include <string>

#include "benchmarks/peers/jidt.hpp"
#include "benchmarks/prepared_points.hpp"
#include "benchmarks/suite.hpp"

namespace assay::benchmarks::te {

namespace {

Case item_of(std::int64_t variables, std::int64_t n, bool quick) {
  Case item;
  item.label = "variables=" + std::to_string(variables) + ",n=" + std::to_string(n);
  item.size = static_cast<double>(variables);
  item.make = [=](std::uint64_t seed) { return network_points(variables, n, seed); };
  item.check_with = [=](std::uint64_t seed) {
    HostArguments small = network_points(4, std::min<std::int64_t>(n, 1'000), seed);
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
}

}  // namespace assay::benchmarks::te
