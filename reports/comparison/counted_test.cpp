#include "reports/comparison/counted.hpp"

#include <gtest/gtest.h>

namespace assay::reports {
namespace {

ComparedCase counted(const std::string& name, std::vector<double> base, std::vector<double> candidate) {
  ComparedCase item;
  item.name = name;
  ComparisonSeries& series = item.measures[counted_measure];
  series.unit = "instructions";
  series.base = std::move(base);
  series.candidate = std::move(candidate);
  return item;
}

ComparisonItem judged(const ComparedCase& item, bool identical = false) {
  return judge_counted({item}, {}, identical).items.at(0);
}

TEST(Counted, AChangeIsOneBetweenAnyTwoProcesses) {
  EXPECT_EQ(judged(counted("a", {1000, 1000}, {1000, 1000})).verdict, ComparisonVerdict::same);
  EXPECT_EQ(judged(counted("a", {10000, 10000}, {10010, 10010})).verdict, ComparisonVerdict::same);
  EXPECT_EQ(judged(counted("a", {10000, 10000}, {10011, 10011})).verdict, ComparisonVerdict::regressed);
  EXPECT_EQ(judged(counted("a", {10000, 10000}, {9990, 9990})).verdict, ComparisonVerdict::same);
  EXPECT_EQ(judged(counted("a", {10000, 10000}, {9989, 9989})).verdict, ComparisonVerdict::improved);
  const ComparisonItem slower = judged(counted("a", {1000, 1002}, {1050, 1060}));
  EXPECT_EQ(slower.verdict, ComparisonVerdict::regressed);
  EXPECT_DOUBLE_EQ(slower.interval->low, 1050.0 / 1002);
  EXPECT_DOUBLE_EQ(slower.interval->high, 1060.0 / 1000);
  EXPECT_NEAR(*slower.ratio, 1055.0 / 1001, 1e-12);
  EXPECT_TRUE(slower.alarmed);
}

TEST(Counted, WhatDoesNotRepeatIsNotConcludedFrom) {
  const ComparisonItem unsteady = judged(counted("a", {1000, 1010}, {1000, 1010}));
  EXPECT_EQ(unsteady.verdict, ComparisonVerdict::inconclusive);
  EXPECT_EQ(unsteady.reason, "counts of one program differ by 1.000 %");
  EXPECT_EQ(judged(counted("a", {1000, 1010}, {1005, 1030})).verdict, ComparisonVerdict::inconclusive);
  EXPECT_EQ(judged(counted("a", {1000}, {2000})).verdict, ComparisonVerdict::inconclusive);
  EXPECT_EQ(judged(counted("a", {}, {})).verdict, ComparisonVerdict::inconclusive);
}

TEST(Counted, EqualCodeIsTheEnvironmentUnlessItIsNotToCount) {
  const ComparedCase slower = counted("a", {1000, 1000}, {1100, 1100});
  EXPECT_EQ(judged(slower, true).verdict, ComparisonVerdict::environment);
  EXPECT_EQ(judge_counted({slower}, {.identity = false}, true).items[0].verdict,
            ComparisonVerdict::regressed);
}

TEST(Counted, TheOtherVerdictsAreThoseOfTimes) {
  ComparedCase gone = counted("gone", {}, {}), wrong = counted("wrong", {}, {});
  gone.presence = Presence::base_only;
  wrong.wrong = "candidate: y[3]: 4, not 5";
  const ComparisonResult result = judge_counted(
      {counted("same", {9, 9}, {9, 9}), counted("more", {9, 9}, {12, 12}), gone, wrong}, {}, false);
  ASSERT_EQ(result.items.size(), 4u);
  EXPECT_EQ(result.items[0].verdict, ComparisonVerdict::incorrect);
  EXPECT_EQ(result.items[1].verdict, ComparisonVerdict::regressed);
  EXPECT_EQ(result.items[2].verdict, ComparisonVerdict::vanished);
  EXPECT_EQ(result.series, 2u);
  EXPECT_EQ(result.exit_code(false), 3);
  EXPECT_EQ(judge_counted({counted("more", {9, 9}, {12, 12})}, {}, false).headline(),
            "Red: more instructions: 1 regressed");
  const std::string table = result.markdown();
  EXPECT_NE(table.find("| of any two processes |"), std::string::npos) << table;
  EXPECT_NE(table.find("Counts say nothing of time."), std::string::npos) << table;
}

}  // namespace
}  // namespace assay::reports
