#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/analysis/generators.hpp"
#include "engine/analysis/splitmix.hpp"

namespace assay::analysis {

using generators::iterate;
using generators::Row;

namespace {

VectorAutoregression two_variables(double a, double b, double c) {
  return {2, {{a, 0, c, b}}, {1, 1}};
}

}  // namespace

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

namespace generators {

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

}  // namespace generators

}  // namespace assay::analysis
