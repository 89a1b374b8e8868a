#include "engine/analysis/systems.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
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

/// Of the bits of all values, so that one different last bit anywhere shows (FNV-1a).
std::uint64_t checksum(const SeriesTable& table) {
  std::uint64_t sum = 0xcbf29ce484222325u;
  for (const double value : table.values.as<double>())
    sum = (sum ^ std::bit_cast<std::uint64_t>(value)) * 0x100000001b3u;
  return sum;
}

double standard_deviation(std::span<const double> values, std::int64_t columns, std::int64_t column) {
  double mean = 0, squares = 0;
  const std::int64_t rows = static_cast<std::int64_t>(values.size()) / columns;
  for (std::int64_t t = 0; t < rows; ++t)
    mean += values[static_cast<std::size_t>(t * columns + column)] / static_cast<double>(rows);
  for (std::int64_t t = 0; t < rows; ++t) {
    const double from_mean = values[static_cast<std::size_t>(t * columns + column)] - mean;
    squares += from_mean * from_mean;
  }
  return std::sqrt(squares / static_cast<double>(rows));
}

TEST(SystemsOfAnySize, StayBoundedAndApart) {
  struct Expected {
    std::string_view name;
    double low, high;  // of every value
  };
  // Lorenz 1996: |x|^2 decays outside the sphere of radius F sqrt(variables), which bounds a single value
  for (const Expected& system : {Expected{"network", -20, 20}, Expected{"logistic-network", 0, 0.995},
                                 Expected{"henon-chain", -2, 2}, Expected{"lorenz96", -20, 20}})
    for (const std::int64_t variables : {5, 20, 100})
      for (const std::uint64_t seed : {1, 2, 3}) {
        SCOPED_TRACE(std::string(system.name) + " of " + std::to_string(variables));
        const GeneratedSystem made = std::move(generate(system.name, 2000, seed, variables)).value();
        const auto values = made.table.values.as<double>();
        ASSERT_EQ(made.table.columns(), variables);
        EXPECT_GE(*std::min_element(values.begin(), values.end()), system.low);
        EXPECT_LE(*std::max_element(values.begin(), values.end()), system.high);
        double most = 0, least_deviation = 1e9, most_periodic = 0;
        for (std::int64_t a = 0; a < variables; ++a) {
          least_deviation = std::min(least_deviation, standard_deviation(values, variables, a));
          // a column that repeats itself every second row has locked
          if (system.name != "lorenz96")
            most_periodic = std::max(most_periodic, std::fabs(correlation(values, variables, a, a, 2)));
          for (std::int64_t b = 0; b < a; ++b)
            most = std::max(most, std::fabs(correlation(values, variables, a, b, 0)));
        }
        EXPECT_LT(most, 0.9) << "two columns are synchronised";
        EXPECT_GT(least_deviation, 0.1) << "a column has come to rest";
        EXPECT_LT(most_periodic, 0.8) << "a column has become periodic";
      }
}

TEST(SystemsOfAnySize, GiveTheSameBitsEverywhere) {
  EXPECT_EQ(checksum(generate("network", 300, 7, 100).value().table), 0x205ed82e513ee08eu);
  EXPECT_EQ(checksum(generate("logistic-network", 300, 7, 100).value().table), 0xb7e83931d901739u);
  EXPECT_EQ(checksum(generate("henon-chain", 300, 7, 100).value().table), 0x31d1a438db256b86u);
  EXPECT_EQ(checksum(generate("lorenz96", 300, 7, 100).value().table), 0xec002997840b9f46u);
  EXPECT_EQ(checksum(generate("lorenz96", 300, 7, 40, 0.1).value().table), 0xdc9727b98614dd3u);
}

TEST(SystemsOfAnySize, HaveTheEdgesOfTheirEquations) {
  const auto edges = [](std::string_view name, std::int64_t variables) {
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    const GeneratedSystem made = std::move(generate(name, 5, 3, variables)).value();
    for (const TrueEdge& edge : made.edges) {
      EXPECT_EQ(edge.lag, 1);
      pairs.emplace_back(edge.source, edge.target);
    }
    std::sort(pairs.begin(), pairs.end());
    EXPECT_EQ(std::adjacent_find(pairs.begin(), pairs.end()), pairs.end());
    return pairs;
  };
  using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;
  EXPECT_EQ(edges("henon-chain", 4), (Pairs{{0, 1}, {1, 2}, {2, 1}, {3, 2}}));
  EXPECT_EQ(
      edges("lorenz96", 4),
      (Pairs{
          {0, 1}, {0, 2}, {0, 3}, {1, 0}, {1, 2}, {1, 3}, {2, 0}, {2, 1}, {2, 3}, {3, 0}, {3, 1}, {3, 2}}));
  EXPECT_EQ(edges("lorenz96", 100).size(), 300u);
  for (const auto& [name, most] : {std::pair{"logistic-network", 3}, std::pair{"network", 2}}) {
    std::vector<int> drivers(100);
    for (const auto& [source, target] : edges(name, 100)) {
      EXPECT_NE(source, target);
      ++drivers[static_cast<std::size_t>(target)];
    }
    EXPECT_EQ(*std::max_element(drivers.begin(), drivers.end()), most) << name;
    EXPECT_EQ(*std::min_element(drivers.begin(), drivers.end()), 0) << name;
  }
}

