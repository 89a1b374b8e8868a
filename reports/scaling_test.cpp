#include "reports/scaling.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "reports/test_records.hpp"

namespace assay::reports {
namespace {

Benchmark at(const std::string& label, double median_ns, std::map<std::string, double> axes) {
  Benchmark made = test::benchmark(label, median_ns);
  made.median_ns = median_ns;
  made.size_name = "N";
  made.problem_size = axes.empty() ? 0.0 : axes.begin()->second;
  made.axes = std::move(axes);
  return made;
}

RunRecord record_of(std::vector<Benchmark> benchmarks) {
  RunRecord record;
  record.benchmarks = std::move(benchmarks);
  return record;
}

TEST(Scaling, GroupsWhatDiffersInOneNumberAlone) {
  const RunRecord record = record_of(
      {at("n=200,d=3", 2, {{"n", 200}, {"d", 3}}), at("n=100,d=3", 1, {{"n", 100}, {"d", 3}}),
       at("n=100,d=5", 4, {{"n", 100}, {"d", 5}}), at("n=100,d=3,search=tree", 5, {{"n", 100}, {"d", 3}}),
       at("n=300,d=7", 6, {{"n", 300}, {"d", 7}})});
  const auto all = growths(record);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].axis, "n");
  EXPECT_TRUE(all[0].of_size);
  EXPECT_EQ(all[0].fixed, "d=3");
  EXPECT_EQ(all[0].at, (std::vector<double>{100, 200}));
  EXPECT_EQ(all[0].points[0], &record.benchmarks[1]);
  EXPECT_EQ(all[1].axis, "d");
  EXPECT_FALSE(all[1].of_size);
  EXPECT_EQ(all[1].fixed, "n=100");
}

TEST(Scaling, LeavesOutWhatMayNotBeUsed) {
  auto benchmarks = std::vector{at("n=1", 1, {{"n", 1}}), at("n=2", 2, {{"n", 2}}), at("n=3", 3, {{"n", 3}}),
                                at("n=4", 4, {{"n", 4}})};
  benchmarks[0].validity = Validity::invalid;
  benchmarks[1].impossible = true;
  benchmarks[2].median_ns = 0;
  EXPECT_TRUE(growths(record_of(benchmarks)).empty());
}

TEST(Scaling, KnowsTheSizeOfOlderRecords) {
  auto benchmarks = std::vector{at("n=10,k=4", 1, {}), at("n=20,k=4", 2, {})};
  benchmarks[0].problem_size = 10;
  benchmarks[1].problem_size = 20;
  const auto record = record_of(benchmarks);
  const auto all = growths(record);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].axis, "n");
  EXPECT_EQ(all[0].fixed, "k=4");
}

TEST(Scaling, FitsTheExponent) {
  std::vector<Benchmark> benchmarks;
  for (const double n : {10.0, 30.0, 100.0, 1000.0})
    benchmarks.push_back(at("n=" + std::to_string(n), 7 * std::pow(n, 1.25), {{"n", n}}));
  RunRecord record = record_of(benchmarks);
  auto measured = fit(growths(record).at(0));
  EXPECT_NEAR(measured->exponent, 1.25, 1e-12);
  EXPECT_NEAR(measured->error, 0, 1e-7);
  EXPECT_NEAR(std::exp(measured->level - 1.25 * measured->mean_log_x), 7, 1e-9);
  // Residuals of + and - e at the ends and middle of three places, one apart: the slope stays, and its
  // standard error is sqrt(6 e^2 / 1 / 2) by hand.
  record = record_of({at("n=1", std::exp(0.1), {{"n", 1}}), at("n=2", std::exp(-0.2), {{"n", std::exp(1.0)}}),
                      at("n=3", std::exp(0.1), {{"n", std::exp(2.0)}})});
  measured = fit(growths(record).at(0));
  EXPECT_NEAR(measured->exponent, 0, 1e-12);
  EXPECT_NEAR(measured->error, std::sqrt(0.06 / 1 / 2), 1e-12);
}

TEST(Scaling, PredictsOursAndNoSideOfAChoice) {
  RunRecord record =
      record_of({at("n=1", 1, {{"n", 1}}), at("n=2", 2, {{"n", 2}}), at("n=1,search=tree", 1, {{"n", 1}}),
                 at("n=2,search=tree", 2, {{"n", 2}}), at("n=1", 1, {{"n", 1}}), at("n=2", 2, {{"n", 2}})});
  record.benchmarks[4].peer = record.benchmarks[5].peer = "JIDT";
  record.operations.resize(1);
  record.operations[0].name = "te.ksg";
  record.operations[0].scalings = {{"n", 1.5, "because"}};
  const auto all = growths(record);
  ASSERT_EQ(all.size(), 3u);
  int predicted = 0;
  for (const Growth& growth : all)
    if (const auto found = prediction_for(record, growth)) {
      ++predicted;
      EXPECT_EQ(found->exponent, 1.5);
      EXPECT_EQ(growth.peer + growth.fixed, "");
    }
  EXPECT_EQ(predicted, 1);
}

}  // namespace
}  // namespace assay::reports
