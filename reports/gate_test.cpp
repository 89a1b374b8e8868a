#include "reports/gate.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "reports/baseline.hpp"
#include "reports/test_records.hpp"

namespace assay::reports {
namespace {

RunRecord record_with(std::vector<Benchmark> benchmarks, std::vector<Check> checks = {test::check("p")}) {
  RunRecord record;
  record.run = test::run();
  record.run.state = RunState::complete;
  record.benchmarks = std::move(benchmarks);
  record.checks = std::move(checks);
  return record;
}

GateResult compare(double before_ns, double after_ns, const GateOptions& options = {}) {
  const RunRecord before = record_with({test::benchmark("n=1", before_ns)});
  return gate(record_with({test::benchmark("n=1", after_ns)}), &before, options);
}

TEST(ExitCodes, FollowTheDocumentedPrecedence) {
  const std::vector<int> order{1, 2, 7, 3, 4, 6, 5, 0};
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t j = 0; j < order.size(); ++j) {
      const std::vector<int> codes{order[j], order[i], 0};
      EXPECT_EQ(combine_exit_codes(codes), order[std::min(i, j)]) << order[i] << " and " << order[j];
    }
  EXPECT_EQ(combine_exit_codes({}), 0);
  EXPECT_EQ(combine_exit_codes(std::vector<int>{0, 109}),
            1);  // the argument parser's own code never gets out
  EXPECT_EQ(combine_exit_codes(std::vector<int>{-1}), 1);
  EXPECT_EQ(exit_code_meaning(4), "regressed");
  EXPECT_EQ(exit_code_meaning(42), "tool error");
}

TEST(Gate, SaysWhatATimeComesTo) {
  struct Row {
    double after;
    GateVerdict verdict;
    int exit_code;
  };
  // Intervals are +- 1 %, so that the ratio is known to about 2 %.
  for (const Row& row : {Row{1000e3, GateVerdict::same, 0}, Row{1050e3, GateVerdict::same, 0},
                         Row{1095e3, GateVerdict::inconclusive, 0}, Row{1200e3, GateVerdict::regressed, 4},
                         Row{700e3, GateVerdict::improved, 0}, Row{920e3, GateVerdict::inconclusive, 0}}) {
    const auto result = compare(1000e3, row.after);
    ASSERT_EQ(result.items.size(), 1u) << row.after;
    EXPECT_EQ(result.items[0].verdict, row.verdict) << row.after;
    EXPECT_EQ(result.exit_code, row.exit_code) << row.after;
    EXPECT_FALSE(result.items[0].reason.empty());
    EXPECT_DOUBLE_EQ(result.items[0].ratio->value, row.after / 1000e3);
  }
}

TEST(Gate, InconclusiveFailsOnlyWhenStrict) {
  GateOptions strict;
  strict.strict = true;
  EXPECT_EQ(compare(1000e3, 1095e3, strict).exit_code, 5);
  EXPECT_EQ(compare(1000e3, 1000e3, strict).exit_code, 0);
}

TEST(Gate, AWiderMarginIsObeyedAndStated) {
  GateOptions wide;
  wide.margin = 0.25;
  const auto result = compare(1000e3, 1200e3, wide);
  EXPECT_EQ(result.items[0].verdict, GateVerdict::same);
  EXPECT_NE(result.markdown().find("1.25"), std::string::npos);
}

TEST(Gate, ADifferenceBelowTheTimerIsNoRegression) {
  const auto result = compare(100.0, 140.0);  // 40 ns in a sample of one iteration
  EXPECT_EQ(result.items[0].verdict, GateVerdict::inconclusive);
  EXPECT_EQ(result.exit_code, 0);
  RunRecord before = record_with({test::benchmark("n=1", 100.0)});
  RunRecord after = record_with({test::benchmark("n=1", 140.0)});
  after.benchmarks[0].iterations = before.benchmarks[0].iterations = 1000;
  EXPECT_EQ(gate(after, &before).items[0].verdict, GateVerdict::regressed);
}

TEST(Gate, OverlappingIntervalsAreNeverARegression) {
  RunRecord before = record_with({test::benchmark("n=1", 1000e3)});
  RunRecord after = record_with({test::benchmark("n=1", 1300e3)});
  after.benchmarks[0].low_ns = before.benchmarks[0].high_ns;  // touching
  EXPECT_EQ(gate(after, &before).items[0].verdict, GateVerdict::inconclusive);
  after.benchmarks[0].samples_ns.resize(4);
  summarise(after.benchmarks[0]);
  const auto few = gate(after, &before);
  EXPECT_EQ(few.items[0].verdict, GateVerdict::inconclusive);
  EXPECT_NE(few.items[0].reason.find("too few samples"), std::string::npos);
}

TEST(Gate, EveryVerdictOfACheckHasItsExitCode) {
  const std::map<Verdict, int> expected{
      {Verdict::pass, 0},    {Verdict::fail, 3},        {Verdict::xfail, 0},
      {Verdict::xpass, 3},   {Verdict::unsupported, 0}, {Verdict::not_executed, 0},
      {Verdict::vacuous, 6}, {Verdict::crashed, 3},     {Verdict::timeout, 3}};
  const RunRecord before = record_with({});
  for (const auto& [verdict, exit_code] : expected) {
    const auto result = gate(record_with({}, {test::check("p"), test::check("q", verdict)}), &before);
    EXPECT_EQ(result.exit_code, exit_code) << to_string(verdict);
    EXPECT_EQ(result.count(verdict), verdict == Verdict::pass ? 2 : 1);
  }
}

TEST(Gate, APassThatRanNothingIsVacuous) {
  Check empty = test::check("p");
  empty.cases = 0;
  const RunRecord before = record_with({}, {empty});
  const auto result = gate(record_with({}, {empty}), &before);
  EXPECT_EQ(result.count(Verdict::vacuous), 1);
  EXPECT_EQ(result.count(Verdict::pass), 0);
  EXPECT_EQ(result.exit_code, 6);
}

TEST(Gate, ARunThatDidNothingIsVacuous) {
  const RunRecord before = record_with({});
  RunRecord after = record_with({}, {});
  const auto result = gate(after, &before);
  EXPECT_EQ(result.items.front().verdict, GateVerdict::vacuous);
  EXPECT_EQ(result.exit_code, 6);
  after.run.state = RunState::interrupted;
  EXPECT_EQ(gate(after, &before).exit_code, 7);
}

TEST(Gate, MutantsThatSurviveAreIncorrect) {
  RunRecord after = record_with({});
  const RunRecord before = record_with({});
  Mutant mutant = test::full_record().mutants[0];
  for (const auto status :
       {MutantStatus::caught, MutantStatus::crashed, MutantStatus::missed, MutantStatus::not_reached}) {
    mutant.status = status;
    after.mutants = {mutant};
    EXPECT_EQ(gate(after, &before).exit_code, counts_as_caught(status) ? 0 : 3) << to_string(status);
  }
}

TEST(Gate, TimesThatCannotBeUsedAreInvalid) {
  const RunRecord before = record_with({test::benchmark("n=1", 1000e3)});
  const auto code = [&](auto change) {
    RunRecord after = record_with({test::benchmark("n=1", 1000e3)});
    change(after.benchmarks[0]);
    return gate(after, &before).exit_code;
  };
  EXPECT_EQ(code([](Benchmark&) {}), 0);
  EXPECT_EQ(code([](Benchmark& b) { b.validity = Validity::invalid; }), 7);
  EXPECT_EQ(code([](Benchmark& b) { b.impossible = true; }), 7);
  EXPECT_EQ(code([](Benchmark& b) { b.checked = false; }), 7);
  EXPECT_EQ(code([](Benchmark& b) { b.check_verdict = Verdict::fail; }), 3);
  EXPECT_EQ(code([](Benchmark& b) {
              b.samples_ns.clear();
              summarise(b);
            }),
            6);
  EXPECT_EQ(code([](Benchmark& b) {
              b.peer = "jidt";
              b.validity = Validity::invalid;
            }),
            6);  // a peer is not judged, but ours has vanished
}

TEST(Gate, WhatVanishedIsNotGreen) {
  const RunRecord before = record_with({test::benchmark("n=1", 1e6), test::benchmark("n=2", 1e6)},
                                       {test::check("p"), test::check("q")});
  RunRecord after = record_with({test::benchmark("n=1", 1e6)}, {test::check("p")});
  const auto result = gate(after, &before);
  EXPECT_EQ(result.count(GateVerdict::vanished), 2);
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_EQ(result.items[0].key, "te.ksg/n=2/cpu");

  GateOptions narrow;
  narrow.in_scope = [](const std::string& operation) { return operation != "te.ksg"; };
  EXPECT_EQ(gate(after, &before, narrow).exit_code, 0);

  after = record_with(before.benchmarks, {test::check("p"), test::check("q", Verdict::not_executed)});
  EXPECT_EQ(gate(after, &before).exit_code, 6);

  RunRecord with_golden = before;
  with_golden.checks.push_back(test::check("g"));
  with_golden.checks.back().kind = CheckKind::golden;
  EXPECT_EQ(gate(record_with(before.benchmarks, before.checks), &with_golden).exit_code, 0);
}

TEST(Gate, ARunOfAnotherCommandIsHeldToWhatItDoes) {
  const RunRecord before = record_with({test::benchmark("n=1", 1e6), test::benchmark("n=2", 1e6)});
  RunRecord bench = record_with({test::benchmark("n=1", 1e6)}, {});
  EXPECT_EQ(gate(bench, &before).count(GateVerdict::vanished), 2);  // of a nightly, checks are missed as well
  bench.run.command = "bench";
  EXPECT_EQ(gate(bench, &before).count(GateVerdict::vanished), 1);
  RunRecord validate = record_with({});
  validate.run.command = "validate";
  EXPECT_EQ(gate(validate, &before).exit_code, 0);
}

TEST(Gate, ANewBenchmarkIsInformation) {
  const RunRecord before = record_with({test::benchmark("n=1", 1e6)});
  const auto result = gate(record_with({test::benchmark("n=1", 1e6), test::benchmark("n=2", 1e6)}), &before);
  EXPECT_EQ(result.count(GateVerdict::added), 1);
  EXPECT_EQ(result.exit_code, 0);
}

TEST(Gate, WithoutABaselineIsSixAndTheFirstNightlyIsGreen) {
  const RunRecord first = record_with({test::benchmark("n=1", 1e6)});
  const auto alone = gate(first, nullptr);
  EXPECT_EQ(alone.exit_code, 6);
  EXPECT_FALSE(alone.record_as_baseline);
  EXPECT_EQ(gate(first, &first).exit_code, 6);  // with itself there is nothing to compare either

  GateOptions nightly;
  nightly.record_first = true;
  const auto recorded = gate(first, nullptr, nightly);
  EXPECT_EQ(recorded.exit_code, 0);
  EXPECT_TRUE(recorded.record_as_baseline);
  EXPECT_NE(recorded.baseline_note.find("recorded"), std::string::npos);

  const auto broken = gate(record_with({}, {test::check("p", Verdict::fail)}), nullptr, nightly);
  EXPECT_EQ(broken.exit_code, 3);
  EXPECT_FALSE(broken.record_as_baseline);
}

TEST(Gate, AnotherEnvironmentIsNeverCompared) {
  RunRecord gpu = record_with({test::benchmark("n=1", 1e3)});
  gpu.run.environment.facts["device"] = "NVIDIA H200";
  const RunRecord cpu = record_with({test::benchmark("n=1", 1e9)});
  const auto result = gate(cpu, &gpu);
  EXPECT_EQ(result.count(GateVerdict::regressed), 0);
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_NE(result.baseline_note.find("device: NVIDIA H200 -> none"), std::string::npos)
      << result.baseline_note;
  RunRecord quick = record_with({test::benchmark("n=1", 1e3)});
  quick.run.quick = true;
  EXPECT_EQ(gate(cpu, &quick).exit_code, 6);
}

TEST(Gate, ARequiredDeviceThatIsMissingIsSeven) {
  const RunRecord before = record_with({});
  GateOptions options;
  options.required_backends = {"cuda"};
  EXPECT_EQ(gate(record_with({}), &before, options).exit_code, 7);
  EXPECT_EQ(gate(record_with({}, {test::check("p"), test::check("p", Verdict::not_executed, "cuda")}),
                 &before, options)
                .exit_code,
            7);
  EXPECT_EQ(
      gate(record_with({}, {test::check("p"), test::check("p", Verdict::pass, "cuda")}), &before, options)
          .exit_code,
      0);
}

TEST(Gate, EveryOperationMustHaveBeenChecked) {
  RunRecord before = record_with({});
  RunRecord after = record_with({});
  for (const char* name : {"te.ksg", "te.knn"}) {
    after.operations.emplace_back();
    after.operations.back().name = name;
  }
  GateOptions options;
  EXPECT_EQ(gate(after, &before, options).exit_code, 0);
  options.every_operation = true;
  const auto result = gate(after, &before, options);
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_EQ(result.items[0].key, "te.knn");
}

TEST(Gate, WorstComesFirstAndTheWorstCodeWins) {
  RunRecord before =
      record_with({test::benchmark("a", 1e6), test::benchmark("b", 1e6), test::benchmark("c", 1e6)});
  RunRecord after =
      record_with({test::benchmark("a", 1.2e6), test::benchmark("b", 2e6), test::benchmark("c", 1e6)},
                  {test::check("p", Verdict::fail)});
  after.checks[0].replay = "p.json";
  const auto result = gate(after, &before);
  EXPECT_EQ(result.exit_code, 3);
  ASSERT_EQ(result.items.size(), 4u);
  EXPECT_EQ(result.items[0].verdict, GateVerdict::incorrect);
  EXPECT_EQ(result.items[1].key, "te.ksg/b/cpu");
  EXPECT_EQ(result.items[2].key, "te.ksg/a/cpu");
  EXPECT_EQ(result.items[3].verdict, GateVerdict::same);
  const std::string text = result.markdown();
  EXPECT_LT(text.find("incorrect |"), text.find("regressed |"));
  EXPECT_NE(text.find("`assay replay p.json`"), std::string::npos);
  EXPECT_NE(text.find("Checks: 0 pass, 1 fail, 0 not\\_executed, 0 vacuous"), std::string::npos) << text;
}

TEST(Gate, TheMarkdownStaysUnderItsLimitAndSaysWhatItLeftOut) {
  std::vector<Check> checks;
  for (int i = 0; i < 5000; ++i) {
    checks.push_back(test::check(std::string("p").append(std::to_string(i)), Verdict::fail));
    checks.back().message = std::string(500, 'x') + " | `a` <b>\nsecond line";
  }
  const RunRecord before = record_with({});
  const std::string text = gate(record_with({}, checks), &before).markdown();
  EXPECT_LT(text.size(), 1000001u);
  EXPECT_GT(text.size(), 900000u);
  EXPECT_NE(text.find(" more, all less severe."), std::string::npos);
  EXPECT_EQ(text.find("<b>"), std::string::npos);
  EXPECT_EQ(text.find("second line"), std::string::npos);
  EXPECT_NE(text.find("5000 incorrect"), std::string::npos);
}

TEST(Gate, TheHeadlineNamesAllThatIsWrong) {
  GateResult result;
  EXPECT_EQ(result.headline(), "Green: checked, and nothing got slower");
  result.counts[GateVerdict::inconclusive] = 2;
  EXPECT_EQ(result.headline(), "Green, with 2 comparisons that cannot be told");
  result.exit_code = 5;
  EXPECT_EQ(result.headline(), "Don't know: 2 comparisons cannot be told");
  result.exit_code = 6;
  result.counts[GateVerdict::vanished] = 1;
  EXPECT_EQ(result.headline(), "Not green: 1 vanished");
  result.counts[GateVerdict::incorrect] = 3;
  result.counts[GateVerdict::invalid] = 1;
  result.exit_code = 7;
  EXPECT_EQ(result.headline(), "Red: 3 incorrect, 1 invalid, 1 vanished");
  result.exit_code = 1;
  EXPECT_EQ(result.headline(), "Red: the tool failed");
  result.exit_code = 0;
  result.record_as_baseline = true;
  EXPECT_EQ(result.headline(), "Green: first run, recorded as the baseline");
  EXPECT_EQ(to_string(static_cast<GateVerdict>(99)), "unknown");
}

TEST(BaselineFor, TakesTheBranchThenTheDefaultThenWhatIsNamed) {
  const test::Folder folder;
  Store store = Store::open(folder.file("s.sqlite"));
  const auto stored = [&](const std::string& branch) {
    auto run = test::run();
    run.branch = branch;
    store.begin_run(run);
    store.finish_run(run.id);
    return run;
  };
  const auto first = stored("main");
  const auto topic = stored("topic");
  EXPECT_FALSE(baseline_for(store, topic).has_value());
  store.promote(first.id);
  EXPECT_EQ(baseline_for(store, topic)->run.id, first.id);
  const auto second = stored("topic");
  store.promote(topic.id);
  EXPECT_EQ(baseline_for(store, second)->run.id, topic.id);
  EXPECT_EQ(baseline_for(store, second, "main")->run.id, first.id);
  EXPECT_EQ(baseline_for(store, second, "latest")->run.id, topic.id);
  EXPECT_EQ(baseline_for(store, second, first.id.substr(0, 13))->run.id, first.id);
  EXPECT_FALSE(baseline_for(store, first, "latest").has_value());
  EXPECT_THROW(baseline_for(store, second, "nonsense"), StoreError);
  EXPECT_THROW(check_baseline_reference(store, "nonsense"), StoreError);
  for (const char* const known : {"", "latest", "main", "topic"})
    EXPECT_NO_THROW(check_baseline_reference(store, known)) << known;
}

// Hosted machines change their processor from day to day.
TEST(BaselineFor, ABranchWithoutOneInThisEnvironmentHasNone) {
  const test::Folder folder;
  Store store = Store::open(folder.file("s.sqlite"));
  auto main = test::run();
  main.branch = "main";
  store.begin_run(main);
  store.finish_run(main.id);
  store.promote(main.id);
  auto topic = test::run();
  topic.branch = "topic";
  topic.environment.facts["cpu"] = "another processor";
  ASSERT_NE(topic.environment.fingerprint(), main.environment.fingerprint());
  EXPECT_FALSE(baseline_for(store, topic, "main").has_value());
  topic.environment = main.environment;
  EXPECT_EQ(baseline_for(store, topic, "main")->run.id, main.id);
  topic.quick = !main.quick;
  EXPECT_FALSE(baseline_for(store, topic, "main").has_value());
}

}  // namespace
}  // namespace assay::reports
