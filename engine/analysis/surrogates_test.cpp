#include "engine/analysis/surrogates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "engine/analysis/measure.hpp"
#include "engine/analysis/systems.hpp"

namespace assay::analysis {
namespace {

std::vector<std::int64_t> sorted(std::vector<std::int64_t> list) {
  std::sort(list.begin(), list.end());
  return list;
}

std::vector<std::int64_t> counting(std::int64_t n) {
  std::vector<std::int64_t> list(static_cast<std::size_t>(n));
  std::iota(list.begin(), list.end(), std::int64_t{0});
  return list;
}

TEST(Surrogates, PermutationsAreUniform) {
  const std::vector<std::int64_t> trials{4};
  std::map<std::vector<std::int64_t>, int> seen;
  const int draws = 24000;
  for (int s = 0; s < draws; ++s) ++seen[surrogate_permutation(SurrogateMethod::permute, trials, 5, s)];
  EXPECT_EQ(seen.size(), 24U);
  double chi_square = 0;
  for (const auto& [permutation, count] : seen) chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_LT(chi_square, 65);  // 23 degrees of freedom: exceeded once in 10^5.5 fair shuffles
}

TEST(Surrogates, ArePermutationsThatDifferAndComeBackForTheirSeed) {
  const std::vector<std::int64_t> trials{30, 1, 69};
  for (const SurrogateMethod method : {SurrogateMethod::permute, SurrogateMethod::shift}) {
    const auto first = surrogate_permutation(method, trials, 1, 0);
    EXPECT_EQ(sorted(first), counting(100));
    EXPECT_EQ(first, surrogate_permutation(method, trials, 1, 0));
    EXPECT_NE(first, surrogate_permutation(method, trials, 1, 1));
    EXPECT_NE(first, surrogate_permutation(method, trials, 2, 0));
  }
}

TEST(Surrogates, ShiftsStayInTheirTrialAndAwayFromNoShift) {
  const std::vector<std::int64_t> trials{20, 1, 2};
  std::map<std::int64_t, int> lags;
  for (int s = 0; s < 2000; ++s) {
    const auto shift = surrogate_permutation(SurrogateMethod::shift, trials, 3, s);
    const std::int64_t lag = (20 - shift[0]) % 20;
    ++lags[lag];
    for (std::int64_t i = 0; i < 20; ++i) ASSERT_EQ(shift[static_cast<std::size_t>(i)], (i + 20 - lag) % 20);
    ASSERT_EQ(shift[20], 20);
    ASSERT_EQ(shift[21], 22);
    ASSERT_EQ(shift[22], 21);
  }
  EXPECT_EQ(lags.begin()->first, 2);  // a tenth of 20
  EXPECT_EQ(lags.rbegin()->first, 18);
  EXPECT_EQ(lags.size(), 17U);
}

TEST(Surrogates, PValuesAreArithmetic) {
  const SurrogateSummary summary = summarise(1.0, {0.5, 1.0, 2.0, 0.0});
  EXPECT_EQ(summary.hits, 2);  // an equal one counts
  EXPECT_DOUBLE_EQ(summary.p_value, 3.0 / 5.0);
  EXPECT_DOUBLE_EQ(summary.p_value_raw, 0.5);
  EXPECT_DOUBLE_EQ(summary.mean, 0.875);
  EXPECT_DOUBLE_EQ(summary.effective, 0.125);
  const double squares = 0.375 * 0.375 + 0.125 * 0.125 + 1.125 * 1.125 + 0.875 * 0.875;
  EXPECT_DOUBLE_EQ(summary.standard_deviation, std::sqrt(squares / 3));
  EXPECT_DOUBLE_EQ(summarise(5.0, std::vector<double>(99, 0.0)).p_value, 0.01);
  EXPECT_EQ(summarise(0.0, {1.0}).standard_deviation, 0);
}

class SurrogateValues : public testing::Test {
 protected:
  Context context = Context::cpu(2);
  Estimator estimator = engine_estimator(context);

