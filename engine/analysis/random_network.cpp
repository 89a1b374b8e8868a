#include <algorithm>
#include <cmath>

#include "engine/analysis/generators.hpp"
#include "engine/analysis/splitmix.hpp"

namespace assay::analysis {

using generators::iterate;
using generators::Row;

SeriesTable simulate(const VectorAutoregression& process, std::int64_t rows, std::uint64_t seed) {
  SplitMix64 random(seed);
  const auto m = static_cast<std::size_t>(process.variables);
  std::vector<std::string> names = generators::numbered_names(process.variables);
  if (m == 2) names = {"x", "y"};
  std::vector<Row> past(process.coefficients.size(), Row(m));  // newest first
  return iterate(std::move(names), rows, Row(m), [&](const Row& now, const Row&) {
    std::rotate(past.begin(), past.end() - 1, past.end());
    past.front() = now;
    Row next(m);
    for (std::size_t i = 0; i < m; ++i) {
      next[i] = std::sqrt(process.noise_variances[i]) * random.irwin_hall();
      for (std::size_t lag = 0; lag < past.size(); ++lag)
        for (std::size_t j = 0; j < m; ++j) next[i] += process.coefficients[lag][i * m + j] * past[lag][j];
    }
    return next;
  });
}

namespace generators {

/// Every variable remembers itself; each other entry is present with a probability that gives about 1.4
/// drivers a variable. The rows of absolute weights sum to less than 1, which makes any draw stationary.
GeneratedSystem random_network(std::int64_t rows, std::uint64_t seed, std::int64_t variables) {
  SplitMix64 random(seed);
  const auto m = static_cast<std::size_t>(variables);
  GeneratedSystem made;
  std::vector<double> weights(m * m, 0.0);
  const double probability = std::min(0.5, 1.4 / static_cast<double>(variables - 1));
  for (std::size_t target = 0; target < m; ++target) {
    weights[target * m + target] = 0.2;
    double left = 0.78;
    for (std::size_t source = 0; source < m; ++source) {
      const double chance = random.uniform();
      const double strength = 0.35 + 0.1 * random.uniform();
      const bool negative = random.uniform() < 0.5;
      if (source == target || chance >= probability || strength > left) continue;
      left -= strength;
      weights[target * m + source] = negative ? -strength : strength;
      made.edges.push_back({static_cast<std::int64_t>(source), static_cast<std::int64_t>(target), 1});
    }
  }
  made.linear = VectorAutoregression{variables, {weights}, std::vector<double>(m, 1.0)};
  made.table = simulate(*made.linear, rows, random.next());
  made.description = "sparse random VAR(1), " + std::to_string(variables) + " variables, " +
                     std::to_string(made.edges.size()) + " directed edges, unit noise";
  return made;
}

}  // namespace generators

}  // namespace assay::analysis
