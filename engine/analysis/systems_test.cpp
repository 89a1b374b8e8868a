#include "engine/analysis/systems.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "engine/analysis/golden_values.hpp"
#include "engine/analysis/splitmix.hpp"
#include "engine/runtime/error.hpp"

namespace assay::analysis {
namespace {

double correlation(std::span<const double> values, std::int64_t columns, std::int64_t a, std::int64_t b,
                   std::int64_t lag) {
  const std::int64_t rows = static_cast<std::int64_t>(values.size()) / columns;
  const auto at = [&](std::int64_t row, std::int64_t column) {
    return values[static_cast<std::size_t>(row * columns + column)];
  };
  double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
  for (std::int64_t t = lag; t < rows; ++t) {
    mean_a += at(t - lag, a) / static_cast<double>(rows - lag);
    mean_b += at(t, b) / static_cast<double>(rows - lag);
  }
  for (std::int64_t t = lag; t < rows; ++t) {
    const double p = at(t - lag, a) - mean_a, q = at(t, b) - mean_b;
    aa += p * p;
    bb += q * q;
    ab += p * q;
  }
  return ab / std::sqrt(aa * bb);
}

TEST(SplitMix, GivesTheKnownNumbers) {
  SplitMix64 first(1);
  EXPECT_EQ(first.next(), 0x910a2dec89025cc1U);
  EXPECT_EQ(first.next(), 0xbeeb8da1658eec67U);
  EXPECT_EQ(first.next(), 0xf893a2eefb32555eU);
  SplitMix64 uniform(42);
  EXPECT_EQ(uniform.uniform(), 0.7415648787718233);
  EXPECT_EQ(uniform.uniform(), 0.1599103928769201);
  EXPECT_EQ(uniform.uniform(), 0.27860113025513866);
  SplitMix64 normal(42);
  EXPECT_EQ(normal.irwin_hall(), -0.8941334431933914);
  EXPECT_EQ(normal.irwin_hall(), -0.4665347967936784);
  EXPECT_EQ(normal.irwin_hall(), 1.592539553909754);
}

TEST(Systems, DataAIsTheKnownSeries) {
  const GeneratedSystem made = std::move(generate("data-a", 1000, 42)).value();
  const auto values = made.table.values.as<double>();
  EXPECT_NEAR(values[0], 0.56017502, 5e-9);
  EXPECT_NEAR(values[1], 0.05813305, 5e-9);
  double sum_x = 0, sum_y = 0;
  for (std::size_t t = 0; t < 1000; ++t) {
    sum_x += values[2 * t];
    sum_y += values[2 * t + 1];
  }
  EXPECT_NEAR(sum_x, 32.82341004085363, 1e-12);
  EXPECT_NEAR(sum_y, 57.2728502943166, 1e-12);
}

TEST(Systems, EveryKnownOneIsGeneratedFiniteReproducibleAndDescribed) {
  for (const SystemInfo& system : known_systems()) {
    SCOPED_TRACE(system.name);
    const Result<GeneratedSystem> made = generate(system.name, 500, 7);
    ASSERT_TRUE(made);
    EXPECT_EQ(made.value().table.rows(), 500);
    EXPECT_EQ(static_cast<std::int64_t>(made.value().table.names.size()), made.value().table.columns());
    EXPECT_FALSE(made.value().description.empty());
    const auto values = made.value().table.values.as<double>();
    for (const double value : values) ASSERT_TRUE(std::isfinite(value));
    const Result<GeneratedSystem> again = generate(system.name, 500, 7);
    EXPECT_TRUE(std::equal(values.begin(), values.end(), again.value().table.values.as<double>().begin()));
    const Result<GeneratedSystem> other = generate(system.name, 500, 8);
    EXPECT_FALSE(std::equal(values.begin(), values.end(), other.value().table.values.as<double>().begin()));
    for (const TrueEdge& edge : made.value().edges) {
      EXPECT_NE(edge.source, edge.target);
      EXPECT_LT(std::max(edge.source, edge.target), made.value().table.columns());
    }
  }
}

TEST(Systems, LinearOnesHaveTheCovariancesOfTheirProcess) {
  for (const std::string_view name : {"data-a", "ar1", "delayed", "common-driver", "network"}) {
    SCOPED_TRACE(name);
    const GeneratedSystem made = std::move(generate(name, 100000, 3, 5)).value();
    ASSERT_TRUE(made.linear);
    const std::int64_t m = made.table.columns();
    const auto lags = lagged_covariances(*made.linear, 3);
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < m; ++j) {
        const auto entry = [&](std::size_t lag, std::int64_t a, std::int64_t b) {
          return lags[lag][static_cast<std::size_t>(a * m + b)];
        };
        const double expected = entry(2, i, j) / std::sqrt(entry(0, i, i) * entry(0, j, j));
        // 6 standard errors, widened by the memory of the series
        EXPECT_NEAR(correlation(made.table.values.as<double>(), m, j, i, 2), expected, 0.04);
      }
  }
}

TEST(Systems, TheQuadraticCouplingHasNoCorrelation) {
  const GeneratedSystem made = std::move(generate("quadratic", 100000, 3)).value();
  EXPECT_LT(std::fabs(correlation(made.table.values.as<double>(), 2, 0, 1, 1)), 0.02);
}

TEST(Systems, QuantisedValuesAreMultiplesOfAQuarter) {
  const GeneratedSystem made = std::move(generate("quantised", 300, 3)).value();
  for (const double value : made.table.values.as<double>()) EXPECT_EQ(value * 4, std::round(value * 4));
}

TEST(Systems, RefusesWhatItDoesNotKnow) {
  const Result<GeneratedSystem> refused = generate("arl", 100, 1);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("'arl' is not known, expected one of data-a, data-b, ar1"),
            std::string::npos);
  EXPECT_FALSE(generate("ar1", 0, 1));
  EXPECT_FALSE(generate("network", 100, 1, 1));
}

