#include "reports/report.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "reports/baseline.hpp"
#include "reports/format.hpp"
#include "reports/html/sections.hpp"
#include "reports/jsonl.hpp"
#include "reports/operation_state.hpp"
#include "reports/test_example.hpp"
#include "reports/test_markup.hpp"

namespace assay::reports {
namespace {

using nlohmann::json;
using test::occurrences;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The report of the last of some nights, with a baseline from an early one.
ReportInput after_nights(const std::vector<test::Night>& nights, const std::filesystem::path& records = {}) {
  const test::Folder folder;
  Store store = Store::open(folder.file("s.sqlite"));
  std::string last;
  for (const test::Night& night : nights) {
    const RunRecord record = test::night(night);
    store.import(record);
    last = record.run.id;
    if (store.baselines().empty()) store.promote(last);
  }
  const auto run = store.load(last);
  auto baseline = baseline_for(store, run->run);
  auto verdict = gate(*run, baseline ? &*baseline : nullptr);
  return gather_report(store, last, std::move(verdict), std::move(baseline), records);
}

ReportInput bad_night() {
  test::Night last{4};
  last.broken = true;
  last.slowdown = 1.3;
  return after_nights({{0}, {1}, {2}, {3}, last});
}

/// Every text of every record replaced by one that tries to break out of wherever it is put.
ReportInput hostile() {
  const std::string evil = "</script><script>alert(1)</script>\"'<img src=x onerror=alert(1)>&|`\n\xff\x01]]>";
  RunRecord r = test::full_record();
  r.run.state = RunState::complete;
  for (std::string* text : {&r.run.id, &r.run.command, &r.run.commit, &r.run.branch, &r.run.started_at}) *text = evil;
  r.run.environment.facts = {{"cpu", evil}, {"device", evil}, {evil, evil}};
  OperationInfo& o = r.operations[0];
  for (std::string* text : {&o.name, &o.summary, &o.paper, &o.cuda_body}) *text = evil;
  o.backends = {evil};
  Check& c = r.checks[0];
  for (std::string* text : {&c.operation, &c.name, &c.backend, &c.against, &c.message, &c.replay, &c.issue})
    *text = evil;
  c.samples[0].label = evil;
  c.table = Table{evil, {evil, evil}, {{evil, "1"}}};
  for (std::string* text :
       {&c.series[0].plot, &c.series[0].name, &c.series[0].x_label, &c.series[0].y_label})
    *text = evil;
  Benchmark& b = r.benchmarks[0];
  for (std::string* text : {&b.operation, &b.label, &b.backend, &b.peer, &b.invalid_reason, &b.cache, &b.size_name})
    *text = evil;
  b.telemetry = {{evil, evil}};
  b.ceilings[0].name = b.ceilings[0].how = evil;
  Benchmark ours = b;
  ours.peer.clear();
  ours.impossible = false;
  ours.validity = Validity::valid;
  r.benchmarks.push_back(ours);
  Mutant& m = r.mutants[0];
  for (std::string* text : {&m.id, &m.operation, &m.category, &m.backend, &m.property, &m.change}) *text = evil;
  m.status = MutantStatus::missed;
  ReportInput input;
  input.run = r;
  input.previous = r;
  input.previous->run.environment.facts["cpu"] = evil + "old";
  input.gate = gate(r, nullptr);
  input.recorded = {{evil, {r}, {evil}}};
  for (const std::int64_t sequence : {1, 2}) {
    input.history.runs.push_back({sequence, r.run});
    input.history.benchmarks.push_back({sequence, evil, evil, evil, "", 5.0, 4.0, 6.0, Validity::valid});
    input.history.checks.push_back({sequence, evil, evil, evil, CheckKind::oracle, Verdict::pass, 0.5});
  }
  input.generated_at = utc_now();
  return input;
}

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
  EXPECT_TRUE(has(html::changes(input), "times are not compared: cpu: Example CPU 3.0 GHz -&gt; Another CPU"));
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
  ASSERT_TRUE(std::regex_search(
      xml, totals,
      std::regex("<testsuites name=\"assay\" tests=\"(\\d+)\" failures=\"(\\d+)\" errors=\"(\\d+)\" skipped=\"(\\d+)\"")));
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
  EXPECT_TRUE(has(text, "| te.range\\_count | cpu | no data | 0 / 0 | – | – |"));
  EXPECT_TRUE(has(text, "Planted faults: 7 of 8 caught."));
  EXPECT_FALSE(has(markdown_report(hostile()), "<img"));
  ReportInput large = bad_night();
  for (int i = 0; i < 20000; ++i) {
    large.run.operations.push_back(test::operation("op." + std::to_string(i), "", "none"));
    large.gate.items.push_back({GateVerdict::vanished, "benchmark", std::string(60, 'k'), "gone", 0, 0, {}, ""});
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
  for (const auto& entry : std::filesystem::directory_iterator(out)) names.insert(entry.path().filename().string());
  EXPECT_EQ(names, (std::set<std::string>{"index.html", "summary.md", "report.json", "junit.xml", "metrics.prom"}));
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

TEST(Report, OfARunThatIsNotStoredIsBadInput) {
  const test::Folder folder;
  const Store store = Store::open(folder.file("s.sqlite"));
  EXPECT_THROW(gather_report(store, "nothing", {}, {}), StoreError);
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
