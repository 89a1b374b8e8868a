#include "reports/report.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "reports/html/sections.hpp"
#include "reports/jsonl.hpp"
#include "reports/operation_state.hpp"
#include "reports/test_inputs.hpp"

namespace assay::reports {
namespace {

using nlohmann::json;
using test::after_nights;
using test::bad_night;
using test::has;
using test::hostile;
using test::occurrences;

TEST(Report, RecordedDevicesAreReadAndLabelled) {
  const test::Folder folder;
  std::filesystem::create_directories(folder.path() / "h200");
  std::filesystem::create_directories(folder.path() / "empty");
  test::Night night{5};
  night.with_device = true;
  const RunRecord newer = test::night(night);
  {
    std::ofstream out(folder.path() / "h200" / "2025-03-06-abc.jsonl");
    write_json_lines(out, newer);
    out << "{oops\n";
    std::ofstream(folder.path() / "h200" / "README.md") << "not a record";
    std::ofstream older(folder.path() / "h200" / "zz.jsonl");
    write_json_lines(older, test::night({2}));
  }
  const auto devices = read_recorded(folder.path());
  ASSERT_EQ(devices.size(), 1u);
  ASSERT_EQ(devices[0].runs.size(), 2u);
  EXPECT_EQ(devices[0].runs.back(), newer);
  ASSERT_EQ(devices[0].problems.size(), 1u);
  EXPECT_TRUE(has(devices[0].problems[0], "2025-03-06-abc.jsonl:")) << devices[0].problems[0];

  const ReportInput input = after_nights({{0}}, folder.path());
  const std::string page = html::recorded(input);
  EXPECT_TRUE(has(page, "Recorded on h200"));
  EXPECT_TRUE(has(page, "Measured on NVIDIA H200"));
  EXPECT_TRUE(has(page, "not by this run"));
  EXPECT_TRUE(has(page, "Not part of this record: te.range_count."));
  EXPECT_TRUE(has(page, "Not read: "));
  EXPECT_TRUE(has(markdown_report(input), "Recorded on h200"));
  EXPECT_TRUE(read_recorded(folder.path() / "none").empty());
  EXPECT_TRUE(has(html::recorded(ReportInput{}), "No run of another device"));
}

TEST(JunitReport, CountsAgreeAndTheXmlIsWellFormed) {
  for (const auto& input : {bad_night(), hostile()}) {
    const std::string xml = junit_report(input);
    EXPECT_EQ(test::markup_problem(xml, false), "");
    EXPECT_EQ(xml.find('\x01'), std::string::npos);
    EXPECT_FALSE(has(xml, "\xff"));
  }
  const ReportInput input = bad_night();
  const std::string xml = junit_report(input);
  std::smatch totals;
  ASSERT_TRUE(std::regex_search(xml, totals,
                                std::regex("<testsuites name=\"assay\" tests=\"(\\d+)\" failures=\"(\\d+)\" "
                                           "errors=\"(\\d+)\" skipped=\"(\\d+)\"")));
  EXPECT_EQ(std::stoul(totals[1]), occurrences(xml, "<testcase "));
  EXPECT_EQ(std::stoul(totals[2]), occurrences(xml, "<failure "));
  EXPECT_EQ(std::stoul(totals[3]), occurrences(xml, "<error "));
  EXPECT_EQ(std::stoul(totals[4]), occurrences(xml, "<skipped "));
  EXPECT_EQ(occurrences(xml, "<failure "), 3u);  // a check, a fault that survived, a regression
  EXPECT_TRUE(has(xml, "assay replay te.ksg-symmetry-cpu-42.json"));
}

TEST(JunitReport, EveryVerdictHasItsElement) {
  ReportInput input;
  for (int i = 0; i < verdict_count; ++i)
    input.run.checks.push_back(test::check("p" + std::to_string(i), static_cast<Verdict>(i)));
  input.run.checks.push_back(test::check("empty"));
  input.run.checks.back().cases = 0;
  GateItem unclear;
  unclear.verdict = GateVerdict::inconclusive;
  unclear.subject = "benchmark";
  GateItem same = unclear;
  same.verdict = GateVerdict::same;
  input.gate.items = {unclear, same};
  const std::string xml = junit_report(input);
  EXPECT_EQ(occurrences(xml, "<failure "), 4u);  // fail, xpass, vacuous, and a pass that ran nothing
  EXPECT_EQ(occurrences(xml, "<error "), 2u);    // crashed, timeout
  EXPECT_EQ(occurrences(xml, "<skipped "), 4u);  // xfail, unsupported, not executed, inconclusive
}

TEST(MetricsReport, IsValidPrometheusText) {
  const std::string name = "[a-zA-Z_:][a-zA-Z0-9_:]*";
  const std::regex sample("(" + name + ")(\\{" + name + "=\"([^\"\\\\\\n]|\\\\[\\\\n\"])*\"(," + name +
                          "=\"([^\"\\\\\\n]|\\\\[\\\\n\"])*\")*\\})? (NaN|[+-]Inf|-?[0-9.]+(e[+-]?[0-9]+)?)");
  const std::regex comment("# (HELP|TYPE) (" + name + ") (.+)");
  for (auto input : {bad_night(), hostile()}) {
    input.run.checks[0].utilisation = std::nan("");
    const std::string text = metrics_report(input);
    ASSERT_EQ(text.back(), '\n');
    std::set<std::string> declared, seen;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::smatch match;
      if (std::regex_match(line, match, comment)) {
        declared.insert(match[1].str() + match[2].str());
        continue;
      }
      ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
      EXPECT_TRUE(declared.count("TYPE" + match[1].str())) << line;
      EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second) << "twice: " << line;
    }
    EXPECT_GT(seen.size(), 10u);
  }
  const std::string text = metrics_report(bad_night());
  EXPECT_TRUE(has(text, "\nassay_gate_exit_code 3\n"));
  EXPECT_TRUE(has(text, "assay_checks{operation=\"te.ksg\",backend=\"cpu\",verdict=\"fail\"} 1\n"));
  EXPECT_TRUE(has(text, "assay_mutants{operation=\"te.knn\",backend=\"cpu\",status=\"missed\"} 1\n"));
}