TEST(GaussianTruth, GivesTheKnownValues) {
  TeSpec forward;
  forward.sources = {0};
  forward.targets = {1};
  TeSpec backward = forward;
  std::swap(backward.sources, backward.targets);
  const GeneratedSystem made = coupled_ar1(10, 0.6, 0.5, 0.4, 1);
  EXPECT_NEAR(gaussian_information(*made.linear, layout_of(made.table, forward).value()), data_a_truth,
              1e-10);
  EXPECT_NEAR(gaussian_information(*made.linear, layout_of(made.table, backward).value()), 0, 1e-15);
}

TEST(GaussianTruth, AgreesWithTheClosedFormOfOneLag) {
  // x' = a x + e, y' = b y + c x + e: var x = 1 / (1 - a^2), cov = a c var x / (1 - a b),
  // var y = (1 + c^2 var x + 2 b c cov) / (1 - b^2); TE = 1/2 ln(1 + c^2 (var x - cov^2 / var y))
  for (const auto& [a, b, c] :
       {std::array{0.5, 0.6, 0.4}, std::array{-0.9, 0.2, 1.5}, std::array{0.0, 0.0, 0.3}}) {
    const double var_x = 1 / (1 - a * a), cov = a * c * var_x / (1 - a * b);
    const double var_y = (1 + c * c * var_x + 2 * b * c * cov) / (1 - b * b);
    TeSpec spec;
    spec.sources = {0};
    spec.targets = {1};
    const GeneratedSystem made = coupled_ar1(10, a, b, c, 1);
    EXPECT_NEAR(gaussian_information(*made.linear, layout_of(made.table, spec).value()),
                0.5 * std::log(1 + c * c * (var_x - cov * cov / var_y)), 1e-12);
  }
}

TEST(GaussianTruth, ConditioningOnTheCommonDriverLeavesNothing) {
  const GeneratedSystem made = std::move(generate("common-driver", 10, 1)).value();
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  EXPECT_GT(gaussian_information(*made.linear, layout_of(made.table, spec).value()), 0.01);
  spec.conditionals = {2};
  spec.cond_delay = {2};
  EXPECT_NEAR(gaussian_information(*made.linear, layout_of(made.table, spec).value()), 0, 1e-14);
}

TEST(GaussianTruth, RefusesProcessesThatDoNotSettle) {
  EXPECT_THROW(lagged_covariances({1, {{1.0}}, {1}}, 0), ContractError);
  EXPECT_THROW(lagged_covariances({1, {{1.5}}, {1}}, 0), ContractError);
  EXPECT_THROW(lagged_covariances({2, {{0.5}}, {1, 1}}, 0), ContractError);
  EXPECT_THROW(lagged_covariances({1, {{0.5}}, {0}}, 0), ContractError);
  EXPECT_THROW(lagged_covariances({1, {}, {1}}, 0), ContractError);
  EXPECT_THROW(log_determinant({1, 2, 2, 1}, 2), ContractError);
  EXPECT_NEAR(lagged_covariances({1, {{0.999999}}, {1}}, 0)[0][0], 1 / (1 - 0.999999 * 0.999999), 1e-3);
}

}  // namespace
}  // namespace assay::analysis
