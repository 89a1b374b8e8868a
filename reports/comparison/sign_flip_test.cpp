#include "reports/comparison/sign_flip.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "reports/comparison/holm.hpp"

namespace assay::reports {
namespace {

const std::vector<double> ten{0.013, -0.004, 0.021, 0.009, 0.017, 0.006, -0.001, 0.012, 0.025, 0.008};
const std::vector<double> twenty{0.0244,  -0.0216, 0.0082, -0.0017, -0.0005, 0.0018, -0.0162,
                                 0.0017,  -0.0047, 0.0372, 0.0063,  0.0005,  0.0012, -0.0027,
                                 -0.0066, 0.0001,  0.0088, 0.0016,  0.0136,  0.002};

// scipy 1.17.1: permutation_test((d - margin,), sum, permutation_type="samples", alternative="greater"),
// exact.
TEST(SignFlip, PValuesAreThoseOfScipy) {
  EXPECT_DOUBLE_EQ(sign_flip_above(ten, 0.0), 0.00390625);
  EXPECT_DOUBLE_EQ(sign_flip_above(ten, 0.005), 0.044921875);
  EXPECT_DOUBLE_EQ(sign_flip_above(ten, 0.01), 0.4326171875);
  EXPECT_DOUBLE_EQ(sign_flip_below(ten, 0.0), 0.9970703125);
  EXPECT_DOUBLE_EQ(sign_flip_below(ten, 0.005), 1.0);
  EXPECT_DOUBLE_EQ(sign_flip_above(twenty, 0.0), 0.1856527328491211);
  EXPECT_DOUBLE_EQ(sign_flip_above(twenty, 0.005), 0.7872400283813477);
  EXPECT_DOUBLE_EQ(sign_flip_below(twenty, 0.0), 0.8152484893798828);
}

TEST(SignFlip, EquivalenceIsThatOfScipy) {
  EXPECT_DOUBLE_EQ(equivalence_p(ten, std::log(0.98), std::log(1.02)), 0.005859375);
  EXPECT_DOUBLE_EQ(equivalence_p(twenty, std::log(0.98), std::log(1.02)), 2.384185791015625e-05);
}

TEST(SignFlip, HalvesCountWhatEveryPatternOneByOneDoes) {
  std::mt19937_64 generator(11);
  std::normal_distribution<double> draw(0.002, 0.01);
  for (std::size_t n = 0; n <= 13; ++n) {
    std::vector<double> values(n);
    for (double& value : values) value = draw(generator);
    if (n > 3) values[2] = values[1];  // ties
    double sum = 0.0;
    for (const double value : values) sum += value - 0.001;
    std::size_t reached = 0;
    for (std::size_t pattern = 0; pattern < std::size_t{1} << n; ++pattern) {
      double other = 0.0;
      for (std::size_t i = 0; i < n; ++i) other += (pattern >> i & 1 ? -1.0 : 1.0) * (values[i] - 0.001);
      reached += other >= sum - 1e-13;
    }
    EXPECT_DOUBLE_EQ(sign_flip_above(values, 0.001),
                     std::ldexp(static_cast<double>(reached), -static_cast<int>(n)))
        << n;
  }
}

TEST(SignFlip, TheFloorIsReachedAndForty) {
  const std::vector<double> twenty_slower(20, 0.05), forty_slower(40, 0.05);
  EXPECT_DOUBLE_EQ(sign_flip_above(twenty_slower, 0.005), std::ldexp(1.0, -20));
  EXPECT_DOUBLE_EQ(sign_flip_below(twenty_slower, 0.005), 1.0);
  EXPECT_DOUBLE_EQ(sign_flip_above(forty_slower, 0.005), std::ldexp(1.0, -40));
  EXPECT_DOUBLE_EQ(sign_flip_above({}, 0.005), 1.0);
  EXPECT_THROW(sign_flip_above(std::vector<double>(41, 0.1), 0.0), std::invalid_argument);
  EXPECT_THROW(sign_flip_above(std::vector<double>{NAN}, 0.0), std::invalid_argument);
  // 0.001 over 500 cases in both directions is served by 20; over 600 it is not.
  EXPECT_EQ(fewest_differences(0.001 / 1000), 20u);
  EXPECT_EQ(fewest_differences(0.001 / 1200), 21u);
  EXPECT_EQ(fewest_differences(0.001 / 80), 17u);
}

TEST(SignFlip, ExactlyOnTheMarginIsNoEvidence) {
  EXPECT_DOUBLE_EQ(sign_flip_above(std::vector<double>(20, 0.005), 0.005), 1.0);
}

// By brute force over all 1,024 patterns in steps of 1e-5: 0.00400 and 0.01700.
TEST(SignFlip, IntervalIsWhatTheTestsDoNotReject) {
  const CentreInterval interval = centre_interval(ten);
  EXPECT_NEAR(interval.low, 0.004, 2e-5);
  EXPECT_NEAR(interval.high, 0.017, 2e-5);
  EXPECT_GT(sign_flip_above(ten, interval.low + 1e-6), 0.025);
  EXPECT_LE(sign_flip_above(ten, interval.low - 1e-6), 0.025);
  EXPECT_TRUE(std::isinf(centre_interval(std::vector<double>(5, 0.1)).low));
  EXPECT_TRUE(std::isinf(centre_interval({}).high));
}

TEST(SignFlip, SmallestVisibleEffectIsJustRejected) {
  const double level = 1e-5;
  const double visible = smallest_visible(twenty, 0.005, level, 20);
  ASSERT_GT(visible, 0.005);
  const double centre = 0.5 * (0.0012 + 0.0016);  // the median
  std::vector<double> moved;
  for (const double value : twenty) moved.push_back(value - centre + visible + 1e-9);
  std::vector<double> back;
  for (const double value : twenty) back.push_back(value - centre - visible - 1e-9);
  EXPECT_LE(sign_flip_above(moved, 0.005), level);
  EXPECT_LE(sign_flip_below(back, 0.005), level);
  for (double& value : moved) value -= 1e-6;
  for (double& value : back) value += 1e-6;
  EXPECT_TRUE(sign_flip_above(moved, 0.005) > level || sign_flip_below(back, 0.005) > level);
  EXPECT_TRUE(std::isinf(smallest_visible(twenty, 0.005, level, 10)));  // 2^-10 never reaches the level
  EXPECT_NEAR(smallest_visible(std::vector<double>(20, 0.03), 0.005, level, 20), 0.005, 1e-6);
}

/// The upper limit of what a rate of `rate` gives in so many trials, at five standard errors.
double most_at(double rate, int trials) {
  return rate + 5 * std::sqrt(rate * (1 - rate) / trials);
}

// Under the null at the edge of the margin, with tails as heavy as times have them, the level holds.
TEST(SignFlip, LevelHoldsOnHeavyTailsAtTheMargin) {
  std::mt19937_64 generator(5);
  std::student_t_distribution<double> draw(1.5);
  constexpr int trials = 4000;
  for (const double level : {0.05, 0.01}) {
    int above = 0, below = 0;
    for (int trial = 0; trial < trials; ++trial) {
      std::vector<double> up(12), down(12);
      for (std::size_t i = 0; i < up.size(); ++i) {
        const double noise = 0.01 * draw(generator);
        up[i] = 0.005 + noise;
        down[i] = -0.005 + noise;
      }
      above += sign_flip_above(up, 0.005) <= level;
      below += sign_flip_below(down, 0.005) <= level;
    }
    EXPECT_LE(above / double(trials), most_at(level, trials)) << level;
    EXPECT_LE(below / double(trials), most_at(level, trials)) << level;
    // It is exact, not merely safe: far fewer would say that something is lost.
    EXPECT_GE(above / double(trials), level - 5 * std::sqrt(level * (1 - level) / trials)) << level;
  }
}

TEST(SignFlip, EquivalenceLevelHoldsAtItsEdge) {
  std::mt19937_64 generator(6);
  std::normal_distribution<double> draw(0.0, 0.008);
  constexpr int trials = 4000;
  int called_same = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> values(10);
    for (double& value : values) value = std::log(1.02) + draw(generator);
    called_same += equivalence_p(values, std::log(0.98), std::log(1.02)) <= 0.05;
  }
  EXPECT_LE(called_same / double(trials), most_at(0.05, trials));
  EXPECT_GT(called_same, 0);
}

// The family of 40 cases in both directions at 0.001, 20 blocks that scatter by 1 %: 5 % is found.
TEST(SignFlip, PowerAtFivePercent) {
  std::mt19937_64 generator(8);
  std::normal_distribution<double> draw(0.0, 0.01);
  int found = 0, found_small = 0;
  constexpr int trials = 300;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> five(20), half(20);
    for (std::size_t i = 0; i < five.size(); ++i) {
      five[i] = std::log(1.05) + draw(generator);
      half[i] = std::log(1.005) + draw(generator);
    }
    found += sign_flip_above(five, 0.005) <= 0.001 / 80;
    found_small += sign_flip_above(half, 0.005) <= 0.001 / 80;
  }
  EXPECT_GE(found, trials * 99 / 100);
  EXPECT_EQ(found_small, 0);
}