// Prometheus's own reader and its lint, where they are there (Debian's package prometheus).
TEST(MetricsReport, PromtoolHasNoComplaint) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  const test::Folder folder;
  const auto complaints = [&](const std::string& text) {
    std::ofstream(folder.file("metrics.prom"), std::ios::binary) << text;
    const std::string said = folder.file("said");
    const int status = std::system(
        ("promtool check metrics <" + folder.file("metrics.prom") + " >" + said + " 2>&1").c_str());
    std::stringstream out;
    out << std::ifstream(said).rdbuf();
    return status == 0 ? out.str() : "refused: " + out.str();
  };
  for (const auto& input : {bad_night(), hostile(), ReportInput{}})
    EXPECT_EQ(complaints(metrics_report(input)), "");
  const std::string good = metrics_report(bad_night());
  EXPECT_NE(complaints(good.substr(0, good.rfind('"')) + "\n"), "");
  EXPECT_NE(complaints("# TYPE assay_runs_milliseconds gauge\nassay_runs_milliseconds 3\n"),
            "");  // no base unit, no help
}

TEST(JsonReport, HoldsTheRunAndTheVerdict) {
  const ReportInput input = bad_night();
  const json report = json::parse(json_report(input));
  EXPECT_EQ(report["schema"], report_schema_version);
  EXPECT_EQ(report["run"].get<reports::Run>(), input.run.run);
  EXPECT_EQ(report["checks"].get<std::vector<Check>>(), input.run.checks);
  EXPECT_EQ(report["benchmarks"].get<std::vector<Benchmark>>(), input.run.benchmarks);
  EXPECT_EQ(report["gate"]["exit_code"], 3);
  EXPECT_EQ(report["gate"]["checks"]["fail"], 1);
  EXPECT_EQ(report["gate"]["checks"]["vacuous"], 0);
  EXPECT_EQ(report["gate"]["items"].size(), input.gate.items.size());
  EXPECT_EQ(report["previous_run"], input.previous->run.id);
  EXPECT_NO_THROW(json::parse(json_report(hostile())));
  EXPECT_TRUE(json::parse(json_report(ReportInput{}))["previous_run"].is_null());
}

