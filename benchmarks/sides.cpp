#include "benchmarks/sides.hpp"

#include <algorithm>

namespace assay::benchmarks {

void add_sides(Suite& suite, Case item, const std::string& parameter,
               const std::vector<std::string>& values) {
  item.quick = false;
  const bool listed = std::any_of(suite.cases().begin(), suite.cases().end(),
                                  [&](const Case& other) { return other.label == item.label; });
  if (!listed) suite.add(item);
  for (const std::string& value : values) {
    const auto with_value = [&](const auto& make) {
      return [make, parameter, value](std::uint64_t seed) {
        HostArguments arguments = make(seed);
        arguments.parameters[parameter] = value;
        return arguments;
      };
    };
    Case side = item;
    side.label += "," + parameter + "=" + value;
    side.make = with_value(item.make);
    if (item.check_with) side.check_with = with_value(item.check_with);
    suite.add(std::move(side));
  }
}

}  // namespace assay::benchmarks
