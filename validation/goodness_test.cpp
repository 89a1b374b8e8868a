#include "validation/goodness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>

#include <fmt/format.h>

#include "engine/runtime/philox.hpp"
#include "validation/goodness_power.hpp"
#include "validation/runner.hpp"
#include "validation/test_samples.hpp"

namespace assay::validation {
namespace {

/// `lone` categories of the probabilities given, and the rest over `tail` categories that fall off as
/// 1 / (rank + 10).
std::vector<double> tokens(std::vector<double> lone, std::int64_t tail) {
  const double rest = 1 - std::accumulate(lone.begin(), lone.end(), 0.0);
  double sum = 0;
  for (std::int64_t rank = 1; rank <= tail; ++rank) sum += 1 / static_cast<double>(rank + 10);
  for (std::int64_t rank = 1; rank <= tail; ++rank)
    lone.push_back(rest / sum / static_cast<double>(rank + 10));
  return lone;
}

/// Draws by inversion of the cumulated probabilities.
DrawCategories sampler(const std::vector<double>& probabilities) {
  std::vector<double> upper(probabilities.size());
  std::partial_sum(probabilities.begin(), probabilities.end(), upper.begin());
  return [upper](std::uint64_t seed, std::int64_t count) {
    Philox random(seed, 77);
    std::vector<std::int64_t> drawn(static_cast<std::size_t>(count));
    for (std::int64_t& category : drawn)
      category =
          std::upper_bound(upper.begin(), upper.end() - 1, random.uniform() * upper.back()) - upper.begin();
    return drawn;
  };
}

TEST(Goodness, StatisticAndTailAreThoseOfPearson) {
  const std::vector<double> mendel{0.25, 0.5, 0.25};
  const Goodness three = test_counts(mendel, std::vector<std::int64_t>{18, 55, 27}, 1);
  EXPECT_EQ(three.draws, 100);
  EXPECT_EQ(three.bins, 3);
  EXPECT_NEAR(three.statistic, 49 / 25.0 + 25 / 50.0 + 4 / 25.0, 1e-12);
  EXPECT_NEAR(three.p_value, std::exp(-1.31), 1e-12);  // 2 degrees of freedom
  EXPECT_FALSE(three.red);

  // Weldon's 26,306 throws of 12 dice, by how many show five or six (Pearson 1900, illustration I), ten and
  // more joined. The tail is Pearson's own sum for an even number of degrees of freedom.
  const std::vector<std::int64_t> seen{185, 1149, 3265, 5475, 6114, 5194, 3067, 1331, 403, 105, 14 + 4};
  std::vector<double> chance;
  for (int shown = 0; shown < 10; ++shown)
    chance.push_back(boost::math::pdf(boost::math::binomial_distribution<>(12, 1.0 / 3), shown));
  chance.push_back(1 - std::accumulate(chance.begin(), chance.end(), 0.0));
  GoodnessOptions options;
  options.alone_above = 0;
  options.alpha = 1e-3;
  const Goodness dice = test_counts(chance, seen, 1, options);
  EXPECT_EQ(dice.draws, 26306);
  EXPECT_EQ(dice.degrees_of_freedom, 10);
  double term = std::exp(-dice.statistic / 2), tail = 0;
  for (int i = 1; i <= 5; ++i) {
    tail += term;
    term *= dice.statistic / 2 / i;
  }
  EXPECT_NEAR(dice.p_value, tail, 1e-12);
  EXPECT_TRUE(dice.red);  // his conclusion: the dice were not true
}

TEST(Goodness, AnImpossibleDrawIsRedAtOnceAndIsNoPValue) {
  const std::vector<double> half{0.5, 0, 0.5};
  int calls = 0;
  const auto once_impossible = [&](std::uint64_t, std::int64_t count) {
    ++calls;
    std::vector<std::int64_t> drawn(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = i % 2 == 0 ? 0 : 2;
    drawn[7] = 1;
    return drawn;
  };
  const Goodness seen = goodness_of_fit(half, once_impossible, 1000, 3);
  EXPECT_TRUE(seen.red);
  EXPECT_EQ(seen.outside, 1);
  EXPECT_EQ(calls, 1);
  EXPECT_NE(seen.words().find("category 1 was drawn"), std::string::npos) << seen.words();
  for (const std::int64_t stray : {-1, 3})
    EXPECT_EQ(
        test_draws(half, std::vector<std::int64_t>{0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 2, 0, stray}, 3).outside,
        stray);
}

TEST(Goodness, AStrangeDrawIsConfirmedWithAFreshSeed) {
  const std::vector<double> even = uniform_probabilities(2);
  std::vector<std::uint64_t> seeds;
  const auto constant = [&](std::size_t wrong) {
    seeds.clear();
    return goodness_of_fit(
        even,
        [&, wrong](std::uint64_t seed, std::int64_t count) {
          seeds.push_back(seed);
          if (seeds.size() > wrong) return sampler(even)(seed, count);
          return std::vector<std::int64_t>(static_cast<std::size_t>(count), 1);
        },
        1000, 9);
  };
  const Goodness never = constant(0);
  EXPECT_FALSE(never.red);
  EXPECT_EQ(never.tests, 1);
  const Goodness once = constant(1);
  EXPECT_FALSE(once.red);
  EXPECT_EQ(once.tests, 2);
  const Goodness always = constant(9);
  EXPECT_TRUE(always.red);
  EXPECT_EQ(always.tests, 2);
  ASSERT_EQ(seeds.size(), 2u);
  EXPECT_EQ(seeds[0], 9u);
  EXPECT_NE(seeds[1], 9u);
}

TEST(Goodness, BinsAreLoneOrHashedAndLargeEnough) {
  const auto probabilities = tokens({0.3, 0.05}, 998);
  const Binning binning = bins_of(probabilities, 100'000, 4);
  EXPECT_EQ(binning.probabilities.size(), 52u);
  std::vector<double> again(52);
  std::vector<int> members(52);
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    ASSERT_GE(binning.bin_of[i], 0);
    again[static_cast<std::size_t>(binning.bin_of[i])] += probabilities[i];
    ++members[static_cast<std::size_t>(binning.bin_of[i])];
  }
  EXPECT_EQ(members[static_cast<std::size_t>(binning.bin_of[0])], 1);
  EXPECT_EQ(members[static_cast<std::size_t>(binning.bin_of[1])], 1);
  for (std::size_t bin = 0; bin < 52; ++bin) EXPECT_NEAR(again[bin], binning.probabilities[bin], 1e-12);
  EXPECT_EQ(bins_of(probabilities, 100'000, 4).bin_of, binning.bin_of);
  EXPECT_NE(bins_of(probabilities, 100'000, 5).bin_of, binning.bin_of);
  for (const std::int64_t draws : {60, 100, 300, 1000, 5000})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Binning few = bins_of(probabilities, draws, seed);
      EXPECT_GE(
          *std::min_element(few.probabilities.begin(), few.probabilities.end()) * static_cast<double>(draws),
          5 * (1 - 1e-12));
      EXPECT_NEAR(std::accumulate(few.probabilities.begin(), few.probabilities.end(), 0.0), 1, 1e-12);
    }
}

TEST(Goodness, WhatCannotBeTestedIsRefused) {
  const std::vector<double> even = uniform_probabilities(2);
  EXPECT_THROW(bins_of(even, 9, 1), std::invalid_argument);  // an expectation of 4.5
  EXPECT_NO_THROW(bins_of(even, 10, 1));
  EXPECT_THROW(bins_of(std::vector<double>{0.5, 0.4}, 1000, 1), std::invalid_argument);
  EXPECT_THROW(bins_of(std::vector<double>{1.5, -0.5}, 1000, 1), std::invalid_argument);
  EXPECT_THROW(bins_of(std::vector<double>{0.5, NAN}, 1000, 1), std::invalid_argument);
  EXPECT_THROW(goodness_of_fit(
                   even, [](auto, auto) { return std::vector<std::int64_t>(20); }, 21, 1),
               std::invalid_argument);
  EXPECT_THROW(test_draws(std::vector<double>{0, 1}, {}, 1), std::invalid_argument);
  const Goodness sure = test_draws(std::vector<double>{0, 1}, std::vector<std::int64_t>(50, 1), 1);
  EXPECT_FALSE(sure.red);  // a single possible category: its support is the whole test
  EXPECT_EQ(sure.degrees_of_freedom, 0);
}

// 10,000 tests of right draws at alpha 0.01, by shape and number of draws.
TEST(Goodness, FalseAlarmsAreAsManyAsStated) {
  constexpr int trials = 10'000;
  struct Case {
    const char* name;
    std::vector<double> probabilities;
    std::int64_t draws;
  };
  GoodnessOptions options;
  options.alpha = 0.01;
  for (const Case& item : {Case{"lone and tail, 1,000 draws", tokens({0.3, 0.05}, 200), 1000},
                           Case{"tail merged, 300 draws", tokens({0.3, 0.05}, 200), 300},
                           Case{"six faces, 600 draws", uniform_probabilities(6), 600}}) {
    const auto draw = sampler(item.probabilities);
    int red = 0;
    for (int seed = 0; seed < trials; ++seed) {
      const auto with = static_cast<std::uint64_t>(seed);
      red += test_draws(item.probabilities, draw(with, item.draws), with, options).red;
    }
    expect_rate(red, trials, 0.01, item.name);
  }
}

// Confirmation squares the rate: at alpha 0.1 one in a hundred is red.
TEST(Goodness, ConfirmationSquaresTheRate) {
  constexpr int trials = 10'000;
  GoodnessOptions options;
  options.alpha = 0.1;
  const auto probabilities = tokens({0.3, 0.05}, 60);
  const auto draw = sampler(probabilities);
  int red = 0, confirmed = 0;
  for (int seed = 0; seed < trials; ++seed) {
    const Goodness seen =
        goodness_of_fit(probabilities, draw, 500, static_cast<std::uint64_t>(seed), options);
    red += seen.tests == 2;
    confirmed += seen.red;
  }
  expect_rate(red, trials, 0.1, "one test, alpha 0.1");
  expect_rate(confirmed, trials, 0.01, "confirmed, alpha 0.1");
}

// Exactly, at alpha 1e-6, for two bins of which one is rare: where chi-squared is furthest from the binomial.
TEST(Goodness, TheRateForARareBinIsAtMostWhatIsStated) {
  constexpr std::int64_t draws = 1'000'000;
  double worst = 0;
  for (double expected = 5; expected < 60; expected *= 1.0005) {
    const boost::math::binomial_distribution<> rare(draws, expected / draws);
    const double off = std::sqrt(23.928126 * expected * (1 - expected / draws));  // chi-squared_1 at 1e-6
    double rate = boost::math::cdf(boost::math::complement(rare, std::ceil(expected + off) - 1));
    if (expected > off) rate += boost::math::cdf(rare, std::floor(expected - off));
    worst = std::max(worst, rate);
  }
  EXPECT_LT(worst, 8e-5);
  EXPECT_GT(worst, 6e-5);
  RecordProperty("worst", fmt::format("{:.3g}", worst));
}

// The formula beside what the test does: 2,000 samples of each alternative.
TEST(Goodness, PowerIsWhatSimulationFinds) {
  constexpr int trials = 2000;
  const auto right = tokens({0.3, 0.05}, 60);
  std::vector<double> with_impossible = right;
  with_impossible.push_back(0);
  struct Case {
    const char* name;
    std::vector<double> probabilities, alternative;
    std::int64_t draws;
    double alpha;
  };
  for (const Case& item : {
           Case{"5 % by 10 %, alpha 1e-6", right, shifted(right, 1, 0.1), 150'000, 1e-6},
           Case{"5 % by 10 %, alpha 0.01", right, shifted(right, 1, 0.1), 40'000, 0.01},
           Case{"1 % over the tail, alpha 1e-6", right, spread_over_tail(right, 0.01), 120'000, 1e-6},
           Case{"1 % over the tail, alpha 0.01", right, spread_over_tail(right, 0.01), 50'000, 0.01},
           Case{"a tenth of a tail's token lost, alpha 0.01", right, shifted(right, 12, -0.1), 100'000, 0.01},
           Case{"one token too many", with_impossible, leaking(with_impossible, 62, 1e-4), 5000, 1e-6},
           Case{"the null itself", right, right, 20'000, 0.01},
       }) {
    GoodnessOptions options;
    options.alpha = item.alpha;
    const Power power = goodness_power(item.probabilities, item.alternative, item.draws, options, 500);
    Bits bits{Philox(11, static_cast<std::uint64_t>(item.draws))};
    int red = 0, confirmed = 0;
    for (std::uint64_t seed = 0; seed < trials; ++seed) {
      const auto test = [&](std::uint64_t with) {
        return test_counts(item.probabilities, multinomial(item.alternative, item.draws, bits), with,
                           options);
      };
      const Goodness first = test(1000 + seed);
      red += first.red;
      confirmed += first.red && (first.outside || test(100'000 + seed).red);
    }
    expect_rate(red, trials, power.one_test, std::string(item.name) + ", one test");
    expect_rate(confirmed, trials, power.confirmed, std::string(item.name) + ", confirmed");
  }
}

// Far away the variance is not that of the near alternative: a bin of two that loses one of them.
TEST(Goodness, PowerOfAFarAlternativeIsWithinATenth) {
  constexpr int trials = 1000;
  const auto right = tokens({0.3, 0.05}, 60);
  const auto wrong = shifted(right, 61, -1);
  const Power power = goodness_power(right, wrong, 20'000, {}, 500);
  Bits bits{Philox(12)};
  int red = 0;
  for (std::uint64_t seed = 0; seed < trials; ++seed)
    red += test_counts(right, multinomial(wrong, 20'000, bits), seed).red;
  EXPECT_NEAR(power.one_test, red / double{trials}, 0.1);
  EXPECT_GT(power.one_test, 0.3);
}

TEST(Goodness, AlternativesAreWhatTheySay) {
  const auto right = tokens({0.3, 0.05}, 998);
  const auto variation = [&](const std::vector<double>& wrong) {
    double sum = 0;
    for (std::size_t i = 0; i < right.size(); ++i) sum += std::abs(wrong[i] - right[i]) / 2;
    return sum;
  };
  for (const auto& wrong : {shifted(right, 1, 0.1), spread_over_tail(right, 0.01), leaking(right, 5, 0.02)})
    EXPECT_NEAR(std::accumulate(wrong.begin(), wrong.end(), 0.0), 1, 1e-12);
  EXPECT_NEAR(shifted(right, 1, 0.1)[1], 0.055, 1e-15);
  EXPECT_EQ(shifted(right, 1, -1)[1], 0);
  EXPECT_NEAR(variation(spread_over_tail(right, 0.01)), 0.01, 1e-12);
  EXPECT_EQ(spread_over_tail(right, 0.01)[0], right[0]);
  EXPECT_NEAR(variation(leaking(right, 5, 0.02)), 0.02 * (1 - right[5]), 1e-12);
  EXPECT_THROW(spread_over_tail(right, 0.9), std::invalid_argument);
  EXPECT_EQ(goodness_power(std::vector<double>{1, 0}, std::vector<double>{0, 1}, 5).confirmed, 1);
}

// The table of validation/README.md, cell by cell.
TEST(Goodness, TheReadmeHasTheTableOfPower) {
  const auto readme = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() /
                      "validation" / "README.md";
  std::ostringstream text;
  text << std::ifstream(readme).rdbuf();
  auto right = tokens({0.3, 0.05}, 998);
  right.push_back(0);
  const std::vector<std::pair<std::string, std::vector<double>>> alternatives{
      {"the token of 5 % has 5.5 %", shifted(right, 1, 0.1)},
      {"the token of 5 % has 5.05 %", shifted(right, 1, 0.01)},
      {"total variation of 1 % over the tail", spread_over_tail(right, 0.01)},
      {"total variation of 5 % over the tail", spread_over_tail(right, 0.05)},
      {"a token of 1.3 % lost", shifted(right, 2, -1)},
      {"a token of 0.014 % lost", shifted(right, 999, -1)},
      {"one token too many, drawn 1 time in 10,000", leaking(right, 1000, 1e-4)},
  };
  for (const auto& [name, wrong] : alternatives) {
    std::string row = "| " + name + " |";
    for (const std::int64_t draws : {10'000, 100'000, 1'000'000, 10'000'000})
      row += fmt::format(" {:.3f} |", goodness_power(right, wrong, draws).confirmed);
    EXPECT_NE(text.str().find(row + "\n"), std::string::npos) << readme << " lacks\n" << row;
  }
}

TEST(Goodness, APropertyAssertsIt) {
  const auto property = [](const DrawCategories& draw) {
    return Property{
        .name = "fits",
        .summary = "",
        .body = [draw](Probe& probe) { expect_fits(probe, "faces", uniform_probabilities(6), draw, 6000); },
        .cases = 1,
        .negative_control =
            [](Probe& probe) {
              expect_fits(probe, "faces", uniform_probabilities(6),
                          sampler(shifted(uniform_probabilities(6), 5, 0.5)), 6000);
            }};
  };
  const Property right = property(sampler(uniform_probabilities(6)));
  const CheckResult passed = run_property({"test.operation", &right, Backend::cpu}, {});
  EXPECT_EQ(passed.verdict, Verdict::pass) << passed.message;
  EXPECT_EQ(passed.notes.size(), 1u);
  const Property wrong = property(sampler(uniform_probabilities(5)));
  const CheckResult failed = run_property({"test.operation", &wrong, Backend::cpu}, {});
  EXPECT_EQ(failed.verdict, Verdict::fail);
  EXPECT_NE(failed.message.find("chi-squared"), std::string::npos) << failed.message;
}

}  // namespace
}  // namespace assay::validation