TEST(MarkdownReport, ListsOperationsAndStaysSmall) {
  const std::string text = markdown_report(bad_night());
  EXPECT_TRUE(has(text, "## Red: 2 incorrect, 1 regressed"));
  EXPECT_TRUE(has(text, "| te.range\\_count | cpu | no data | – | – | – | – | – |"));
  EXPECT_TRUE(has(text, "**Planted faults:** 7 of 8 were caught by the checks."));
  EXPECT_FALSE(has(markdown_report(hostile()), "<img"));
  ReportInput large = bad_night();
  for (int i = 0; i < 20000; ++i) {
    large.run.operations.push_back(test::operation("op." + std::to_string(i), "", "none"));
    large.gate.items.push_back(
        {GateVerdict::vanished, "benchmark", std::string(60, 'k'), "gone", 0, 0, {}, ""});
  }
  const std::string big = markdown_report(large);
  EXPECT_LT(big.size(), 1024u * 1024u);
  EXPECT_TRUE(has(big, "more, all less severe"));
  EXPECT_TRUE(has(big, "\nand "));
}

TEST(WriteReport, WritesFiveFilesAndLeavesNoTemporary) {
  const test::Folder folder;
  const auto out = folder.path() / "a" / "out";
  const ReportInput input = bad_night();
  for (int twice = 0; twice < 2; ++twice) write_report(out, input);
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(out))
    names.insert(entry.path().filename().string());
  EXPECT_EQ(names,
            (std::set<std::string>{"index.html", "summary.md", "report.json", "junit.xml", "metrics.prom"}));
  std::ifstream in(out / "index.html");
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), html_report(input));
}

TEST(WriteReport, AFailureIsOneLineAndLeavesNothingHalfWritten) {
  const test::Folder folder;
  std::ofstream(folder.file("file")) << "x";
  EXPECT_THROW(write_report(folder.path() / "file", ReportInput{}), ReportError);
  EXPECT_THROW(write_report(folder.path() / "file" / "below", ReportInput{}), ReportError);
  const auto out = folder.path() / "out";
  std::filesystem::create_directories(out / "index.html" / "in the way");
  try {
    write_report(out, ReportInput{});
    ADD_FAILURE() << "expected a ReportError";
  } catch (const ReportError& error) {
    EXPECT_TRUE(has(error.what(), "index.html")) << error.what();
    EXPECT_FALSE(has(error.what(), "\n"));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out), {}), 1);
}

// The example of this folder's README.md.
TEST(Report, FromARunToAVerdict) {
  const test::Folder folder;
  const RunRecord night = test::night({0});
  const auto& run = night.run;
  const auto& checks = night.checks;
  const auto& benchmarks = night.benchmarks;
  GateOptions options;
  options.record_first = true;

  Store store = Store::open(folder.file("store.sqlite"));
  store.begin_run(run);          // before anything is measured
  store.append(run.id, checks);  // each batch as it comes, failures too
  store.append(run.id, benchmarks);
  store.finish_run(run.id);  // and only now is anything judged
  const RunRecord record = *store.load(run.id);
  const auto baseline = baseline_for(store, run);
  const GateResult result = gate(record, baseline ? &*baseline : nullptr, options);
  if (result.record_as_baseline) store.promote(run.id);
  store.set_exit_status(run.id, result.exit_code);
  write_report(folder.path() / "out", gather_report(store, run.id, result, baseline, "reports/records"));

  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(store.baselines().size(), 1u);
  EXPECT_EQ(store.load(run.id)->run.exit_status, 0);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "out" / "index.html"));
}