TEST(Holm, AdjustsStepByStep) {
  const std::vector<double> p{0.01, 0.0004, 0.03, 0.00002, 0.0004};
  // numpy: running maximum of (m - i) p_(i).
  const std::vector<double> of_five{0.02, 0.0016, 0.03, 0.0001, 0.0016};
  const std::vector<double> of_eighty{0.77, 0.0316, 1.0, 0.0016, 0.0316};
  const auto five = holm_adjusted(p, 5), eighty = holm_adjusted(p, 80);
  for (std::size_t i = 0; i < p.size(); ++i) {
    EXPECT_DOUBLE_EQ(five[i], of_five[i]) << i;
    EXPECT_DOUBLE_EQ(eighty[i], of_eighty[i]) << i;
  }
  EXPECT_EQ(holm(p, 0.02, 5), (std::vector<bool>{true, true, false, true, true}));
  EXPECT_EQ(holm(p, 0.001, 1), (std::vector<bool>{false, false, false, true, false}));
  EXPECT_TRUE(holm({}, 0.05, 10).empty());
}

TEST(Holm, KeepsTheFamilyRate) {
  std::mt19937_64 generator(9);
  std::uniform_real_distribution<double> draw(0.0, 1.0);
  int any = 0;
  constexpr int trials = 4000;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> p(40);
    for (double& value : p) value = draw(generator);
    const auto rejected = holm(p, 0.05, 40);
    any += std::find(rejected.begin(), rejected.end(), true) != rejected.end();
  }
  EXPECT_LE(any / double(trials), most_at(0.05, trials));
}

}  // namespace
}  // namespace assay::reports
