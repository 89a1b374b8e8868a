#include <string>

#include "engine/analysis/generators.hpp"
#include "engine/analysis/splitmix.hpp"

namespace assay::analysis::generators {

namespace {

constexpr double forcing = 8, step = 0.01;
constexpr int steps_per_row = 20;

/// dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F on a ring.
void slope(const Row& x, Row& out) {
  const std::size_t m = x.size();
  for (std::size_t i = 0; i < m; ++i) {
    const double ahead = x[i + 1 == m ? 0 : i + 1], behind = x[i == 0 ? m - 1 : i - 1];
    const double second = x[i < 2 ? i + m - 2 : i - 2];
    out[i] = (ahead - second) * behind - x[i] + forcing;
  }
}

}  // namespace

GeneratedSystem lorenz96(std::int64_t rows, std::uint64_t seed, std::int64_t variables) {
  SplitMix64 random(seed);
  const auto m = static_cast<std::size_t>(variables);
  GeneratedSystem made;
  Row start(m);
  for (double& value : start) value = forcing + random.irwin_hall();
  Row first(m), second(m), third(m), fourth(m), at(m);
  const auto moved = [&](const Row& x, const Row& by, double length) -> const Row& {
    for (std::size_t i = 0; i < m; ++i) at[i] = x[i] + length * by[i];
    return at;
  };
  made.table = iterate(
      numbered_names(variables), rows, start,
      [&](const Row& now, const Row&) {
        Row x = now;
        for (int s = 0; s < steps_per_row; ++s) {  // Runge-Kutta of order 4
          slope(x, first);
          slope(moved(x, first, 0.5 * step), second);
          slope(moved(x, second, 0.5 * step), third);
          slope(moved(x, third, step), fourth);
          for (std::size_t i = 0; i < m; ++i)
            x[i] += step / 6 * (first[i] + 2 * second[i] + 2 * third[i] + fourth[i]);
        }
        return x;
      },
      chaotic_transient);
  for (std::int64_t target = 0; target < variables; ++target)
    for (const std::int64_t offset : {variables - 2, variables - 1, std::int64_t{1}})
      made.edges.push_back({(target + offset) % variables, target, 1});
  made.description = "Lorenz-96: dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + 8 on a ring of " +
                     std::to_string(variables) + ", Runge-Kutta 4 with step 0.01, a row every 0.2";
  return made;
}

}  // namespace assay::analysis::generators