  Points points_of(const SeriesTable& table, const EstimationOptions& options) {
    TeSpec spec;
    spec.sources = {0};
    spec.targets = {1};
    return prepare(table, layout_of(table, spec).value(), options).value();
  }
};

TEST_F(SurrogateValues, TheIdentityGivesTheObservedValueAndCountsAsAHit) {
  const SeriesTable table = std::move(generate("ar1", 200, 8)).value().table;
  MeasureOptions options;
  options.surrogates.permutations = {counting(199)};
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  const Result<Estimate> answer = estimate(table, spec, options, estimator, context.pool());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer.value().surrogates->values[0], answer.value().value);
  EXPECT_EQ(answer.value().surrogates->p_value_raw, 1);
}

TEST_F(SurrogateValues, RowNumbersActAsTimesOnceTheTrialsAreDropped) {
  SeriesTable table = std::move(generate("ar1", 120, 8)).value().table;
  table.trial_lengths = {40, 40, 40};
  EstimationOptions options;
  options.theiler_window = 5;
  const Points points = points_of(table, options);
  SurrogateOptions given;
  given.permutations = {counting(points.count())};
  const auto dropped = surrogate_values(points, options, given, estimator, context.pool());
  ASSERT_TRUE(dropped);
  const std::vector<std::int64_t> one_trial{points.count()};
  PointsView whole = view_of(points);
  whole.trial_lengths = one_trial;
  EXPECT_EQ(dropped.value()[0], estimator.evaluate(whole, {4, 1, 5}, false).value);
}

TEST_F(SurrogateValues, TheirMeanIsNearZeroAndTheCouplingStandsOut) {
  const SeriesTable table = std::move(generate("ar1", 600, 8)).value().table;
  MeasureOptions options;
  options.surrogates.count = 100;
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  for (const SurrogateMethod method : {SurrogateMethod::permute, SurrogateMethod::shift}) {
    options.surrogates.method = method;
    const Result<Estimate> answer = estimate(table, spec, options, estimator, context.pool());
    ASSERT_TRUE(answer);
    const SurrogateSummary& summary = *answer.value().surrogates;
    EXPECT_LT(std::fabs(summary.mean), 0.02);
    EXPECT_DOUBLE_EQ(summary.p_value, 1.0 / 101.0);
    EXPECT_NEAR(summary.effective, 0.0923, 0.06);
  }
}

TEST_F(SurrogateValues, RefusesListsThatAreNoPermutations) {
  const SeriesTable table = std::move(generate("ar1", 11, 8)).value().table;
  EstimationOptions options;
  options.k = 2;
  const Points points = points_of(table, options);
  const auto message = [&](std::vector<std::int64_t> list) {
    SurrogateOptions given;
    given.permutations = {counting(10), std::move(list)};
    const auto refused = surrogate_values(points, options, given, estimator, context.pool());
    EXPECT_FALSE(refused);
    return refused ? std::string() : refused.error().message;
  };
  EXPECT_EQ(message({0, 1}), "permutation 1: 2 entries, expected the 10 embedded observations");
  EXPECT_EQ(message({0, 1, 2, 3, 4, 5, 6, 7, 8, 10}), "permutation 1: entry 9 is 10, expected 0 to 9");
  EXPECT_EQ(message({0, 1, 2, 3, 4, 5, 6, 7, 8, 8}),
            "permutation 1: entry 9 repeats 8, expected each row once");
}

TEST_F(SurrogateValues, RefusesAWindowThatOnlyTheTrialsMadeBearable) {
  SeriesTable table = std::move(generate("ar1", 40, 8)).value().table;
  table.trial_lengths = {10, 10, 10, 10};
  EstimationOptions options;
  options.theiler_window = 30;
  const Points points = points_of(table, options);
  SurrogateOptions asked;
  asked.count = 3;
  const auto refused = surrogate_values(points, options, asked, estimator, context.pool());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("too few observations for surrogates"), std::string::npos);
}

}  // namespace
}  // namespace assay::analysis
