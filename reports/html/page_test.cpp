#include <gtest/gtest.h>

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
  EXPECT_EQ(links, 12);
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
  EXPECT_EQ(occurrences(comparison, "class=\"forest\""), 8u);
  EXPECT_TRUE(has(comparison, "exceeds 1.10"));
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
  test::Night broken{1};
  broken.broken = true;
  EXPECT_TRUE(has(html::mutants(test::night(broken)), "7 of 8 planted faults were caught"));
  EXPECT_TRUE(has(html::mutants(test::night(broken)), ">0 / 1</span>"));
  EXPECT_TRUE(has(html::mutants(RunRecord{}), "No planted fault was run"));
  EXPECT_TRUE(has(html::roofline(RunRecord{}), "No benchmark"));
}

}  // namespace
}  // namespace assay::reports
