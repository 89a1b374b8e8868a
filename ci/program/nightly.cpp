#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "benchmarks/suite.hpp"
#include "ci/program/application.hpp"
#include "ci/program/backend_choice.hpp"
#include "ci/program/checking.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/judging.hpp"
#include "ci/program/load_meter.hpp"
#include "ci/program/machine_lock.hpp"
#include "ci/program/measuring.hpp"
#include "ci/program/mutating.hpp"
#include "ci/program/recording.hpp"
#include "ci/program/te_answer.hpp"
#include "ci/program/translate.hpp"
#include "fmt/format.h"
#include "reports/baseline.hpp"
#include "reports/report.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

/// Folders of golden cases: --golden, else ASSAY_GOLDEN, else none.
std::vector<std::string> golden_folders(const Invocation& invocation) {
  if (invocation.given("golden")) return invocation.all("golden");
  const char* named = std::getenv("ASSAY_GOLDEN");
  if (named != nullptr && *named != '\0') return {named};
  return {};
}

CheckPlan plan_of(const Invocation& invocation, const std::string& pattern, bool quick) {
  CheckPlan plan;
  plan.options = validation::options_from_environment();
  plan.options.seed = invocation.seed();
  plan.options.threads = threads_of(invocation);
  plan.options.device = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  plan.options.version = version();
  if (quick) plan.budget = std::chrono::seconds(75);
  if (invocation.given("budget")) {
    plan.budget = parse_duration(invocation.text("budget"));
    if (!plan.budget)
      invocation.refuse("budget", "'" + invocation.text("budget") + "', expected a time such as 60s or 5m");
  }
  const std::vector<Backend> backends = wanted_backends(invocation);
  plan.suites = validation::suites();
  plan.jobs = validation::select_jobs(plan.suites, pattern, backends, !quick && !invocation.given("budget"));
  if (pattern.empty() || validation::matches("te.ksg", pattern)) {
    plan.golden = read_golden_folders(golden_folders(invocation));
  }
  if (plan.jobs.empty() && plan.golden.empty()) {
    throw Failure(ExitCode::vacuous, "--op '" + pattern + "' matches no operation (assay list)");
  }
  const Operation* ksg = find_operation("te.ksg");
  for (const Backend backend : backends) {
    if (ksg != nullptr && ksg->has(backend)) plan.golden_backends.push_back(backend);
  }
  return plan;
}

std::string counts_text(const std::vector<reports::Check>& checks) {
  std::map<std::string, int> counts;
  for (const reports::Check& check : checks) ++counts[std::string(reports::to_string(check.verdict))];
  std::string text = fmt::format("{} checks", checks.size());
  for (const auto& [verdict, count] : counts) text += fmt::format(", {} {}", count, verdict);
  return text;
}

std::vector<reports::Check> check_all(const Invocation& invocation, const CheckPlan& plan,
                                      Recording& recording) {
  const std::string replays = (store_folder(invocation) / "replays").string();
  CheckBatches batches(recording);
  const auto checks = run_checks(plan, invocation.console(), replays, [&](const reports::Check& check) {
    batches.add(check);
    const bool good = check.verdict == reports::Verdict::pass || check.verdict == reports::Verdict::xfail ||
                      check.verdict == reports::Verdict::not_executed ||
                      check.verdict == reports::Verdict::unsupported;
    if (!good) invocation.console().note(line_of(check));
  });
  batches.flush();
  return checks;
}

/// Keys of our benchmarks that would be judged slower than the baseline.
std::set<std::string> regressed(const reports::Run& run, const std::vector<reports::Benchmark>& benchmarks,
                                const reports::RunRecord& baseline) {
  reports::RunRecord record;
  record.run = run;
  record.benchmarks = benchmarks;
  std::set<std::string> keys;
  for (const reports::GateItem& item : reports::gate(record, &baseline, {}).items) {
    if (item.verdict == reports::GateVerdict::regressed && item.subject == "benchmark") keys.insert(item.key);
  }
  return keys;
}

/// Measures again what looks slower than the baseline, and keeps the quicker of the two: a slowdown of the
/// code is there every time, one that another program on the machine made is not.
void confirm_regressions(const Invocation& invocation, MeasuringPlan plan, const Recording& recording,
                         std::vector<reports::Benchmark>& benchmarks) {
  const auto baseline = reports::baseline_for(recording.store(), recording.run(),
                                              invocation.maybe_text("baseline").value_or(""));
  if (!baseline) return;
  constexpr int attempts = 2;
  for (int attempt = 1; attempt <= attempts; ++attempt) {
    const std::set<std::string> keys = regressed(recording.run(), benchmarks, *baseline);
    if (keys.empty()) return;
    std::set<std::string> operations;
    for (const reports::Benchmark& item : benchmarks) {
      if (keys.contains(reports::benchmark_key(item))) operations.insert(item.operation);
    }
    invocation.console().note(
        fmt::format("{} measurements are slower than the baseline's: measured again ({} of {})", keys.size(),
                    attempt, attempts));
    plan.pattern = fmt::format("{}", fmt::join(operations, ","));
    plan.peers = false;
    for (reports::Benchmark& fresh : run_benchmarks(invocation, plan)) {
      const std::string key = reports::benchmark_key(fresh);
      if (!keys.contains(key)) continue;
      for (reports::Benchmark& item : benchmarks) {
        if (reports::benchmark_key(item) != key || fresh.median_ns <= 0 || fresh.median_ns >= item.median_ns)
          continue;
        fresh.notes["measured_again"] =
            fmt::format("a first measurement had a median of {:.6g} ns", item.median_ns);
        item = fresh;
      }
    }
  }
  // Still slower, but not alone on the machine: nothing can be concluded from such a time.
  const std::set<std::string> keys = regressed(recording.run(), benchmarks, *baseline);
  for (reports::Benchmark& item : benchmarks) {
    const double others = load_of_others(item);
    if (others < most_load_of_others || !keys.contains(reports::benchmark_key(item))) continue;
    item.validity = reports::Validity::invalid;
    item.invalid_reason =
        fmt::format("slower than the baseline while other programs used {:.0f} % of the CPUs", 100 * others);
  }
}