TEST(Report, OfARunThatIsNotStoredIsBadInput) {
  const test::Folder folder;
  const Store store = Store::open(folder.file("s.sqlite"));
  EXPECT_THROW(gather_report(store, "nothing", {}, {}), StoreError);
}

TEST(OperationStates, TheLargestCaseIsShownWithItsThroughput) {
  RunRecord record;
  const auto add = [&](double size, double bytes, double ns) {
    record.benchmarks.push_back(test::benchmark("n=" + std::to_string(record.benchmarks.size()), ns));
    record.benchmarks.back().problem_size = size;
    record.benchmarks.back().bytes = bytes;
  };
  add(1000, 1e3, 1e3);
  add(5e6, 1e9, 2e9);  // the largest, of most bytes
  add(5e6, 5e8, 1e9);
  add(5e6, 1e9, 1e9);  // and the quickest of those
  add(9e6, 1e9, 1e9);
  record.benchmarks.back().validity = Validity::invalid;
  const auto state = operation_states(record).at(0);
  ASSERT_TRUE(state.largest);
  EXPECT_EQ(state.largest->label, "n=3");
  EXPECT_EQ(state.benchmarks, 5);
  Benchmark one = *state.largest;
  EXPECT_EQ(throughput(one), "5 M items/s");
  one.roofline_share = 0.5;
  EXPECT_EQ(throughput(one), "5 M items/s, 1 GB/s");
  one.problem_size = 12;
  EXPECT_EQ(throughput(one), "12 items/s, 1 GB/s");
  one.problem_size = 0;
  EXPECT_EQ(throughput(one), "1 GB/s");
  one.median_ns = 0;
  EXPECT_EQ(throughput(one), "");
}

TEST(OperationStates, BackendsOfOneOperationStayTogether) {
  RunRecord record;
  record.operations = {test::operation("te.ksg", "", "none"), test::operation("te.knn", "", "none")};
  record.checks = {test::check("a", Verdict::pass, "cuda"), test::check("b", Verdict::not_executed, "cpu")};
  record.checks[0].against = "itself";
  record.checks[1].message = "no device\nat all";
  const auto states = operation_states(record);
  ASSERT_EQ(states.size(), 3u);
  EXPECT_EQ(states[1].operation, "te.ksg");
  EXPECT_EQ(states[1].backend, "cuda");
  EXPECT_EQ(checked_against(states[1]), "itself");
  EXPECT_EQ(checked_against(states[0]), "");  // nothing was compared
  EXPECT_EQ(states[0].not_executed_because, "no device");
}

TEST(OperationStates, StandByTheirWorstCheck) {
  RunRecord record;
  record.operations = {test::operation("te.ksg", "", "shared")};
  EXPECT_EQ(operation_states(record).size(), 2u);
  EXPECT_EQ(operation_states(record)[0].standing, OperationStanding::no_data);
  const auto standing = [&](Verdict verdict) {
    record.checks = {test::check("a"), test::check("b", verdict)};
    return operation_states(record)[0].standing;
  };
  EXPECT_EQ(standing(Verdict::pass), OperationStanding::checked);
  EXPECT_EQ(standing(Verdict::not_executed), OperationStanding::checked);
  EXPECT_EQ(standing(Verdict::vacuous), OperationStanding::vacuous);
  EXPECT_EQ(standing(Verdict::timeout), OperationStanding::wrong);
  record.checks = {test::check("a", Verdict::not_executed)};
  EXPECT_EQ(operation_states(record)[0].standing, OperationStanding::not_executed);
  record.checks = {test::check("a", Verdict::pass, "reference")};
  EXPECT_EQ(operation_states(record).size(), 3u);  // a backend that only a result names
  EXPECT_EQ(to_string(OperationStanding::no_data), "no data");
}

}  // namespace
}  // namespace assay::reports
