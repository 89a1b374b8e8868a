#include "engine/analysis/measure.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/analysis/golden_values.hpp"
#include "engine/analysis/systems.hpp"

namespace assay::analysis {
namespace {

class Measure : public testing::Test {
 protected:
  Context context = Context::cpu(2);
  Estimator estimator = engine_estimator(context);

  double transfer(const SeriesTable& table, const TeSpec& spec, const EstimationOptions& options) {
    const Result<Estimate> answer = estimate(table, spec, {options, {}, false}, estimator, context.pool());
    EXPECT_TRUE(answer) << answer.error().message;
    return answer.value().value;
  }
  double information(const SeriesTable& table, const CmiSpec& spec, const EstimationOptions& options) {
    const Result<Estimate> answer = estimate(table, spec, {options, {}, false}, estimator, context.pool());
    EXPECT_TRUE(answer) << answer.error().message;
    return answer.value().value;
  }
};

TeSpec spec_of(std::int64_t source, std::int64_t target, std::int64_t histories = 1) {
  TeSpec spec;
  spec.sources = {source};
  spec.targets = {target};
  spec.k_history = spec.l_history = histories;
  return spec;
}

EstimationOptions raw(std::int64_t k, int algorithm, std::int64_t window = 0) {
  EstimationOptions options;
  options.k = k;
  options.algorithm = algorithm;
  options.theiler_window = window;
  options.normalise = Normalise::none;
  return options;
}

TEST_F(Measure, GivesTheKnownTransferEntropies) {
  for (const TransferRow& row : data_a_transfer) {
    const SeriesTable table = std::move(generate("data-a", row.rows, 42)).value().table;
    SCOPED_TRACE(std::to_string(row.rows) + " rows, algorithm " + std::to_string(row.algorithm));
    EXPECT_NEAR(transfer(table, spec_of(0, 1), raw(row.k, row.algorithm)), row.forward, golden_tolerance);
    EXPECT_NEAR(transfer(table, spec_of(1, 0), raw(row.k, row.algorithm)), row.backward, golden_tolerance);
    EXPECT_NEAR(transfer(table, spec_of(0, 1, 2), raw(row.k, row.algorithm)), row.forward_2,
                golden_tolerance);
    EXPECT_NEAR(transfer(table, spec_of(1, 0, 2), raw(row.k, row.algorithm)), row.backward_2,
                golden_tolerance);
    EXPECT_NEAR(transfer(table, spec_of(0, 1), raw(row.k, row.algorithm, 10)), row.forward_theiler,
                golden_tolerance);
  }
  EXPECT_NEAR(transfer(std::move(generate("data-a", 1000, 42)).value().table, spec_of(0, 1), raw(10, 1)),
              data_a_k10_n1000, golden_tolerance);
  EXPECT_NEAR(transfer(std::move(generate("data-a", 4000, 42)).value().table, spec_of(0, 1), raw(10, 1)),
              data_a_k10_n4000, golden_tolerance);
}

TEST_F(Measure, GivesTheKnownMutualInformation) {
  const SeriesTable table = std::move(generate("data-b", 2000, 7)).value().table;
  for (const InformationRow& row : data_b_information) {
    if (row.algorithm == 0) continue;
    EXPECT_NEAR(information(table, {{0}, {1}}, raw(4, row.algorithm)), row.a_b, golden_tolerance);
    EXPECT_NEAR(information(table, {{0}, {2}}, raw(4, row.algorithm)), row.a_c, golden_tolerance);
    EXPECT_NEAR(information(table, {{0}, {1, 2}}, raw(4, row.algorithm)), row.a_bc, golden_tolerance);
  }
}

TEST_F(Measure, ZeroTargetHistoryIsLaggedMutualInformation) {
  const SeriesTable table = std::move(generate("ar1", 500, 3)).value().table;
  TeSpec without_past = spec_of(0, 1);
  without_past.k_history = 0;
  SeriesTable lagged;
  lagged.names = {"x", "y"};
  std::vector<double> rows;
  const auto values = table.values.as<double>();
  for (std::size_t t = 1; t < 500; ++t) rows.insert(rows.end(), {values[2 * (t - 1)], values[2 * t + 1]});
  lagged.values = Tensor::from(rows, Shape{499, 2});
  for (const int algorithm : {1, 2})
    EXPECT_EQ(transfer(table, without_past, raw(4, algorithm)),
              information(lagged, {{0}, {1}}, raw(4, algorithm)));
}

TEST_F(Measure, AConditionalWithoutHistoryIsNoConditional) {
  const SeriesTable table = std::move(generate("common-driver", 400, 5)).value().table;
  TeSpec given = spec_of(0, 1);
  given.conditionals = {2};
  given.cond_history = {0};
  given.cond_delay = {1};
  EXPECT_EQ(transfer(table, given, raw(4, 1)), transfer(table, spec_of(0, 1), raw(4, 1)));
}

TEST_F(Measure, AConstantSourceCarriesNothing) {
  SeriesTable table = std::move(generate("ar1", 300, 5)).value().table;
  const auto values = table.values.as<double>();
  for (std::size_t t = 0; t < 300; ++t) values[2 * t] = 0.1;
  for (const Normalise normalise : {Normalise::columns, Normalise::series, Normalise::none}) {
    EstimationOptions options;
    options.normalise = normalise;
    // n_xz = n_z and n_yz = k - 1 for every point, so that every local value is psi(k) - psi(k)
    EXPECT_NEAR(transfer(table, spec_of(0, 1), options), 0, 1e-14);
  }
}

TEST_F(Measure, LocalValuesAverageToTheTotalAndCarryTheirTimes) {
  SeriesTable table = std::move(generate("ar1", 300, 5)).value().table;
  table.trial_lengths = {100, 2, 198};
  TeSpec spec = spec_of(0, 1);
  spec.delay = 3;
  const Result<Estimate> answer = estimate(table, spec, {{}, {}, true}, estimator, context.pool());
  ASSERT_TRUE(answer);
  const Estimate& found = answer.value();
  EXPECT_EQ(found.samples, 97 + 195);
  ASSERT_EQ(found.local.size(), 292U);
  EXPECT_NEAR(std::accumulate(found.local.begin(), found.local.end(), 0.0) / 292, found.value, 1e-13);
  EXPECT_EQ(found.times.front(), 3);
  EXPECT_EQ(found.times[96], 99);
  EXPECT_EQ(found.times[97], 105);
  EXPECT_EQ(found.times.back(), 299);
}

TEST_F(Measure, DoesNotDependOnTheNumberOfThreads) {
  const SeriesTable table = std::move(generate("ar1", 400, 9)).value().table;
  MeasureOptions options;
  options.surrogates.count = 21;
  options.estimation.noise = 1e-3;
  Context one = Context::cpu(1), five = Context::cpu(5);
  const Result<Estimate> alone = estimate(table, spec_of(0, 1), options, engine_estimator(one), one.pool());
  const Result<Estimate> shared =
      estimate(table, spec_of(0, 1), options, engine_estimator(five), five.pool());
  ASSERT_TRUE(alone && shared);
  EXPECT_EQ(alone.value().value, shared.value().value);
  EXPECT_EQ(alone.value().surrogates->values, shared.value().surrogates->values);
}

TEST_F(Measure, NoiseBreaksTiesReproducibly) {
  const SeriesTable table = std::move(generate("quantised", 1000, 11)).value().table;
  EstimationOptions options = raw(4, 1);
  const double tied = transfer(table, spec_of(0, 1), options);
  options.noise = 1e-8;
  const double broken = transfer(table, spec_of(0, 1), options);
  EXPECT_GT(tied, 1.0);  // nonsense that the ties make: the truth is 0.09
  EXPECT_NEAR(broken, 0.0923, 0.06);
  EXPECT_EQ(broken, transfer(table, spec_of(0, 1), options));
  options.seed = 2;
  EXPECT_NE(broken, transfer(table, spec_of(0, 1), options));
}

TEST_F(Measure, FindsACouplingWithoutCorrelation) {
  const SeriesTable table = std::move(generate("quadratic", 2000, 4)).value().table;
  EXPECT_GT(transfer(table, spec_of(0, 1), {}), 0.4);
  EXPECT_LT(std::fabs(transfer(table, spec_of(1, 0), {})), 0.05);
}

TEST_F(Measure, RefusesWhatItCannotEstimateInOneLine) {
  const SeriesTable table = std::move(generate("ar1", 20, 1)).value().table;
  const auto message = [&](const TeSpec& spec, const EstimationOptions& options) {
    const Result<Estimate> answer = estimate(table, spec, {options, {}, false}, estimator, context.pool());
    EXPECT_FALSE(answer);
    return answer ? std::string() : answer.error().message;
  };
  EstimationOptions options;
  options.k = 19;
  EXPECT_EQ(message(spec_of(0, 1), options),
            "too few observations: 20 rows make 19 embedded observations, of which 18 may be neighbours "
            "outside a Theiler "
            "window of 0; expected at least k = 19");
  options.k = 0;
  EXPECT_EQ(message(spec_of(0, 1), options), "k: 0, expected at least 1");
  options.k = 4;
  options.theiler_window = 9;
  EXPECT_NE(message(spec_of(0, 1), options).find("too few observations"), std::string::npos);
  EXPECT_NE(message(spec_of(0, 1, 1'000'000), {}).find("make 0 embedded observations"), std::string::npos);
  EXPECT_EQ(message(spec_of(0, 2), {}), "target: 2 is not a column of the data, expected 0 to 1");
  EXPECT_NE(message(spec_of(0, 1, std::int64_t{1} << 40), {}).find("out of range"), std::string::npos);
}

TEST_F(Measure, TakesKUpToTheLastNeighbour) {
  const SeriesTable table = std::move(generate("ar1", 20, 1)).value().table;
  EXPECT_TRUE(std::isfinite(transfer(table, spec_of(0, 1), raw(18, 1))));
  EXPECT_TRUE(std::isfinite(transfer(table, spec_of(0, 1), raw(18, 2))));
}

}  // namespace
}  // namespace assay::analysis
