#include "validation/results.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

namespace assay::validation {
namespace {

TEST(Results, SurviveJson) {
  CheckResult result;
  result.operation = "te.ksg";
  result.property = "chain_rule";
  result.backend = "cpu";
  result.verdict = Verdict::fail;
  result.kind = CheckKind::oracle;
  result.cases = 3;
  result.samples = {{"a", 1, 2}, {"b", std::nan(""), std::numeric_limits<double>::infinity()}};
  result.notes = {{"name", "value"}};
  result.tables = {{{"x", "y"}, {{"1", "2"}}}};
  result.plots = {{"title", "x", "y", {{"line", {{1, 2}, {3, 4}}}}, 0.5}};
  result.replay.emplace().reproduce = "reproduce=XYZ";
  keep_worst(result, 10);
  const CheckResult back = nlohmann::json::parse(nlohmann::json(result).dump()).get<CheckResult>();
  EXPECT_EQ(back.name(), "te.ksg/chain_rule/cpu");
  EXPECT_EQ(back.verdict, Verdict::fail);
  EXPECT_EQ(back.kind, CheckKind::oracle);
  ASSERT_EQ(back.samples.size(), 2u);
  EXPECT_EQ(back.tables[0].rows[0][1], "2");
  EXPECT_EQ(back.plots[0].series[0].points[1].second, 4);
  EXPECT_EQ(back.plots[0].truth, 0.5);
  EXPECT_EQ(back.replay->reproduce, "reproduce=XYZ");
  EXPECT_EQ(nlohmann::json(back), nlohmann::json(result));
}

TEST(Results, NamesGoBothWays) {
  for (const Verdict verdict :
       {Verdict::pass, Verdict::fail, Verdict::xfail, Verdict::xpass, Verdict::unsupported,
        Verdict::not_executed, Verdict::vacuous, Verdict::crashed, Verdict::timeout}) {
    EXPECT_EQ(parse_verdict(name_of(verdict)), verdict);
  }
  EXPECT_THROW(parse_verdict("green"), std::invalid_argument);
  EXPECT_THROW(parse_backend("abacus"), std::invalid_argument);
  EXPECT_EQ(parse_check_kind("golden"), CheckKind::golden);
  EXPECT_TRUE(is_red(Verdict::xpass));
  EXPECT_FALSE(is_red(Verdict::not_executed));
}

TEST(Results, MergingKeepsTheWorse) {
  CheckResult first, second;
  first.verdict = Verdict::pass;
  first.cases = 10;
  first.samples = {{"a", 1, 4}};
  second.verdict = Verdict::fail;
  second.message = "why";
  second.cases = 5;
  second.samples = {{"b", 3, 4}};
  merge(first, std::move(second));
  EXPECT_EQ(first.verdict, Verdict::fail);
  EXPECT_EQ(first.message, "why");
  EXPECT_EQ(first.cases, 15);
  EXPECT_EQ(first.utilisation, 0.75);
  CheckResult third;
  third.verdict = Verdict::pass;
  merge(first, std::move(third));
  EXPECT_EQ(first.verdict, Verdict::fail);
}

TEST(Results, UtilisationOfAnExactBound) {
  EXPECT_EQ((UtilisationSample{"", 0, 0}.utilisation()), 0);
  EXPECT_TRUE(std::isinf(UtilisationSample{"", 1, 0}.utilisation()));
}

}  // namespace
}  // namespace assay::validation
