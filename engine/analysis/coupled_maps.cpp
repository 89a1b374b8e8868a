#include <algorithm>
#include <cmath>
#include <string>

#include "engine/analysis/generators.hpp"
#include "engine/analysis/splitmix.hpp"
#include "engine/runtime/error.hpp"

namespace assay::analysis::generators {

namespace {

/// `count` different numbers of 0 .. variables - 1 without `target`, rising.
std::vector<std::int64_t> draw_drivers(SplitMix64& random, std::int64_t variables, std::int64_t target,
                                       std::int64_t count) {
  std::vector<std::int64_t> drawn;
  while (static_cast<std::int64_t>(drawn.size()) < count) {
    const auto one = static_cast<std::int64_t>(random.uniform() * static_cast<double>(variables));
    if (one != target && std::find(drawn.begin(), drawn.end(), one) == drawn.end()) drawn.push_back(one);
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

}  // namespace

// From a coupling of 0.15 on, some networks of either map synchronise or lock to a period; at 0.1 no pair of
// columns was correlated by more than 0.45 in ten draws each of 5, 20 and 100 variables.

// The mixed value is a convex combination of values in [0, 1], so the map cannot leave [0, 3.98 / 4]. 3.98
// rather than 4: at 4 doubles fall on the fixed point 0 once in some 10^8 steps and stay there.
GeneratedSystem logistic_network(std::int64_t rows, std::uint64_t seed, std::int64_t variables) {
  constexpr double coupling = 0.1, growth = 3.98;
  SplitMix64 random(seed);
  const auto m = static_cast<std::size_t>(variables);
  GeneratedSystem made;
  std::vector<std::vector<std::int64_t>> drivers(m);
  for (std::size_t target = 0; target < m; ++target) {
    const auto at_most = std::min(static_cast<std::int64_t>(4 * random.uniform()), variables - 1);
    drivers[target] = draw_drivers(random, variables, static_cast<std::int64_t>(target), at_most);
    for (const std::int64_t source : drivers[target])
      made.edges.push_back({source, static_cast<std::int64_t>(target), 1});
  }
  Row start(m);
  for (double& value : start) value = random.uniform();
  made.table = iterate(
      numbered_names(variables), rows, start,
      [&](const Row& now, const Row&) {
        Row next(m);
        for (std::size_t i = 0; i < m; ++i) {
          double mixed = now[i];
          if (!drivers[i].empty()) {
            double sum = 0;
            for (const std::int64_t j : drivers[i]) sum += now[static_cast<std::size_t>(j)];
            mixed = (1 - coupling) * now[i] + coupling * (sum / static_cast<double>(drivers[i].size()));
          }
          next[i] = growth * mixed * (1 - mixed);
        }
        return next;
      },
      chaotic_transient);
  made.description =
      "u' = 3.98 m (1 - m), m = 0.9 u + 0.1 (mean of 0 to 3 random drivers) or u without one, " +
      std::to_string(variables) + " variables, " + std::to_string(made.edges.size()) +
      " directed edges, deterministic";
  return made;
}

// Some starts of the Henon map escape to infinity; those are drawn again from the same random numbers, so
// that the table remains a function of the seed.
GeneratedSystem henon_chain(std::int64_t rows, std::uint64_t seed, std::int64_t variables) {
  constexpr double coupling = 0.1, escaped = 10;
  constexpr int attempts = 100;
  SplitMix64 random(seed);
  const auto m = static_cast<std::size_t>(variables);
  GeneratedSystem made;
  for (std::int64_t target = 1; target + 1 < variables; ++target)
    for (const std::int64_t source : {target - 1, target + 1}) made.edges.push_back({source, target, 1});
  made.description =
      "x_i(t+1) = 1.4 - (0.05 (x_{i-1} + x_{i+1}) + 0.9 x_i)^2 + 0.3 x_i(t-1), the ends 1.4 - x^2 + 0.3 "
      "x(t-1), " +
      std::to_string(variables) + " variables in a chain, deterministic";
  for (int attempt = 0; attempt < attempts; ++attempt) {
    Row start(m);
    for (double& value : start) value = 0.2 * random.uniform();
    bool bounded = true;
    made.table = iterate(
        numbered_names(variables), rows, start,
        [&](const Row& now, const Row& before) {
          Row next(m);
          for (std::size_t i = 0; i < m && bounded; ++i) {
            const bool end = i == 0 || i + 1 == m;
            const double mixed =
                end ? now[i] : 0.5 * coupling * (now[i - 1] + now[i + 1]) + (1 - coupling) * now[i];
            next[i] = 1.4 - mixed * mixed + 0.3 * before[i];
            bounded = std::fabs(next[i]) < escaped;
          }
          return next;
        },
        chaotic_transient);
    if (bounded) return made;
  }
  throw ContractError("generate", "henon-chain",
                      "expected a start that stays bounded among " + std::to_string(attempts));
}

}  // namespace assay::analysis::generators
