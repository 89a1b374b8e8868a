#include "engine/analysis/systems.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>

#include "engine/analysis/splitmix.hpp"

namespace assay::analysis {

namespace {

constexpr std::int64_t transient = 100;

constexpr std::array<SystemInfo, 12> systems{{
    {"data-a", "coupled AR(1), x drives y; seed 42 gives the reference tables' data A"},
    {"data-b", "three jointly Gaussian columns without time structure; seed 7 gives data B"},
    {"ar1", "coupled AR(1), x drives y"},
    {"delayed", "x drives y at lag 3"},
    {"logistic", "coupled logistic maps, x drives y"},
    {"henon", "coupled Henon maps, x drives y"},
    {"quadratic", "x squared drives y: information without linear correlation"},
    {"heavy-tailed", "coupled AR(1) with Cauchy noise, x drives y"},
    {"quantised", "coupled AR(1) rounded to multiples of 0.25, x drives y"},
    {"common-driver", "z drives x and y; x does not drive y"},
    {"independent", "two independent AR(1) series"},
    {"network", "a sparse random vector autoregression"},
}};

using Row = std::vector<double>;

/// Runs a map of the last row (and the one before) to the next, drops the transient, keeps `rows` rows.
SeriesTable iterate(std::vector<std::string> names, std::int64_t rows, const Row& start,
                    const std::function<Row(const Row& now, const Row& before)>& next,
                    std::int64_t skipped = transient) {
  const auto width = static_cast<std::int64_t>(names.size());
  SeriesTable table;
  table.names = std::move(names);
  table.values = Tensor(DType::f64, {rows, width});
  auto out = table.values.as<double>().begin();
  Row before = start, now = start;
  for (std::int64_t t = 0; t < rows + skipped; ++t) {
    Row later = next(now, before);
    before = std::move(now);
    now = std::move(later);
    if (t >= skipped) out = std::copy(now.begin(), now.end(), out);
  }
  return table;
}

VectorAutoregression two_variables(double a, double b, double c) {
  return {2, {{a, 0, c, b}}, {1, 1}};
}

GeneratedSystem data_b(std::int64_t rows, std::uint64_t seed) {
  SplitMix64 random(seed);
  GeneratedSystem made;
  made.table = iterate(
      {"A", "B", "C"}, rows, Row(3),
      [&](const Row&, const Row&) {
        const double g1 = random.irwin_hall(), g2 = random.irwin_hall(), g3 = random.irwin_hall();
        return Row{g1, 0.6 * g1 + 0.8 * g2, 0.5 * g1 + 0.5 * g2 + std::sqrt(0.5) * g3};
      },
      0);
  made.description = "A = g1, B = 0.6 g1 + 0.8 g2, C = 0.5 g1 + 0.5 g2 + sqrt(0.5) g3, independent rows";
  return made;
}

/// y' = b y + c x(t - lag) + e through a process of order `lag`.
GeneratedSystem delayed(std::int64_t rows, std::uint64_t seed) {
  GeneratedSystem made;
  made.linear = VectorAutoregression{2, {{0.5, 0, 0, 0.4}, {0, 0, 0, 0}, {0, 0, 0.5, 0}}, {1, 1}};
  made.table = simulate(*made.linear, rows, seed);
  made.edges = {{0, 1, 3}};
  made.description = "x' = 0.5 x + e, y' = 0.4 y + 0.5 x(t-3) + e, unit noise";
  return made;
}

GeneratedSystem logistic(std::int64_t rows, std::uint64_t seed) {
  SplitMix64 random(seed);
  const double x = random.uniform(), y = random.uniform();
  GeneratedSystem made;
  made.table = iterate({"x", "y"}, rows, {x, y}, [](const Row& now, const Row&) {
    const double mixed = 0.25 * now[0] + 0.75 * now[1];
    return Row{3.95 * now[0] * (1 - now[0]), 3.9 * mixed * (1 - mixed)};
  });
  made.edges = {{0, 1, 1}};
  made.description = "x' = 3.95 x (1 - x), m = 0.25 x + 0.75 y, y' = 3.9 m (1 - m), deterministic";
  return made;
}

GeneratedSystem henon(std::int64_t rows, std::uint64_t seed) {
  SplitMix64 random(seed);
  const double x = 0.2 * random.uniform(), y = 0.2 * random.uniform();
  GeneratedSystem made;
  made.table = iterate({"x", "y"}, rows, {x, y}, [](const Row& now, const Row& before) {
    const double mixed = 0.4 * now[0] + 0.6 * now[1];
    return Row{1.4 - now[0] * now[0] + 0.3 * before[0], 1.4 - mixed * now[1] + 0.3 * before[1]};
  });
  made.edges = {{0, 1, 1}};
  made.description =
      "x(t+1) = 1.4 - x^2 + 0.3 x(t-1), y(t+1) = 1.4 - (0.4 x + 0.6 y) y + 0.3 y(t-1), deterministic";
  return made;
}

GeneratedSystem quadratic(std::int64_t rows, std::uint64_t seed) {
  SplitMix64 random(seed);
  GeneratedSystem made;
  made.table = iterate({"x", "y"}, rows, Row(2), [&](const Row& now, const Row&) {
    const double e1 = random.irwin_hall(), e2 = random.irwin_hall();
    return Row{e1, 0.3 * now[1] + 0.8 * (now[0] * now[0] - 1) + 0.5 * e2};
  });
  made.edges = {{0, 1, 1}};
  made.description = "x' = e, y' = 0.3 y + 0.8 (x^2 - 1) + 0.5 e: x and y' are uncorrelated";
  return made;
}

GeneratedSystem heavy_tailed(std::int64_t rows, std::uint64_t seed) {
  SplitMix64 random(seed);
  const auto cauchy = [&] { return std::tan(std::numbers::pi * (random.uniform() - 0.5)); };
  GeneratedSystem made;
  made.table = iterate({"x", "y"}, rows, Row(2), [&](const Row& now, const Row&) {
    const double e1 = cauchy(), e2 = cauchy();
    return Row{0.3 * now[0] + e1, 0.3 * now[1] + 0.6 * now[0] + e2};
  });
  made.edges = {{0, 1, 1}};
  made.description = "x' = 0.3 x + e, y' = 0.3 y + 0.6 x + e, standard Cauchy noise";
  return made;
}

GeneratedSystem quantised(std::int64_t rows, std::uint64_t seed) {
  GeneratedSystem made = coupled_ar1(rows, 0.5, 0.6, 0.4, seed);
  for (double& value : made.table.values.as<double>()) value = std::round(value * 4) / 4;
  made.linear.reset();  // rounding makes it something else
  made.description += ", rounded to multiples of 0.25";
  return made;
}

GeneratedSystem common_driver(std::int64_t rows, std::uint64_t seed) {
  GeneratedSystem made;
  made.linear = VectorAutoregression{
      3, {{0.4, 0, 0.6, 0, 0.4, 0, 0, 0, 0.6}, {0, 0, 0, 0, 0, 0.6, 0, 0, 0}}, {1, 1, 1}};
  made.table = simulate(*made.linear, rows, seed);
  made.table.names = {"x", "y", "z"};
  made.edges = {{2, 0, 1}, {2, 1, 2}};
  made.description =
      "z' = 0.6 z + e, x' = 0.4 x + 0.6 z + e, y' = 0.4 y + 0.6 z(t-1) + e: x and y share their driver";
  return made;
}

GeneratedSystem independent(std::int64_t rows, std::uint64_t seed) {
  GeneratedSystem made;
  made.linear = two_variables(0.5, 0.6, 0);
  made.table = simulate(*made.linear, rows, seed);
  made.description = "x' = 0.5 x + e, y' = 0.6 y + e, unit noise: all true values are 0";
  return made;
}

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

}  // namespace

std::span<const SystemInfo> known_systems() {
  return systems;
}

GeneratedSystem coupled_ar1(std::int64_t rows, double a, double b, double c, std::uint64_t seed) {
  SplitMix64 random(seed);
  GeneratedSystem made;
  made.table = iterate({"x", "y"}, rows, Row(2), [&](const Row& now, const Row&) {
    const double e1 = random.irwin_hall();
    const double e2 = random.irwin_hall();
    return Row{a * now[0] + e1, b * now[1] + c * now[0] + e2};
  });
  made.linear = two_variables(a, b, c);
  if (c != 0) made.edges = {{0, 1, 1}};
  made.description = "coupled AR(1): x drives y, y does not drive x";
  return made;
}

SeriesTable simulate(const VectorAutoregression& process, std::int64_t rows, std::uint64_t seed) {
  SplitMix64 random(seed);
  const auto m = static_cast<std::size_t>(process.variables);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < m; ++i)
    names.push_back(m == 2 ? (i == 0 ? "x" : "y") : "v" + std::to_string(i));
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

Result<GeneratedSystem> generate(std::string_view name, std::int64_t rows, std::uint64_t seed,
                                 std::int64_t variables) {
  const auto refuse = [](std::string message) {
    return InputError{InputError::Code::out_of_range, std::move(message), {}, {}, {}};
  };
  if (rows < 1 || rows > 1'000'000'000)
    return refuse("rows: " + std::to_string(rows) + ", expected 1 to 1000000000");
  if (variables < 2 || variables > 10'000)
    return refuse("variables: " + std::to_string(variables) + ", expected 2 to 10000");
  if (rows * variables > std::int64_t{1} << 30)
    return refuse("rows times variables: " + std::to_string(rows * variables) + ", expected at most 2^30");
  if (name == "data-a") return coupled_ar1(rows, 0.6, 0.5, 0.4, seed);
  if (name == "data-b") return data_b(rows, seed);
  if (name == "ar1") return coupled_ar1(rows, 0.5, 0.6, 0.4, seed);
  if (name == "delayed") return delayed(rows, seed);
  if (name == "logistic") return logistic(rows, seed);
  if (name == "henon") return henon(rows, seed);
  if (name == "quadratic") return quadratic(rows, seed);
  if (name == "heavy-tailed") return heavy_tailed(rows, seed);
  if (name == "quantised") return quantised(rows, seed);
  if (name == "common-driver") return common_driver(rows, seed);
  if (name == "independent") return independent(rows, seed);
  if (name == "network") return random_network(rows, seed, variables);
  std::string known;
  for (const SystemInfo& system : systems) known += (known.empty() ? "" : ", ") + std::string(system.name);
  return refuse("system: '" + std::string(name) + "' is not known, expected one of " + known);
}

}  // namespace assay::analysis