int run_nightly(Invocation& invocation) {
  const bool quick = invocation.flag("quick");
  const auto start = std::chrono::steady_clock::now();
  const std::string folder = invocation.given("out") ? invocation.text("out") : default_report_folder();
  const Console& console = invocation.console();
  const std::string pattern = invocation.maybe_text("op").value_or("");
  const CheckPlan plan = plan_of(invocation, pattern, quick);
  reports::Store store = open_store(invocation);
  reports::check_baseline_reference(store, invocation.maybe_text("baseline").value_or(""));
  // For the whole job: its checks would disturb what another run measures as much as its measurements would.
  const MachineLock lock(invocation);
  Recording recording(invocation, store, "nightly", quick, device_in_use(invocation));
  recording.append(operation_infos(plan.suites, benchmarks::suites()));

  console.note(fmt::format("seed {}; {} properties, {} golden cases", plan.options.seed, plan.jobs.size(),
                           plan.golden_cases()));
  if (plan.golden.empty())
    console.note("golden: no folder of golden data (--golden DIR or ASSAY_GOLDEN): those cases were not run");
  const auto checks = check_all(invocation, plan, recording);
  console.note(counts_text(checks));

  if (const std::string program = mutant_program(console, false); program.empty()) {
    console.note("planted faults: assay-mutants is not beside this program: not run");
  } else {
    const validation::MutationReport mutants = run_mutants(invocation, program, pattern, plan.suites);
    recording.append(mutant_records(mutants));
    console.note(fmt::format("planted faults: {} of {} caught", mutants.caught(), mutants.total()));
  }

  MeasuringPlan measuring;
  measuring.pattern = pattern;
  measuring.quick = quick;
  measuring.peers = invocation.flag("peers");
  measuring.seconds = quick ? 0.2 : 0.5;
  std::vector<reports::Benchmark> benchmarks;
  bool broken = false;
  try {
    benchmarks = run_benchmarks(invocation, measuring);
    confirm_regressions(invocation, measuring, recording, benchmarks);
  } catch (const std::exception& error) {
    // What was checked so far is worth its report; the exit code says that a part of the job is missing.
    console.error(std::string("benchmarks: ") + error.what());
    broken = true;
  }
  recording.append(benchmarks);
  console.note(fmt::format("{} measurements", benchmarks.size()));
  recording.finish();

  reports::GateOptions options;
  options.strict = invocation.flag("strict");
  options.record_first = true;
  options.every_operation = pattern.empty();
  if (!pattern.empty()) {
    options.in_scope = [&pattern](const std::string& operation) {
      return validation::matches(operation, pattern);
    };
  }
  const char* required = std::getenv("ASSAY_REQUIRE");
  if (required != nullptr && *required != '\0') options.required_backends = split_list(required);
  const Judgement judgement = judge(store, store.load(recording.run().id).value(),
                                    invocation.maybe_text("baseline").value_or(""), options);
  const std::vector<int> codes{judgement.result.exit_code, broken ? code_of(ExitCode::tool_error) : 0};
  const int code = reports::combine_exit_codes(codes);
  if (judgement.result.record_as_baseline && code == code_of(ExitCode::ok)) store.promote(recording.run().id);
  recording.set_exit(code);

  reports::write_report(folder, reports::gather_report(store, recording.run().id, judgement.result,
                                                       judgement.baseline, records_folder()));
  const std::string page = (fs::path(folder) / "index.html").string();
  const double seconds = milliseconds_since(start) / 1e3;
  if (invocation.json()) {
    nlohmann::ordered_json document{{"run", recording.run().id},
                                    {"exit_code", code},
                                    {"headline", judgement.result.headline()},
                                    {"baseline", judgement.result.baseline_run},
                                    {"baseline_note", judgement.result.baseline_note},
                                    {"checks", checks.size()},
                                    {"benchmarks", benchmarks.size()},
                                    {"report", page},
                                    {"seconds", seconds}};
    invocation.print_json(document);
  } else {
    invocation.print(fmt::format("{}\n{}\n{}, {} measurements, {:.0f} s\nreport: {}\n",
                                 judgement.result.headline(), judgement.result.baseline_note,
                                 counts_text(checks), benchmarks.size(), seconds, page));
  }
  return code;
}

}  // namespace

Command describe_nightly() {
  Command command;
  command.path = "nightly";
  command.summary = "Check, measure, record, judge and report: the main job";
  command.examples = R"(Examples:
  assay nightly
  assay nightly --quick --out /tmp/report
The first run on a machine becomes the baseline, says so, and is green.)";
  command.options = {
      {"out", "DIR", "the folder of the report, which is made; by default reports/out"},
      {"quick", "", "fewer cases and sizes: some two minutes; no checks that take minutes each"},
      {"op", "GLOB", "only operations whose name matches"},
      {"budget", "TIME", "time for the properties, without those that take minutes each; with --quick 75s"},
      {"strict", "", "inconclusive fails"},
      {"peers", "", "measure other programs that do the same work too"},
      {"golden", "DIR", "a folder of golden cases; by default ASSAY_GOLDEN", "", true},
      {"baseline", "REF", "what to compare with; by default the branch's baseline"},
      lock_option(),
      store_option()};
  command.run = run_nightly;
  return command;
}

}  // namespace assay::program
