#include "validation/sampler_power.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <sstream>

#include "validation/logits/distributions.hpp"
#include "validation/runner.hpp"
#include "validation/test_samples.hpp"

namespace assay::validation {
namespace {

/// A distribution that properties of `sampling` draw from, how often, and what they find.
struct Drawn {
  std::string name;
  std::vector<double> probabilities;
  std::vector<Alternative> alternatives;
  std::int64_t draws = 0;
};

std::vector<Drawn> all_drawn() {
  const auto tokens = [](const char* name, const std::vector<double>& p, std::int64_t draws) {
    return Drawn{name, p, wrong_samplers(p), draws};
  };
  const auto zipf = [](std::int64_t count) { return logits::softmax_of(logits::zipf(count)); };
  return {tokens("16 tokens", zipf(16), logits::draws_of_few),
          tokens("16 left of 32", logits::half_of_zipf_at_two(32), logits::draws_of_few),
          tokens("32 tokens", zipf(32), logits::draws_of_many),
          tokens("64 tokens", zipf(64), logits::draws_of_many),
          Drawn{"pairs of 4", independent_pairs(zipf(4)), dependent_pairs(zipf(4)), logits::draws_of_few}};
}

TEST(SamplerPower, AlternativesAreAsFarAwayAsTheySay) {
  for (const Drawn& drawn : all_drawn()) {
    std::set<std::string> names;
    for (const Alternative& one : drawn.alternatives) {
      SCOPED_TRACE(drawn.name + ": " + one.name);
      EXPECT_TRUE(names.insert(one.name).second) << "named twice";
      EXPECT_NEAR(std::accumulate(one.probabilities.begin(), one.probabilities.end(), 0.0), 1, 1e-12);
      for (const double each : one.probabilities) EXPECT_GE(each, 0);
      const double distance = total_variation(drawn.probabilities, one.probabilities);
      const bool sized =
          one.name.find("lost") == std::string::npos && one.name.find("exchanged") == std::string::npos;
      EXPECT_GE(distance, 0.005 - 1e-12);
      EXPECT_LE(distance, sized ? 0.005 + 1e-12 : 0.05);
    }
  }
  EXPECT_EQ(all_drawn()[1].alternatives.back().name, "a token too many");
  EXPECT_EQ(all_drawn()[3].alternatives.size(), 10u);
}

// Marginal distributions stay, so that only a test of pairs sees it.
TEST(SamplerPower, DependentPairsHaveTheMarginsOfIndependentOnes) {
  const auto p = logits::softmax_of(logits::zipf(4));
  for (const Alternative& one : dependent_pairs(p)) {
    for (std::size_t a = 0; a < p.size(); ++a) {
      double first = 0;
      for (std::size_t b = 0; b < p.size(); ++b) first += one.probabilities[a * p.size() + b];
      EXPECT_NEAR(first, p[a], 1e-12) << one.name;
    }
  }
}

TEST(SamplerPower, WhatADistributionHasNoRoomForIsLeftOut) {
  EXPECT_TRUE(wrong_samplers(std::vector<double>{1}).empty());
  const auto of_two = wrong_samplers(std::vector<double>{0.5, 0.5});
  for (const Alternative& one : of_two) {
    EXPECT_EQ(one.name.find("temperature"), std::string::npos);  // changes nothing there
    EXPECT_EQ(one.name.find("exchanged"), std::string::npos);
    EXPECT_EQ(one.name.find("rare"), std::string::npos);
  }
  EXPECT_EQ(of_two.size(), 4u);
  EXPECT_THROW(total_variation(std::vector<double>{1}, std::vector<double>{0.5, 0.5}), std::invalid_argument);
}

// What is stated is what happens: each alternative planted 1,000 times, at the draws that the properties use.
TEST(SamplerPower, EveryAlternativeIsRejectedAsOftenAsStated) {
  constexpr int trials = 1000;
  std::uint64_t stream = 0;
  for (const Drawn& drawn : all_drawn()) {
    const auto found = found_of(drawn.probabilities, drawn.alternatives, drawn.draws, each_alone());
    for (std::size_t at = 0; at < found.size(); ++at) {
      const std::string what = drawn.name + ": " + found[at].name;
      EXPECT_GE(found[at].power, least_power) << what;
      Bits bits{Philox(31, ++stream)};
      int red = 0;
      for (std::uint64_t seed = 0; seed < trials; ++seed) {
        const auto test = [&](std::uint64_t with) {
          return test_counts(drawn.probabilities,
                             multinomial(drawn.alternatives[at].probabilities, drawn.draws, bits), with,
                             each_alone());
        };
        const Goodness first = test(1000 + seed);
        red += first.red && (first.outside || test(100'000 + seed).red);
      }
      expect_rate(red, trials, found[at].power, what);
    }
  }
}

// A property whose draws find too little is red whatever it drew, and one that finds enough shows its table.
TEST(SamplerPower, TooFewDrawsAreRed) {
  const auto p = logits::softmax_of(logits::zipf(4));
  const auto drawn_right = [&](std::uint64_t seed, std::int64_t count) {
    Bits bits{Philox(seed)};
    std::vector<std::int64_t> drawn;
    std::discrete_distribution<std::int64_t> token(p.begin(), p.end());
    for (std::int64_t i = 0; i < count; ++i) drawn.push_back(token(bits));
    return drawn;
  };
  const auto property = [&](std::int64_t draws) {
    return Property{.name = "fits",
                    .summary = "",
                    .body =
                        [=](Probe& probe) {
                          expect_fits_and_finds(probe, "tokens", p, wrong_samplers(p), drawn_right, draws,
                                                each_alone());
                        },
                    .cases = 1,
                    .negative_control = [](Probe& probe) { probe.expect(false, "none here"); }};
  };
  const Property enough = property(1'000'000), few = property(100'000);
  const CheckResult passed = run_property({"test.operation", &enough, Backend::cpu}, {});
  EXPECT_EQ(passed.verdict, Verdict::pass) << passed.message;
  ASSERT_EQ(passed.tables.size(), 1u);
  EXPECT_EQ(passed.tables[0].rows.size(), wrong_samplers(p).size());
  const CheckResult red = run_property({"test.operation", &few, Backend::cpu}, {});
  EXPECT_EQ(red.verdict, Verdict::fail);
  EXPECT_NE(red.message.find("100000 draws find"), std::string::npos) << red.message;
}

// The tables of validation/README.md, cell by cell: a row for each alternative, a column for each
// distribution.
TEST(SamplerPower, TheReadmeHasTheTables) {
  const auto readme = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() /
                      "validation" / "README.md";
  std::ostringstream text;
  text << std::ifstream(readme).rdbuf();
  const auto table = [&](std::span<const Drawn> columns) {
    std::vector<std::string> names;
    std::map<std::string, std::map<std::string, std::string>> cells;  // by alternative and distribution
    for (const Drawn& drawn : columns)
      for (const FoundAlternative& one :
           found_of(drawn.probabilities, drawn.alternatives, drawn.draws, each_alone())) {
        if (!cells.contains(one.name)) names.push_back(one.name);
        cells[one.name][drawn.name] = fmt::format("{:.5f}", one.power);
      }
    for (const std::string& name : names) {
      std::string row = "| " + name + " |";
      for (const Drawn& drawn : columns) {
        const auto cell = cells[name].find(drawn.name);
        row += " " + (cell == cells[name].end() ? std::string("-") : cell->second) + " |";
      }
      EXPECT_NE(text.str().find(row + "\n"), std::string::npos) << readme << " lacks\n" << row;
    }
  };
  const std::vector<Drawn> all = all_drawn();
  table(std::span(all).first(4));
  table(std::span(all).last(1));
}

}  // namespace
}  // namespace assay::validation
