#include "validation/kept.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "validation/all_of.hpp"
#include "validation/generators.hpp"
#include "validation/runner.hpp"

namespace assay::validation {
namespace {

using Indices = std::vector<std::int64_t>;

Indices first(std::int64_t count) {
  Indices made(static_cast<std::size_t>(count));
  std::iota(made.begin(), made.end(), 0);
  return made;
}

TEST(Kept, SetsTheRestToZeroAndSaysSo) {
  std::vector<double> values = {1, 2, 3, 4, 5};
  Kept{}.apply(values);
  EXPECT_EQ(values, (std::vector<double>{1, 2, 3, 4, 5}));
  const Kept kept{{{0, 1, 4, 9}}};
  kept.apply(values);
  EXPECT_EQ(values, (std::vector<double>{1, 2, 0, 0, 5}));
  EXPECT_EQ(held_by(values), (Indices{0, 1, 4}));
  std::ostringstream out;
  out << kept << "; " << Kept{} << "; " << Kept{Indices{}};
  EXPECT_EQ(out.str(), "elements 0 to 1, 4, 9; all; none");
}

TEST(Kept, FewerAreProperPartsDownToSingleElements) {
  EXPECT_TRUE(fewer({}).empty());
  for (const std::int64_t count : {1, 2, 3, 7, 64, 65, 609}) {
    const Indices held = first(count);
    const auto made = fewer(held);
    for (const Indices& each : made) {
      EXPECT_LT(each.size(), held.size());
      EXPECT_TRUE(std::includes(held.begin(), held.end(), each.begin(), each.end()));
    }
    // Every element alone, and from three on all but each one.
    for (const std::int64_t index : held) {
      if (count < 2) continue;
      EXPECT_NE(std::find(made.begin(), made.end(), Indices{index}), made.end()) << count;
      if (count < 3) continue;
      Indices rest = held;
      rest.erase(rest.begin() + index);
      EXPECT_NE(std::find(made.begin(), made.end(), rest), made.end()) << count << " without " << index;
    }
  }
}

TEST(Kept, FewerOfVeryManyIsNotEndless) {
  for (const std::int64_t count : {300'000, 1 << 20, 1 << 23}) {
    std::size_t listed = 0;
    const auto made = fewer(first(count));
    EXPECT_GE(made.size(), 3u);  // none and the halves
    for (const Indices& each : made) listed += each.size();
    EXPECT_LE(listed, (std::size_t{1} << 24) + (std::size_t{1} << 23)) << count;
  }
}

CheckResult run(const std::function<void(Probe&)>& body, int cases) {
  const Property property{.name = "planted",
                          .summary = "",
                          .body = body,
                          .cases = cases,
                          .backends = {},
                          .negative_control = [](Probe& probe) { probe.expect(false, "planted"); }};
  return run_property({"test.operation", &property, Backend::cpu}, {});
}

// Two elements far apart matter, and only together.
TEST(Kept, ShrinksToTheElementsThatMatter) {
  const CheckResult result = run(
      [](Probe& probe) {
        const Kept kept = *kept_of(3000).as("not 0");
        std::vector<double> values(3000, 1.0);
        kept.apply(values);
        probe.expect(values[17] == 0 || values[2900] == 0, "planted");
      },
      1);
  EXPECT_EQ(result.verdict, Verdict::fail);
  EXPECT_NE(result.message.find("not 0 = elements 17, 2900"), std::string::npos) << result.message;
}

// Twenty rows, each with one that is not 0 in its own place: the parts halve down to single elements.
TEST(Kept, ACloudThatNeedsManyElementsLosesAllOthers) {
  const CheckResult result = run(
      [](Probe& probe) {
        CloudLimits limits;
        limits.min_rows = 80;
        limits.max_rows = 90;
        limits.min_columns = limits.max_columns = 7;
        limits.fillings = {Filling::constant};
        limits.max_exponent = 0;
        const auto values = (*clouds(limits).as("points")).values();
        int held = 0;
        for (std::size_t row = 0; row < 20; ++row) held += values[row * 28 + row % 7] != 0;
        probe.expect(held < 20, "planted");
      },
      3);
  EXPECT_EQ(result.verdict, Verdict::fail);
  ASSERT_TRUE(result.replay.has_value());
  const std::string& said = result.replay->counterexample.back().second;
  EXPECT_EQ(said.find("80 x 7 constant, seed 0, not 0: elements 0, 29, 58, "), 0u) << said;
}

// A fixed check that walks a list: its first element that fails alone, then the smallest of that.
TEST(AllOf, ShrinksToTheFirstThatFailsAndThenThatOne) {
  int walked = 0;
  const auto body = [&](bool broken) {
    return [&walked, broken](Probe& probe) {
      const std::vector<Cloud> list = {{.rows = 3}, {.rows = 900, .columns = 2}, {.rows = 40}};
      const auto shrinks = [](const Cloud& cloud) { return simpler(cloud, {}); };
      for (const Cloud& cloud : *all_of(list, shrinks).as("points")) {
        ++walked;
        probe.expect(!broken || cloud.rows < 30, "fewer than 30 rows");
      }
    };
  };
  const CheckResult passes = run(body(false), 1);
  EXPECT_EQ(passes.verdict, Verdict::pass) << passes.message;
  EXPECT_EQ(walked, 3);
  EXPECT_EQ(passes.cases, 1);
  EXPECT_EQ(passes.assertions, 3);
  const CheckResult fails = run(body(true), 1);
  EXPECT_EQ(fails.verdict, Verdict::fail);
  EXPECT_NE(fails.message.find("points = 30 x 1 grid, seed 0, not 0: none"), std::string::npos)
      << fails.message;
}

// What fails only as a whole stays whole.
TEST(AllOf, StaysWholeWhereNoElementFailsAlone) {
  const CheckResult result = run(
      [](Probe& probe) {
        std::int64_t rows = 0;
        const std::vector<Cloud> list = {{.rows = 3}, {.rows = 4}};
        const auto shrinks = [](const Cloud& cloud) { return simpler(cloud, {}); };
        for (const Cloud& cloud : *all_of(list, shrinks).as("points")) rows += cloud.rows;
        probe.expect(rows < 7, "fewer than 7 rows in all");
      },
      1);
  EXPECT_EQ(result.verdict, Verdict::fail);
  EXPECT_NE(result.message.find("points = all 2"), std::string::npos) << result.message;
}

}  // namespace
}  // namespace assay::validation
