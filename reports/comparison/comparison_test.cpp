#include "reports/comparison/comparison.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "reports/comparison/false_alarms.hpp"
#include "reports/comparison/plan.hpp"
#include "reports/statistics.hpp"

namespace assay::reports {
namespace {

/// A case whose blocks scatter about a ratio. The noise of a block is the same in every call with its seed.
ComparedCase example(const std::string& name, double ratio, double scatter, std::size_t blocks,
                     std::uint64_t seed, std::size_t fresh = 0, double fresh_ratio = 0) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> draw(0.0, scatter);
  ComparedCase item;
  item.name = name;
  item.seconds = 0.02;
  ComparisonSeries& series = item.measures["wall"];
  series.unit = "ns";
  for (std::size_t block = 0; block < blocks; ++block) {
    series.base.push_back(1e6);
    series.candidate.push_back(1e6 * ratio * std::exp(draw(generator)));
  }
  for (std::size_t block = 0; block < fresh; ++block) {
    series.fresh_base.push_back(1e6);
    series.fresh_candidate.push_back(1e6 * (fresh_ratio > 0 ? fresh_ratio : ratio) *
                                     std::exp(draw(generator)));
  }
  return item;
}

ComparisonVerdict verdict_of(const ComparedCase& item, const ComparisonRule& rule = {},
                             bool identical = false) {
  const auto result = judge_comparison({item}, rule, identical);
  EXPECT_EQ(result.items.size(), 1u);
  return result.items.front().verdict;
}

TEST(Comparison, SameIsConcludedAtHalfAndNothingElse) {
  EXPECT_EQ(verdict_of(example("a", 1.0, 0.004, 10, 1)), ComparisonVerdict::same);
  EXPECT_EQ(verdict_of(example("a", 1.0, 0.004, 9, 1)), ComparisonVerdict::inconclusive);
  // 20 % slower, seen in every block: after ten of them it is still "don't know".
  const auto result = judge_comparison({example("a", 1.2, 0.004, 10, 1)}, {}, false, "the budget is spent");
  EXPECT_EQ(result.items[0].verdict, ComparisonVerdict::inconclusive);
  EXPECT_NE(result.items[0].reason.find("only 10 blocks: the budget is spent"), std::string::npos);
}

TEST(Comparison, AChangeNeedsAllBlocksAndAFreshRun) {
  EXPECT_EQ(verdict_of(example("a", 1.2, 0.004, 20, 1)), ComparisonVerdict::inconclusive);
  EXPECT_EQ(verdict_of(example("a", 1.2, 0.004, 20, 1, 19)), ComparisonVerdict::inconclusive);
  EXPECT_EQ(verdict_of(example("a", 1.2, 0.004, 20, 1, 20)), ComparisonVerdict::regressed);
  EXPECT_EQ(verdict_of(example("a", 0.9, 0.004, 20, 1, 20)), ComparisonVerdict::improved);
  const auto once = judge_comparison({example("a", 1.2, 0.004, 20, 1, 20, 1.001)}, {}, false);
  EXPECT_EQ(once.items[0].verdict, ComparisonVerdict::inconclusive);
  EXPECT_TRUE(once.items[0].alarmed);
  EXPECT_NE(once.items[0].reason.find("not in a fresh one"), std::string::npos);
  // The other way round the second time is no confirmation either.
  EXPECT_EQ(verdict_of(example("a", 1.2, 0.004, 20, 1, 20, 0.8)), ComparisonVerdict::inconclusive);
}

TEST(Comparison, WideScatterIsDontKnowWithItsSmallestVisibleEffect) {
  const auto result = judge_comparison({example("a", 1.0, 0.10, 20, 3)}, {}, false);
  EXPECT_EQ(result.items[0].verdict, ComparisonVerdict::inconclusive);
  EXPECT_GT(result.items[0].smallest_visible, 0.05);
  EXPECT_LT(result.items[0].smallest_visible, 0.5);
  EXPECT_EQ(result.exit_code(false), 0);
  EXPECT_EQ(result.exit_code(true), 5);
}

TEST(Comparison, BelowTwiceTheTimersResolutionNothingChanged) {
  ComparedCase item = example("a", 1.03, 0.001, 20, 4, 20);
  EXPECT_EQ(verdict_of(item), ComparisonVerdict::regressed);
  item.measures["wall"].resolution = 20'000;  // 2 x 20 us > 30 us
  EXPECT_EQ(verdict_of(item), ComparisonVerdict::inconclusive);
  item.measures["wall"].resolution = 14'000;
  EXPECT_EQ(verdict_of(item), ComparisonVerdict::regressed);
}

TEST(Comparison, EqualCodeMakesAChangeTheEnvironments) {
  ComparedCase item = example("a", 1.2, 0.004, 20, 1);
  EXPECT_EQ(verdict_of(item, {}, true), ComparisonVerdict::environment);
  EXPECT_EQ(judge_comparison({item}, {}, true).exit_code(true), 0);
  item.same_launches = false;  // other grids from the same code: it is the program's
  EXPECT_NE(verdict_of(item, {}, true), ComparisonVerdict::environment);
  item.same_launches = true;
  ComparisonRule without;
  without.identity = false;
  EXPECT_EQ(verdict_of(example("a", 1.2, 0.004, 20, 1, 20), without, true), ComparisonVerdict::regressed);
}

TEST(Comparison, WholeCasesAndExitCodes) {
  ComparedCase vanished, added, wrong, invalid;
  vanished.name = "v", vanished.presence = Presence::base_only;
  added.name = "n", added.presence = Presence::candidate_only;
  wrong.name = "w", wrong.wrong = "candidate: off by one";
  invalid.name = "i", invalid.invalid = "the answer differs";
  const ComparedCase fine = example("a", 1.0, 0.004, 20, 1), red = example("r", 1.2, 0.004, 20, 1, 20);
  EXPECT_EQ(judge_comparison({fine, added}, {}, false).exit_code(true), 0);
  EXPECT_EQ(judge_comparison({fine, vanished}, {}, false).exit_code(false), 6);
  EXPECT_EQ(judge_comparison({vanished}, {}, false).exit_code(false), 6);
  EXPECT_EQ(judge_comparison({added}, {}, false).exit_code(false), 6);  // nothing was compared
  EXPECT_EQ(judge_comparison({fine, vanished, red}, {}, false).exit_code(false), 4);
  EXPECT_EQ(judge_comparison({red, wrong}, {}, false).exit_code(false), 3);
  const auto all = judge_comparison({fine, red, wrong, vanished, added, invalid}, {}, false);
  EXPECT_EQ(all.exit_code(false), 7);
  // Worst first.
  std::vector<ComparisonVerdict> order;
  for (const auto& item : all.items) order.push_back(item.verdict);
  EXPECT_EQ(order, (std::vector<ComparisonVerdict>{ComparisonVerdict::invalid, ComparisonVerdict::incorrect,
                                                   ComparisonVerdict::regressed, ComparisonVerdict::vanished,
                                                   ComparisonVerdict::added, ComparisonVerdict::same}));
  const std::string text = all.markdown();
  EXPECT_LT(text.find("| regressed | r "), text.find("| same | a "));
  EXPECT_NE(text.find("unadjusted"), std::string::npos);
  EXPECT_LE(all.markdown(900).size(), 2000u);
}

TEST(Comparison, TheFamilyDecidesHowFewBlocksServe) {
  EXPECT_EQ(fewest_blocks(524, {}), 20u);
  EXPECT_EQ(fewest_blocks(525, {}), 21u);
  EXPECT_EQ(fewest_blocks(40, {}), 17u);
  EXPECT_EQ(fewest_blocks(1, {}), 11u);
}

// 600 cases, which the floor of 2^-20 does not serve: even 20 % in every block rejects nothing.
TEST(Comparison, NothingIsRejectedBeyondTheFloor) {
  std::vector<ComparedCase> cases;
  for (int i = 0; i < 600; ++i) cases.push_back(example("c" + std::to_string(i), 1.0, 0.004, 20, 100 + i));
  cases[0] = example("slow", 1.2, 0.004, 20, 1, 20);
  EXPECT_EQ(judge_comparison(cases, {}, false).count(ComparisonVerdict::regressed), 0);
  cases.resize(500);
  EXPECT_EQ(judge_comparison(cases, {}, false).count(ComparisonVerdict::regressed), 1);
}

/// Measures as the plan asks, from examples with as many blocks as are ever needed; the number of
/// case-blocks.
std::size_t follow(std::vector<ComparedCase>& cases, const std::vector<ComparedCase>& source,
                   const ComparisonRule& rule, Budget budget, std::string* stopped = nullptr,
                   std::vector<NextBlock>* steps = nullptr, std::size_t at_most = 1000) {
  std::size_t measured = 0;
  for (std::size_t step = 0; step < at_most; ++step) {
    const Plan plan = plan_comparison(cases, rule, false, budget);
    if (stopped != nullptr) *stopped = plan.stopped;
    if (!plan.next) break;
    if (steps != nullptr) steps->push_back(*plan.next);
    budget.spent += 4 * budget.process_seconds;
    for (const std::size_t at : plan.next->cases) {
      ComparisonSeries& series = cases[at].measures["wall"];
      const ComparisonSeries& from = source[at].measures.at("wall");
      auto& base = plan.next->fresh ? series.fresh_base : series.base;
      auto& candidate = plan.next->fresh ? series.fresh_candidate : series.candidate;
      EXPECT_EQ(base.size(), plan.next->index);
      base.push_back((plan.next->fresh ? from.fresh_base : from.base).at(base.size()));
      candidate.push_back((plan.next->fresh ? from.fresh_candidate : from.candidate).at(candidate.size()));
      budget.spent += 4 * cases[at].seconds;
      ++measured;
    }
  }
  return measured;
}

std::vector<ComparedCase> emptied(std::vector<ComparedCase> cases) {
  for (ComparedCase& item : cases)
    for (auto& [measure, series] : item.measures) {
      series.base.clear(), series.candidate.clear();
      series.fresh_base.clear(), series.fresh_candidate.clear();
    }
  return cases;
}

const std::vector<ComparedCase> four{
    example("same", 1.0, 0.004, 20, 1, 20), example("slow", 1.1, 0.004, 20, 2, 20),
    example("wild", 1.0, 0.2, 20, 3, 20), example("fast", 0.9, 0.004, 20, 4, 20)};

TEST(ComparisonPlan, HalfForAllThenTheUndecidedThenTheFreshRun) {
  auto cases = emptied(four);
  std::vector<NextBlock> steps;
  std::string stopped;
  const std::size_t measured = follow(cases, four, {}, {}, &stopped, &steps);
  EXPECT_EQ(stopped, "");
  ASSERT_EQ(steps.size(), 40u);
  EXPECT_EQ(steps[9].cases, (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(steps[10], (NextBlock{false, 10, {1, 2, 3}}));
  EXPECT_EQ(steps[20], (NextBlock{true, 0, {1, 3}}));
  EXPECT_EQ(measured, 10u * 4 + 10u * 3 + 20u * 2);
  const auto result = judge_comparison(cases, {}, false);
  EXPECT_EQ(result.count(ComparisonVerdict::regressed), 1);
  EXPECT_EQ(result.count(ComparisonVerdict::improved), 1);
  EXPECT_EQ(result.count(ComparisonVerdict::same), 1);
  EXPECT_EQ(result.count(ComparisonVerdict::inconclusive), 1);
}

// The plan is a function of what was measured: from any step on it goes the same way.
TEST(ComparisonPlan, GoesOnFromAnyStepAsItWouldHave) {
  std::vector<NextBlock> whole;
  auto cases = emptied(four);
  follow(cases, four, {}, {}, nullptr, &whole);
  for (const std::size_t killed_after : {0u, 3u, 10u, 15u, 20u, 33u, 39u}) {
    auto again = emptied(four);
    std::vector<NextBlock> steps;
    follow(again, four, {}, {}, nullptr, &steps, killed_after);
    follow(again, four, {}, {}, nullptr, &steps);
    EXPECT_EQ(steps, whole) << killed_after;
  }
}

TEST(ComparisonPlan, EqualCodeIsNotMeasuredAFreshTime) {
  auto cases = four;
  for (ComparedCase& item : cases) {
    item.measures["wall"].fresh_base.clear();
    item.measures["wall"].fresh_candidate.clear();
  }
  EXPECT_FALSE(plan_comparison(cases, {}, true, {}).next.has_value());
  EXPECT_TRUE(plan_comparison(cases, {}, false, {}).next.has_value());
}

// 10 blocks of all cost 3.2 s, 10 more of one 0.8 s, a fresh run of one 1.6 s.
TEST(ComparisonPlan, ABudgetGoesToTheSlowdownFirst) {
  auto cases = emptied(four);
  std::string stopped;
  follow(cases, four, {}, {.seconds = 6.0, .spent = 0, .process_seconds = 0}, &stopped);
  EXPECT_EQ(stopped, "the budget is spent");
  const auto result = judge_comparison(cases, {}, false, stopped);
  EXPECT_EQ(result.count(ComparisonVerdict::regressed), 1);
  EXPECT_EQ(result.count(ComparisonVerdict::same), 1);
  EXPECT_EQ(cases[2].measures["wall"].base.size(), 10u) << "the wild one cannot be decided";
  // With a little more, the faster one too, still before the wild one.
  auto more = emptied(four);
  follow(more, four, {}, {.seconds = 8.5, .spent = 0, .process_seconds = 0}, &stopped);
  EXPECT_EQ(judge_comparison(more, {}, false, stopped).count(ComparisonVerdict::improved), 1);
}

TEST(ComparisonPlan, ASmallBudgetMeasuresTheQuickestCases) {
  auto cases = emptied(four);
  cases[0].seconds = 1.0;
  std::string stopped;
  follow(cases, four, {}, {.seconds = 2.5, .spent = 0, .process_seconds = 0}, &stopped);
  EXPECT_EQ(cases[0].measures["wall"].base.size(), 0u);
  EXPECT_EQ(cases[1].measures["wall"].base.size(), 10u);
  const auto result = judge_comparison(cases, {}, false, stopped);
  bool said = false;
  for (const auto& item : result.items)
    said = said || (item.name == "same" && item.reason == "not measured: the budget is spent");
  EXPECT_TRUE(said);
  auto none = emptied(four);
  EXPECT_EQ(follow(none, four, {}, {.seconds = 0.5, .spent = 0, .process_seconds = 0}, &stopped), 0u);
  EXPECT_EQ(stopped, "the budget is spent");
}

// The whole rule on suites of 40 cases without a change, whose blocks scatter with heavy tails: no change is
// reported, and most are the same.
TEST(Comparison, SuitesWithoutAChangeStayGreen) {
  std::mt19937_64 generator(17);
  std::student_t_distribution<double> draw(2.0);
  std::vector<ComparisonResult> results;
  constexpr int suites = 25;
  for (int suite = 0; suite < suites; ++suite) {
    std::vector<ComparedCase> cases;
    for (int i = 0; i < 40; ++i) {
      ComparedCase item = example("c" + std::to_string(i), 1.0, 0.0, 20, 1);
      for (double& value : item.measures["wall"].candidate) value *= std::exp(0.003 * draw(generator));
      cases.push_back(item);
    }
    results.push_back(judge_comparison(cases, {}, false));
  }
  const auto truth = known_truth("identical", results);
  ASSERT_EQ(truth.size(), 1u);
  EXPECT_EQ(truth[0].runs, suites);
  EXPECT_EQ(truth[0].cases, 1000);
  // At most one suite in 1,000 alarms: two or more of 25 have the probability 0.0003.
  EXPECT_LE(truth[0].alarms, 1);
  EXPECT_GE(truth[0].share_same(), 0.9);
}

// scipy 1.17.1: beta.ppf(0.95, k + 1, n - k).
TEST(FalseAlarms, BoundsAreClopperAndPearsons) {
  KnownTruth truth;
  truth.runs = 25;
  EXPECT_NEAR(truth.bound_by_run(), 0.1129281450068432, 1e-12);
  truth.changed_runs = 1;
  EXPECT_NEAR(truth.bound_by_run(), 0.176120710604518, 1e-9);
  truth.changed_runs = 2;
  EXPECT_NEAR(truth.bound_by_run(), 0.2310399339581441, 1e-9);
  truth.cases = 1000;
  truth.regressed = 997;
  EXPECT_NEAR(truth.found_at_least(), 1 - 0.007735244718479458, 1e-9);
}

TEST(FalseAlarms, CountsRunsAndNotOnlyCases) {
  const ComparedCase red = example("r", 1.2, 0.004, 20, 1, 20), fine = example("a", 1.0, 0.004, 20, 1);
  const auto with_two = judge_comparison({red, fine, example("s", 1.3, 0.004, 20, 5, 20)}, {}, false);
  const auto without = judge_comparison({fine}, {}, false);
  const auto truth = known_truth("x", {with_two, without, without});
  ASSERT_EQ(truth.size(), 1u);
  EXPECT_EQ(truth[0].regressed, 2);
  EXPECT_EQ(truth[0].red_runs, 1);
  EXPECT_EQ(truth[0].runs, 3);
  EXPECT_EQ(truth[0].cases, 5);
  EXPECT_EQ(truth[0].alarms, 2);
}

}  // namespace
}  // namespace assay::reports
