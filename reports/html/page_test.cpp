#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "reports/format.hpp"
#include "reports/html/sections.hpp"
#include "reports/test_inputs.hpp"

namespace assay::reports {
namespace {

using test::after_nights;
using test::bad_night;
using test::has;
using test::hostile;
using test::occurrences;

TEST(HtmlReport, IsWellFormedAndNeedsNoNetwork) {
  for (const auto& input : {bad_night(), after_nights({{0}}), hostile(), ReportInput{}}) {
    const std::string page = html_report(input);
    EXPECT_EQ(test::markup_problem(page, true), "");
    EXPECT_EQ(occurrences(page, "<script"), 1u);
    EXPECT_FALSE(has(page, "<img"));
    EXPECT_FALSE(has(page, "<link"));
    EXPECT_FALSE(has(page, "http://"));
    EXPECT_FALSE(has(page, "https://"));
    EXPECT_FALSE(has(page, "@import"));
    EXPECT_FALSE(has(page, "url("));
    EXPECT_EQ(occurrences(page, "href=\""), occurrences(page, "href=\"#"));
    EXPECT_TRUE(has(page, "default-src 'none'"));
    EXPECT_TRUE(has(page, "prefers-color-scheme: dark"));
    EXPECT_TRUE(has(page, "width=device-width"));
  }
}

TEST(HtmlReport, EveryLinkHasItsSection) {
  const std::string page = html_report(bad_night());
  const std::regex link("href=\"#([a-z]+)\"");
  int links = 0;
  for (std::sregex_iterator it(page.begin(), page.end(), link), end; it != end; ++it, ++links)
    EXPECT_EQ(occurrences(page, "<section id=\"" + (*it)[1].str() + "\""), 1u) << (*it)[1];
  EXPECT_EQ(links, 13);
}

TEST(HtmlReport, TheBannerCountsWhatTheGateCounted) {
  const ReportInput input = bad_night();
  const std::string page = html::banner(input);
  const auto tile = [&](const std::string& name, int count) {
    EXPECT_TRUE(has(page, "<b>" + std::to_string(count) + "</b> <span>" + name + "</span>")) << name << page;
  };
  tile("pass", input.gate.count(Verdict::pass));
  tile("fail", 1);
  tile("regressed", 1);
  tile("waived", 0);
  tile("inconclusive", 0);
  tile("vacuous", 0);
  tile("not executed", 1);
  EXPECT_TRUE(has(page, "Red: 2 incorrect, 1 regressed"));
  EXPECT_TRUE(has(page, "Exit code 3 (incorrect)"));
}

TEST(HtmlReport, AnOperationWithoutDataIsShownAsHavingNone) {
  const std::string table = html::operations(test::night({0}));
  EXPECT_TRUE(has(table, "<b>te.range_count</b>"));
  EXPECT_EQ(occurrences(table, ">no data</span>"), 1u);
  EXPECT_EQ(occurrences(table, ">not executed</span>"), 1u);  // dense.softmax on cuda
  EXPECT_TRUE(has(table, "no CUDA device"));
  EXPECT_TRUE(has(html::operations(RunRecord{}), "No operations were listed"));
}

TEST(HtmlReport, AnOperationIsOneBlockWithItsBackends) {
  RunRecord record = test::night({0});
  record.operations[0].cuda_body = "cuda-only";
  const std::string table = html::operations(record);
  EXPECT_EQ(occurrences(table, "<tbody>"), record.operations.size());
  EXPECT_EQ(occurrences(table, "<tr class=\"title\">"), record.operations.size());
  EXPECT_EQ(occurrences(table, "no CUDA body"), 3u);
  EXPECT_EQ(occurrences(table, "a CUDA body of its own"), 1u);
  EXPECT_EQ(occurrences(table, "one body for CPU and CUDA"), 1u);
  // The largest case, not the one that took least.
  EXPECT_EQ(occurrences(table, "n=30000,<wbr>k=4"), 2u);
  EXPECT_FALSE(has(table, "n=1000,<wbr>k=4"));
  EXPECT_EQ(occurrences(table, " items/s"), 2u);
  EXPECT_EQ(occurrences(table, ">not timed<"), 4u);  // digamma, range_count, softmax on both
}

TEST(HtmlReport, TheReferenceIsTheTruthAndNeverWithoutData) {
  RunRecord record;
  record.operations = {test::operation("te.ksg", "", "none")};
  record.operations[0].backends = {"cpu", "reference"};
  record.checks = {test::check("a")};
  std::string table = html::operations(record);
  EXPECT_TRUE(has(table, ">the truth</span>"));
  EXPECT_TRUE(has(table, "the truth the others are checked against"));
  EXPECT_FALSE(has(table, "no data"));
  record.checks.push_back(test::check("golden_case", Verdict::pass, "reference"));
  record.checks.back().kind = CheckKind::golden;
  record.checks.back().against = "golden te";
  table = html::operations(record);
  EXPECT_TRUE(has(table, "its own checks: golden data 1 / 1"));
  EXPECT_EQ(occurrences(table, ">checked</span>"), 2u);
  record.checks.back().verdict = Verdict::fail;
  EXPECT_TRUE(has(html::operations(record), "badge bad\">wrong</span>"));
}

TEST(HtmlReport, AShareBeyondTheRoofIsNamedForWhatItIs) {
  RunRecord record = test::night({0});
  for (Benchmark& benchmark : record.benchmarks) benchmark.roofline_share = 0.5;
  EXPECT_FALSE(has(html::roofline(record), "In cache:"));
  record.benchmarks[0].roofline_share = 1.72;  // warm
  record.benchmarks[1].roofline_share = 1.03;
  record.benchmarks[1].cache = "cold: 4 buffer sets in turn";
  const std::string table = html::benchmarks(record);
  EXPECT_EQ(occurrences(table, ">in cache</span>"), 1u);
  EXPECT_EQ(occurrences(table, ">above the ceiling</span>"), 1u);
  EXPECT_EQ(occurrences(table, "width:100.0%"), 2u);
  EXPECT_EQ(occurrences(html::roofline(record), "In cache:"), 1u);
}

TEST(HtmlReport, BeginsWithWhatAReaderWantsFirst) {
  ReportInput input = bad_night();
  std::string page = html::banner(input);
  EXPECT_TRUE(has(page,
                  "<b>Checked:</b> 4 of 5 operations on cpu, 0 of 1 operation on cuda against the "
                  "reference; 6 of 6 golden cases; 1 other property; 1 check not executed (no CUDA "
                  "device)."))
      << page;
  EXPECT_TRUE(has(page, "<b>Measured:</b> 8 benchmarks, 4 of peers; against the baseline 1 slower"));
  EXPECT_TRUE(has(page, "<b>Since the last run:</b> 1 other verdict, "));
  EXPECT_TRUE(has(page, "<b>Planted faults:</b> 7 of 8 were caught by the checks."));
  input.run.run.environment.facts["cpu"] = "Another CPU";
  input.run.benchmarks[0].validity = Validity::invalid;
  page = html::banner(input);
  EXPECT_TRUE(has(page, "1 other verdict; another environment, so times are not compared (run of "));
  EXPECT_TRUE(has(page, ", 1 invalid;"));
  input.previous = input.run;
  EXPECT_TRUE(has(html::banner(input), "nothing changed (run of "));
  EXPECT_TRUE(has(html::banner(ReportInput{}), "no operation was listed; no golden cases"));
  EXPECT_TRUE(has(html::banner(ReportInput{}), "nothing was timed."));
  EXPECT_TRUE(has(html::banner(ReportInput{}), "this is the first run of its kind"));
}

TEST(HtmlReport, FindingsAndComparisonsAreWorstFirst) {
  const ReportInput input = bad_night();
  const std::string findings = html::findings(input);
  EXPECT_TRUE(has(findings, "assay replay te.ksg-symmetry-cpu-42.json"));
  EXPECT_TRUE(has(findings, "a planted fault was not caught"));
  const std::string comparison = html::comparison(input);
  EXPECT_LT(comparison.find(">regressed<"), comparison.find(">same<"));
  for (const GateItem& item : input.gate.items)
    if (item.ratio) {
      EXPECT_TRUE(has(comparison, format_time(item.median_ns))) << item.key;
    }
  EXPECT_EQ(occurrences(comparison, "<figure class=\"forest\">"), 1u);
  EXPECT_EQ(occurrences(comparison, "aria-label=\"ratio "), 8u);
  EXPECT_TRUE(has(comparison, "exceeds 1.10"));
}

TEST(HtmlReport, TheForestPlotPutsRatiosOnOneAxis) {
  ReportInput input;
  input.gate.margin = 0.1;
  const auto add = [&](double low, double value, double high) {
    input.gate.items.push_back(
        {GateVerdict::same, "benchmark", "k", "", 1, 1, Ratio{value, {low, high}}, ""});
  };
  add(1.0, 2.0, 4.0);  // as wide as the axis may be
  add(0.5, 1.0, 8.0);  // ends at its edge
  const std::string plot = html::comparison(input);
  EXPECT_TRUE(has(
      plot, "class=\"bar\" style=\"left:50.00%;width:50.00%\"></i><i class=\"dot\" style=\"left:75.00%\""))
      << plot;
  EXPECT_TRUE(has(
      plot, "class=\"bar\" style=\"left:25.00%;width:75.00%\"></i><i class=\"dot\" style=\"left:50.00%\""));
  EXPECT_TRUE(has(plot, "faster 0.25"));
  EXPECT_TRUE(has(plot, "4.00 slower"));
  for (int i = 0; i < 50; ++i) add(0.9, 1.0, 1.1);
  EXPECT_EQ(occurrences(html::comparison(input), "aria-label=\"ratio "), 40u);
  EXPECT_TRUE(has(html::comparison(input), "And 12 more in the table"));
}

TEST(HtmlReport, SaysWhatChangedSinceTheLastRun) {
  ReportInput input = bad_night();
  input.run.checks.erase(input.run.checks.begin() + 5);
  input.run.operations.pop_back();
  input.run.benchmarks.pop_back();
  const std::string text = html::changes(input);
  EXPECT_TRUE(has(text, ">check gone<"));
  EXPECT_TRUE(has(text, ">operation gone<"));
  EXPECT_TRUE(has(text, ">benchmark gone<"));
  EXPECT_TRUE(has(text, ">slower<"));
  EXPECT_TRUE(has(text, "pass</span> → <span class=\"badge bad\">fail"));
  std::swap(input.run, *input.previous);
  const std::string reverse = html::changes(input);
  EXPECT_TRUE(has(reverse, ">new check<"));
  EXPECT_TRUE(has(reverse, ">new operation<"));
  EXPECT_TRUE(has(reverse, ">new benchmark<"));
  EXPECT_TRUE(has(reverse, ">faster<"));
  input.run = *input.previous;
  EXPECT_TRUE(has(html::changes(input), "Nothing changed."));
  input.run.run.environment.facts["cpu"] = "Another CPU";
  EXPECT_TRUE(
      has(html::changes(input), "times are not compared: cpu: Example CPU 3.0 GHz -&gt; Another CPU"));
  EXPECT_TRUE(has(html::environment(input), "another than in the last run"));
  input.previous.reset();
  EXPECT_TRUE(has(html::changes(input), "nothing before it"));
}

TEST(HtmlReport, HistoryMarksEachChangePointWithItsCommits) {
  std::vector<test::Night> nights;
  for (int i = 0; i < 16; ++i) {
    nights.push_back({i});
    if (i >= 9) nights.back().slowdown = 1.5;
  }
  const ReportInput input = after_nights(nights);
  ASSERT_FALSE(input.change_points.empty());
  const ChangePoint& point = input.change_points.front();
  EXPECT_EQ(point.sequence_after, 10);
  const std::string text = html::history(input);
  // Once in the table; and at its place in the plot of its case and in no other.
  EXPECT_TRUE(has(text, "<code class=\"key\">" + commit_range(point) + "</code>")) << commit_range(point);
  EXPECT_EQ(occurrences(text, "class=\"marker finding\""), input.change_points.size());
  EXPECT_EQ(occurrences(text, ", " + commit_range(point) + "</title>"), input.change_points.size());
  EXPECT_TRUE(has(json_report(input), "\"commit_range\": \"" + commit_range(point)));
  ReportInput quiet = input;
  quiet.change_points.clear();
  EXPECT_TRUE(has(html::history(quiet), "No change point"));
  EXPECT_EQ(occurrences(html::history(quiet), "class=\"marker finding\""), 0u);
}

TEST(HtmlReport, HistoryHasGapsAndMarksTheMachine) {
  std::vector<test::Night> nights;
  for (int i = 0; i < 8; ++i) nights.push_back({i});
  nights[0].old_machine = nights[1].old_machine = true;
  ReportInput input = after_nights(nights);
  for (BenchmarkPoint& point : input.history.benchmarks)
    if (point.sequence == 5 && point.label == "n=1000,k=4") point.validity = Validity::invalid;
  const std::string text = html::history(input);
  EXPECT_EQ(occurrences(text, "<figure"), 8u);
  EXPECT_EQ(occurrences(text, ">environment changed<"), 8u);
  // Two nights, a new machine, two nights, an invalid one, three nights: three pieces of line.
  const auto path = text.find("<path d=\"", text.find("te.ksg · n=1000,k=4"));
  EXPECT_EQ(occurrences(text.substr(path, text.find("\"/>", path) - path), "M"), 3u);
  EXPECT_TRUE(has(html::history(after_nights({{0}})), "One run so far"));
  EXPECT_TRUE(has(html::history(ReportInput{}), "No run of this branch"));
  EXPECT_EQ(occurrences(html::utilisation(input), "<figure"), 4u);
}

TEST(HtmlReport, ShowsPeersRooflineAccuracyAndFaults) {
  const RunRecord record = test::night({0});
  EXPECT_EQ(occurrences(html::benchmarks(record), "x faster"), 4u);
  const std::string sizes = html::sizes(record);
  EXPECT_TRUE(has(sizes, "te.ksg · time over N"));
  EXPECT_TRUE(has(sizes, "JIDT · k=4"));
  const std::string roofline = html::roofline(record);
  EXPECT_TRUE(has(roofline, "fma rate: 84 GFLOP/s"));
  EXPECT_EQ(occurrences(roofline, "<circle"), 8u);  // ours only
  const std::string accuracy = html::accuracy(record);
  EXPECT_TRUE(has(accuracy, "histogram, 12 bins"));
  EXPECT_TRUE(has(accuracy, "true value"));
  EXPECT_TRUE(has(accuracy, ">error of the histogram<"));
  EXPECT_TRUE(has(accuracy, "te.ksg · cpu · analytic coverage"));
  RunRecord unordered = record;
  for (Check& check : unordered.checks) {
    for (Series& series : check.series) {
      std::reverse(series.points.begin(), series.points.end());
      std::reverse(series.y_error.begin(), series.y_error.end());
    }
    if (check.table) check.table->rows[0][2] = "-0.0000";
  }
  const std::string same = html::accuracy(unordered);
  const auto figure_of = [](const std::string& html) { return html.substr(0, html.find("</figure>")); };
  EXPECT_EQ(figure_of(same), figure_of(accuracy));
  EXPECT_TRUE(has(same, ">0.0000<"));
  EXPECT_FALSE(has(same, "-0.0000"));
  test::Night broken{1};
  broken.broken = true;
  EXPECT_TRUE(has(html::mutants(test::night(broken)), "7 of 8 planted faults were caught"));
  EXPECT_TRUE(has(html::mutants(test::night(broken)), ">0 / 1</span>"));
  EXPECT_TRUE(has(html::mutants(RunRecord{}), "No planted fault was run"));
  EXPECT_TRUE(has(html::roofline(RunRecord{}), "No benchmark"));
}

Benchmark at(const std::string& label, double median_ns, std::map<std::string, double> axes) {
  Benchmark made = test::benchmark(label, median_ns);
  made.median_ns = median_ns;
  made.problem_size = axes.begin()->second;
  made.axes = std::move(axes);
  return made;
}

TEST(HtmlReport, ShowsMeasuredExponentsBesideThePredictedOnes) {
  RunRecord record;
  record.operations = {test::operation("te.ksg", "", "none")};
  record.operations[0].scalings = {{"variables", 2.0, "every pair"}, {"n", 1.5, "a walk"}};
  for (const double v : {10.0, 20.0, 40.0}) {
    const std::string label = "variables=" + std::to_string(static_cast<int>(v)) + ",n=1000";
    record.benchmarks.push_back(at(label, 1e3 * v * v, {{"variables", v}, {"n", 1000.0}}));
    record.benchmarks.push_back(at(label + ",search=sorted", 1e3 * v, {{"variables", v}, {"n", 1000.0}}));
  }
  const std::string text = html::sizes(record);
  EXPECT_EQ(occurrences(text, "<figure"), 1u);  // n has one place
  EXPECT_TRUE(has(text, "te.ksg · time over variables"));
  EXPECT_TRUE(has(text, "predicted, variables^2"));
  EXPECT_EQ(occurrences(text, "2.00 ± 0.00"), 1u);
  EXPECT_EQ(occurrences(text, "1.00 ± 0.00"), 1u);  // the other side, for which nothing is predicted
  EXPECT_EQ(occurrences(text, "every pair"), 1u);
}

TEST(HtmlReport, MarksAChoiceThatCostsMoreThanATenth) {
  RunRecord record;
  const auto add = [&](const std::string& label, double median_ns, const char* chosen) {
    record.benchmarks.push_back(at(label, median_ns, {{"n", 1.0}}));
    if (chosen != nullptr) record.benchmarks.back().chosen = {{"search", chosen}};
  };
  add("n=1", 1000, "sorted");
  add("n=1,search=sorted", 1000, nullptr);
  add("n=1,search=tree", 2000, nullptr);
  add("n=2", 3000, "sorted");
  add("n=2,search=sorted", 1050, nullptr);
  add("n=2,search=tree", 1000, nullptr);
  add("n=3", 1000, "sorted");
  add("n=3,search=sorted", 1300, nullptr);
  add("n=3,search=tree", 1000, nullptr);
  add("n=4", 500, "sorted");  // nothing beside it
  const std::string text = html::choices(record);
  EXPECT_EQ(occurrences(text, "<tr"), 4u);
  EXPECT_EQ(occurrences(text, "badge good\">fastest<"), 1u);
  EXPECT_EQ(occurrences(text, "badge good\">5 % slower<"), 1u);
  EXPECT_EQ(occurrences(text, "badge warn\">30 % slower<"), 1u);
  EXPECT_EQ(html::choices(test::night({0})), "");
}

}  // namespace
}  // namespace assay::reports
