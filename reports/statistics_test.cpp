#include "reports/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "reports/test_records.hpp"

namespace assay::reports {
namespace {

TEST(Statistics, MedianAndQuantiles) {
  const std::vector<double> odd{5, 1, 3};
  const std::vector<double> even{4, 1, 3, 2};
  EXPECT_EQ(median(odd), 3.0);
  EXPECT_EQ(median(even), 2.5);
  EXPECT_EQ(quantile(even, 0.0), 1.0);
  EXPECT_EQ(quantile(even, 1.0), 4.0);
  EXPECT_DOUBLE_EQ(quantile(even, 0.25), 1.75);  // R: quantile(1:4, 0.25, type = 7)
  EXPECT_EQ(quantile(odd, 2.0), 5.0);
  EXPECT_TRUE(std::isnan(median({})));
  EXPECT_TRUE(std::isnan(robust_spread({})));
}

TEST(Statistics, RobustSpreadIgnoresOneWildSample) {
  const std::vector<double> calm{1, 2, 3, 4, 5};
  const std::vector<double> wild{1, 2, 3, 4, 5000};
  EXPECT_DOUBLE_EQ(robust_spread(calm), 1.4826);
  EXPECT_DOUBLE_EQ(robust_spread(wild), 1.4826);
}

// Ranks from the published tables of the sign test's interval (Conover, table A3; alpha = 0.05 two-sided).
TEST(Statistics, RanksOfTheIntervalAreThoseOfTheTables) {
  const std::vector<std::pair<std::size_t, std::size_t>> known{
      {5, 0},  {6, 1},  {8, 1},  {9, 2},   {10, 2},  {12, 3},  {15, 4},
      {17, 5}, {20, 6}, {25, 8}, {30, 10}, {40, 14}, {50, 18}, {100, 40}};
  for (const auto& [n, rank] : known) EXPECT_EQ(median_interval_rank(n, 0.95), rank) << n;
  EXPECT_EQ(median_interval_rank(0, 0.95), 0u);
}

TEST(Statistics, RankOfManySamplesFollowsTheNormalLimit) {
  for (const std::size_t n : {5000u, 100000u}) {
    const double expected = n / 2.0 - 1.959964 * std::sqrt(n) / 2.0;
    EXPECT_NEAR(static_cast<double>(median_interval_rank(n, 0.95)), expected, 1.5) << n;
  }
}

TEST(Statistics, IntervalCoversTheMedianAsOftenAsItSays) {
  std::mt19937_64 generator(7);
  std::exponential_distribution<double> draw(1.0);
  int covered = 0;
  constexpr int trials = 4000;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> samples(20);
    for (double& sample : samples) sample = draw(generator);
    const auto interval = median_interval(samples);
    ASSERT_TRUE(interval.has_value());
    covered += interval->low <= std::log(2.0) && std::log(2.0) <= interval->high;
  }
  // Exactly 95.86 % for n = 20; 4000 trials spread it by 0.32 %.
  EXPECT_NEAR(covered / static_cast<double>(trials), 0.9586, 0.0125);
}

TEST(Statistics, SummariseFillsWhatTheSamplesAllow) {
  Benchmark b = test::benchmark("n=1", 1000.0);
  EXPECT_DOUBLE_EQ(b.median_ns, 1000.0);
  EXPECT_DOUBLE_EQ(b.p05_ns, 982.0);
  EXPECT_DOUBLE_EQ(b.p95_ns, 1018.0);
  EXPECT_DOUBLE_EQ(b.low_ns, 990.0);  // 6th of 21
  EXPECT_DOUBLE_EQ(b.high_ns, 1010.0);
  b.samples_ns.resize(5);
  summarise(b);
  EXPECT_GT(b.median_ns, 0.0);
  EXPECT_EQ(b.low_ns, 0.0);
  EXPECT_EQ(b.high_ns, 0.0);
  b.samples_ns.clear();
  summarise(b);
  EXPECT_EQ(b.median_ns, 0.0);
}

TEST(Statistics, RatioKeepsBothUncertainties) {
  const auto ratio = ratio_of_medians(test::benchmark("n=1", 1200.0), test::benchmark("n=1", 1000.0));
  ASSERT_TRUE(ratio.has_value());
  EXPECT_DOUBLE_EQ(ratio->value, 1.2);
  EXPECT_DOUBLE_EQ(ratio->interval.low, 1200.0 * 0.99 / 1010.0);
  EXPECT_DOUBLE_EQ(ratio->interval.high, 1200.0 * 1.01 / 990.0);
  EXPECT_FALSE(ratio_of_medians(test::benchmark("n=1", 1200.0), Benchmark{}).has_value());
}

}  // namespace
}  // namespace assay::reports
