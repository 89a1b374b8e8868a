#include "reports/calibration.hpp"

#include <gtest/gtest.h>

#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"
#include "reports/report.hpp"
#include "reports/statistics.hpp"
#include "reports/test_inputs.hpp"

namespace assay::reports {
namespace {

using test::has;

// Clopper and Pearson's bound solves a binomial tail, which has a closed form at both ends.
TEST(RateUpperBound, AgreesWithKnownValues) {
  EXPECT_NEAR(rate_upper_bound(0, 100'000), 2.9957e-5, 1e-9);  // 3/n, exactly 1 - 0.05^(1/n)
  EXPECT_NEAR(rate_upper_bound(0, 10), 0.25887, 1e-5);         // tables of the binomial distribution
  EXPECT_NEAR(rate_upper_bound(1, 10), 0.39416, 1e-5);
  EXPECT_NEAR(rate_upper_bound(5, 10), 0.77756, 1e-5);
  EXPECT_NEAR(rate_upper_bound(9, 10), std::pow(0.95, 0.1), 1e-12);  // P(X <= 9) = 1 - p^10
  EXPECT_NEAR(rate_upper_bound(2, 100), 0.0616, 1e-4);
  EXPECT_NEAR(rate_upper_bound(0, 10, 0.99), 1 - std::pow(0.01, 0.1), 1e-12);
  EXPECT_EQ(rate_upper_bound(10, 10), 1.0);
  EXPECT_EQ(rate_upper_bound(0, 0), 1.0);
}

Calibration counted(const std::string& operation, std::int64_t trials, std::int64_t failures,
                    double utilisation) {
  Calibration item;
  item.operation = operation;
  item.name = "p";
  item.backend = "cpu";
  item.trials = trials;
  item.failures = failures;
  item.utilisation = utilisation;
  return item;
}

RunRecord calibrated(const std::string& when, std::vector<Calibration> items) {
  RunRecord record;
  record.run = test::run(when);
  record.run.command = calibrate_command;
  record.calibrations = std::move(items);
  return record;
}

TEST(Tallies, AddUpOverRunsOfOneStateAndOverNoOther) {
  std::vector<RunRecord> runs{calibrated("2025-03-01T00:00:00Z", {counted("te.knn", 100, 0, 0.2)}),
                              calibrated("2025-03-02T00:00:00Z", {counted("te.ksg", 50, 1, 0.7)}),
                              calibrated("2025-03-03T00:00:00Z", {counted("te.ksg", 7, 0, 0.1)}),
                              calibrated("2025-03-04T00:00:00Z", {counted("te.ksg", 9, 0, 0.1)})};
  runs[2].run.dirty = true;
  runs[3].run.commit = "another";
  const auto by_family = tallies(runs, CalibrationSubject::false_reds,
                                 [](const Calibration& item) { return family_of(item.operation); });
  ASSERT_EQ(by_family.size(), 3u);
  EXPECT_EQ(by_family[0].commit, "another");  // the newest first
  EXPECT_EQ(by_family[1].trials, 7);
  EXPECT_EQ(by_family[2].trials, 150);
  EXPECT_EQ(by_family[2].failures, 1);
  EXPECT_EQ(by_family[2].utilisation, 0.7);
  EXPECT_EQ(by_family[2].when, "2025-03-02T00:00:00Z");
  EXPECT_TRUE(tallies(runs, CalibrationSubject::replay, [](const auto&) { return ""; }).empty());
}

TEST(CalibrationSection, SaysWhatToRunWhereThereIsNothing) {
  const std::string page = html::calibration(ReportInput{});
  for (const char* command :
       {"assay calibrate false-reds", "assay calibrate replays", "assay mutate --record",
        "assay calibrate mechanical F", "assay calibrate exploits", "assay calibrate budget", "assay aa",
        "assay aa --planted"})
    EXPECT_TRUE(has(page, "no data yet: run <code>" + std::string(command)) ||
                has(page, std::string(command) + "</code>"))
        << command;
}

TEST(CalibrationSection, ShowsCountsBoundsAndWhatFailed) {
  ReportInput input;
  Calibration replay = test::full_record().calibrations[0];
  replay.trials = 1;
  replay.failures = 0;
  replay.message.clear();
  replay.notes = {{"elements", "9"}, {"non_zeros", "70"}, {"shrunk_to_end", "yes"}, {"inputs", "te.knn: x"}};
  Calibration worse = replay;
  worse.failures = 1;
  worse.message = "the case passes now";
  Calibration dense = replay;
  dense.notes["dense_because"] = "no argument may be 0";
  Calibration budget;
  budget.subject = CalibrationSubject::budget;
  budget.name = "20s";
  budget.value = 21.5;
  budget.limit = 20.0;
  budget.failures = 1;
  Calibration drawn;
  drawn.subject = CalibrationSubject::mechanical;
  drawn.name = "kernels/te/knn.cpp";
  drawn.trials = 20;
  drawn.failures = 3;
  Calibration itself;
  itself.subject = CalibrationSubject::false_changes;
  itself.name = "relinked";
  itself.trials = 1000;
  itself.notes = {
      {"measure", "cpu"}, {"runs", "25"}, {"changed_runs", "0"}, {"same", "953"}, {"alarms", "0"}};
  Calibration planted;
  planted.subject = CalibrationSubject::slowdowns;
  planted.name = "memory, 5 %";
  planted.trials = 40;
  planted.failures = 1;
  input.calibrations = {calibrated("2025-03-01T00:00:00Z", {counted("te.knn", 100'000, 0, 0.2), replay, worse,
                                                            dense, budget, drawn, itself, planted})};
  const std::string page = html::calibration(input);
  EXPECT_TRUE(has(page, "100,000"));
  EXPECT_TRUE(has(page, "3.00e-05"));
  EXPECT_TRUE(has(page, "2 of 3"));  // replays
  EXPECT_TRUE(has(page, "0 of 2"));  // at most 64 non-zeros
  EXPECT_TRUE(has(page, "1 beside them can have no fewer"));
  EXPECT_TRUE(has(page, "no argument may be 0"));
  EXPECT_TRUE(has(page, "the case passes now"));
  EXPECT_TRUE(has(page, "+7.5 %"));
  EXPECT_TRUE(has(page, ">missed</span>"));
  EXPECT_TRUE(has(page, "17 of 20 mutations"));
  EXPECT_TRUE(has(page, "95.3 %"));
  EXPECT_TRUE(has(page, "11.3 %"));  // 0 of 25 runs: 1 - 0.05^(1/25)
  EXPECT_TRUE(has(page, "39 of 40"));
  EXPECT_EQ(test::markup_problem(page, true), "");
}

TEST(MessageHtml, DrawsThePictureOfDifferences) {
  const std::string html = html::message_html(
      "output y <wrong>\n4 rows x 3 columns, a cell up to 1 x 1: '.' some are wrong, '+' half or more, '#' "
      "all\n"
      "       0 |#. |\n       1 | + |\n");
  EXPECT_TRUE(has(html, "output y &lt;wrong&gt;"));
  EXPECT_TRUE(has(html, "Where it differs: 4 rows x 3 columns, a cell up to 1 x 1<"));
  EXPECT_EQ(test::occurrences(html, "<rect"), 6u);
  EXPECT_EQ(test::occurrences(html, "<rect class=\"all\""), 1u);
  EXPECT_EQ(test::occurrences(html, "<rect class=\"some\""), 1u);
  EXPECT_EQ(test::occurrences(html, "<rect class=\"half\""), 1u);
  EXPECT_EQ(test::markup_problem(html, false), "");
  EXPECT_EQ(html::message_html("one <line>"), "one &lt;line&gt;");
  EXPECT_TRUE(has(html::message_html("one\ntwo | x |"), "<pre>one\ntwo | x |</pre>"));
}

}  // namespace
}  // namespace assay::reports