// What an edge says: another value of its source changes the next value of its target, and of no other. Two
// runs of a map whose sources alone differ would need the map; the rows of one run hold it as well, since a
// value must follow from its drivers and itself.
TEST(SystemsOfAnySize, EveryRowFollowsFromTheDriversNamed) {
  const std::int64_t m = 12;
  const auto rows_of = [&](const GeneratedSystem& made) {
    return [values = made.table.values.as<double>(), m](std::int64_t t, std::int64_t i) {
      return values[static_cast<std::size_t>(t * m + i)];
    };
  };
  const GeneratedSystem maps = std::move(generate("logistic-network", 50, 5, m)).value();
  const auto u = rows_of(maps);
  const GeneratedSystem chain = std::move(generate("henon-chain", 50, 5, m)).value();
  const auto x = rows_of(chain);
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t t = 1; t + 1 < 50; ++t) {
      const auto mixed_of = [&](const GeneratedSystem& made, const auto& at) {
        double sum = 0;
        int count = 0;
        for (const TrueEdge& edge : made.edges)
          if (edge.target == i) sum += at(t, edge.source), ++count;
        return count == 0 ? at(t, i) : 0.9 * at(t, i) + 0.1 * sum / count;
      };
      const double m_u = mixed_of(maps, u), m_x = mixed_of(chain, x);
      EXPECT_NEAR(u(t + 1, i), 3.98 * m_u * (1 - m_u), 1e-14);
      EXPECT_NEAR(x(t + 1, i), 1.4 - m_x * m_x + 0.3 * x(t - 1, i), 1e-14);
    }
}

// The mean of x_i dx_i/dt over a long run is 0, and the advection cancels in the sum over the ring: the mean
// of x^2 is F times the mean of x. Over 20,000 rows both sides agreed within 0.2 %.
TEST(SystemsOfAnySize, Lorenz96KeepsItsEnergyBalance) {
  const GeneratedSystem made = std::move(generate("lorenz96", 20000, 3, 10)).value();
  double sum = 0, squares = 0;
  for (const double value : made.table.values.as<double>()) {
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(squares / (8 * sum), 1, 0.01);
}

TEST(SystemsOfAnySize, NoiseOfObservationIsAShareOfEachColumn) {
  const GeneratedSystem clean = std::move(generate("network", 4000, 9, 5)).value();
  const GeneratedSystem noisy = std::move(generate("network", 4000, 9, 5, 0.5)).value();
  EXPECT_TRUE(clean.linear);
  EXPECT_FALSE(noisy.linear);
  std::vector<double> difference;
  const auto a = clean.table.values.as<double>(), b = noisy.table.values.as<double>();
  for (std::size_t i = 0; i < a.size(); ++i) difference.push_back(b[i] - a[i]);
  for (std::int64_t column = 0; column < 5; ++column)
    EXPECT_NEAR(standard_deviation(difference, 5, column) / standard_deviation(a, 5, column), 0.5, 0.03);
  EXPECT_FALSE(generate("network", 10, 1, 5, -1));
  EXPECT_FALSE(generate("network", 10, 1, 5, HUGE_VAL));
}

TEST(Systems, ANetworkOfAHundredIsStationary) {
  const GeneratedSystem made = std::move(generate("network", 5, 3, 100)).value();
  for (std::size_t i = 0; i < 100; ++i) {
    double weight = 0;
    for (std::size_t j = 0; j < 100; ++j) weight += std::fabs(made.linear->coefficients[0][i * 100 + j]);
    EXPECT_LE(weight, 0.98 + 1e-12);
  }
  EXPECT_NO_THROW(lagged_covariances(*made.linear, 0));
}

TEST(Systems, RefusesWhatItDoesNotKnow) {
  const Result<GeneratedSystem> refused = generate("arl", 100, 1);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("'arl' is not known, expected one of data-a, data-b, ar1"),
            std::string::npos);
  EXPECT_FALSE(generate("ar1", 0, 1));
  EXPECT_FALSE(generate("network", 100, 1, 1));
  EXPECT_EQ(generate("lorenz96", 100, 1, 3).error().message,
            "variables: 3, expected at least 4 for 'lorenz96'");
  EXPECT_FALSE(generate("henon-chain", 100, 1, 2));
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

TEST(GaussianTruth, IsTheSameFromCovariancesComputedBefore) {
  const GeneratedSystem made = std::move(generate("network", 10, 2, 6)).value();
  const auto lags = lagged_covariances(*made.linear, 1);
  TeSpec spec;
  for (spec.sources = {0}; spec.sources[0] < 6; ++spec.sources[0])
    for (spec.targets = {0}; spec.targets[0] < 6; ++spec.targets[0]) {
      if (spec.sources == spec.targets) continue;
      const Layout layout = layout_of(made.table, spec).value();
      EXPECT_EQ(gaussian_information(6, lags, layout), gaussian_information(*made.linear, layout));
    }
  spec.sources = {0};
  spec.targets = {1};
  spec.delay = 2;
  EXPECT_THROW(gaussian_information(6, lags, layout_of(made.table, spec).value()), ContractError);
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
