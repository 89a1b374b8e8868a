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
#include "ci/program/operation_help.hpp"
#include "ci/program/output_file.hpp"
#include "ci/program/recording.hpp"
#include "ci/program/suggestion.hpp"
#include "ci/program/translate.hpp"
#include "fmt/format.h"
#include "reports/report.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

/// Keys of the checks that were red in the newest complete run that checked anything.
std::set<std::string> failed_before(const Invocation& invocation) {
  const reports::Store store = open_existing_store(invocation);
  for (const reports::RunSummary& summary : store.runs({.state = reports::RunState::complete})) {
    const auto record = store.load(summary.run.id);
    if (!record || record->checks.empty()) continue;
    std::set<std::string> keys;
    for (const reports::Check& check : record->checks) {
      using reports::Verdict;
      if (check.verdict == Verdict::fail || check.verdict == Verdict::xpass ||
          check.verdict == Verdict::crashed || check.verdict == Verdict::timeout) {
        keys.insert(reports::check_key(check));
      }
    }
    if (keys.empty()) throw Failure(ExitCode::vacuous, "nothing failed in the last run, " + summary.run.id);
    return keys;
  }
  throw Failure(ExitCode::vacuous, reports::shown_store_url(store_path(invocation)) +
                                       ": no run with checks is stored, so none has failed");
}

void keep_only(CheckPlan& plan, const std::set<std::string>& keys) {
  std::erase_if(plan.jobs, [&](const validation::Job& job) { return !keys.contains(job.name()); });
  for (auto& folder : plan.golden) {
    std::erase_if(folder.cases, [&](const validation::GoldenCase& item) {
      return std::none_of(plan.golden_backends.begin(), plan.golden_backends.end(), [&](Backend backend) {
        reports::Check check;
        check.operation = "te.ksg";
        check.name = item.id;
        check.backend = assay::name_of(backend);
        check.kind = reports::CheckKind::golden;
        return keys.contains(reports::check_key(check));
      });
    });
  }
}

CheckPlan plan_of(const Invocation& invocation) {
  CheckPlan plan;
  plan.options = validation::options_from_environment();
  plan.options.seed = invocation.seed();
  plan.options.threads = threads_of(invocation);
  plan.options.device = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  plan.options.version = version();
  if (invocation.given("cases"))
    plan.options.cases = static_cast<int>(invocation.integer("cases", 1, 10'000'000));
  if (invocation.given("budget")) {
    if (invocation.given("cases")) invocation.refuse("budget", "has no meaning beside --cases");
    plan.budget = parse_duration(invocation.text("budget"));
    if (!plan.budget)
      invocation.refuse("budget", "'" + invocation.text("budget") + "', expected a time such as 60s or 5m");
  }
  const std::vector<Backend> backends = wanted_backends(invocation);
  const std::string pattern = invocation.maybe_text("op").value_or("");
  const auto folders = invocation.all("golden");
  const bool golden_alone = !folders.empty() && !invocation.given("op") && !invocation.given("cases") &&
                            !invocation.given("budget") && !invocation.flag("only-failed");
  plan.suites = validation::suites();
  const bool long_running = invocation.flag("long") || invocation.flag("only-failed");
  if (!golden_alone) plan.jobs = validation::select_jobs(plan.suites, pattern, backends, long_running);
  if (pattern.empty() || validation::matches("te.ksg", pattern)) {
    plan.golden = read_golden_folders(folders);
    const Operation* ksg = find_operation("te.ksg");
    for (const Backend backend : backends) {
      const bool asked = invocation.given("backend");
      if (ksg != nullptr && (asked || ksg->has(backend))) plan.golden_backends.push_back(backend);
    }
  }
  if (invocation.flag("only-failed")) keep_only(plan, failed_before(invocation));
  if (plan.jobs.empty() && plan.golden_cases() == 0) {
    throw Failure(ExitCode::vacuous,
                  fmt::format("--op '{}' matches nothing that can be checked{} (assay list)", pattern,
                              suggestion(pattern, operation_names())));
  }
  return plan;
}

std::string summary_of(const std::vector<reports::Check>& checks) {
  std::map<std::string, int> counts;
  std::map<std::string, int> why;
  int golden = 0, passed = 0;
  for (const reports::Check& check : checks) {
    ++counts[std::string(reports::to_string(check.verdict))];
    if (check.verdict == reports::Verdict::not_executed) ++why[check.message];
    if (check.kind != reports::CheckKind::golden) continue;
    ++golden;
    passed += check.verdict == reports::Verdict::pass;
  }
  std::string text;
  for (const auto& [reason, count] : why) text += fmt::format("not executed: {} checks: {}\n", count, reason);
  if (golden > 0) text += fmt::format("golden: {} of {} pass\n", passed, golden);
  text += fmt::format("{} checks:", checks.size());
  for (const auto& [verdict, count] : counts) text += fmt::format(" {} {}", count, verdict);
  return text + "\n";
}

int run_validate(Invocation& invocation) {
  const auto junit = output_path(invocation, "junit");
  const CheckPlan plan = plan_of(invocation);
  const auto device = device_in_use(invocation);
  reports::Store store = open_store(invocation);
  Recording recording(invocation, store, "validate", invocation.given("budget") || invocation.given("cases"),
                      device);
  recording.append(operation_infos(plan.suites, benchmarks::suites()));
  invocation.console().note(fmt::format("seed {}, {} properties, {} golden cases, recorded in {}",
                                        plan.options.seed, plan.jobs.size(), plan.golden_cases(),
                                        store.url()));

  const std::string replays = (store_folder(invocation) / "replays").string();
  CheckBatches batches(recording);
  const auto checks = run_checks(plan, invocation.console(), replays, [&](const reports::Check& check) {
    batches.add(check);
    const bool good = check.verdict == reports::Verdict::pass || check.verdict == reports::Verdict::xfail;
    if (!invocation.json() && (!good || !invocation.console().quiet()))
      invocation.print(line_of(check) + "\n");
  });
  batches.flush();
  recording.finish();

  const bool required = invocation.maybe_text("backend") == "cuda" || plan.options.require_cuda;
  const int code = exit_code_of(checks, required);
  recording.set_exit(code);
  if (junit) {
    const auto record = store.load(recording.run().id);
    reports::GateResult verdict = reports::gate(*record, nullptr, {});
    write_text(*junit, reports::junit_report(reports::gather_report(store, recording.run().id,
                                                                    std::move(verdict), std::nullopt)));
  }
  if (invocation.json()) {
    nlohmann::ordered_json document;
    document["run"] = recording.run().id;
    document["seed"] = plan.options.seed;
    document["exit_code"] = code;
    std::map<std::string, int> counts;
    for (const reports::Check& check : checks) ++counts[std::string(reports::to_string(check.verdict))];
    document["counts"] = counts;
    document["checks"] = nlohmann::ordered_json::array();
    for (const reports::Check& check : checks) {
      nlohmann::ordered_json item{{"name", reports::check_key(check)},
                                  {"operation", check.operation},
                                  {"property", check.name},
                                  {"backend", check.backend},
                                  {"kind", reports::to_string(check.kind)},
                                  {"against", check.against},
                                  {"verdict", reports::to_string(check.verdict)},
                                  {"cases", check.cases},
                                  {"elapsed_ms", check.elapsed_ms},
                                  {"message", check.message}};
      if (check.utilisation) item["utilisation"] = *check.utilisation;
      if (check.observed_error) item["observed"] = *check.observed_error;
      if (check.allowed_error) item["allowed"] = *check.allowed_error;
      if (!check.replay.empty()) item["replay"] = check.replay;
      document["checks"].push_back(std::move(item));
    }
    invocation.print_json(document);
  } else {
    invocation.print(summary_of(checks));
  }
  return code;
}

}  // namespace

Command describe_validate() {
  Command command;
  command.path = "validate";
  command.summary = "Check properties, oracles and golden data; everything is recorded";
  command.examples = R"(Examples:
  assay validate                                 every property on every backend that works here
  assay validate --op 'te.*' --budget 60s
  assay validate --golden path/to/te             the golden cases alone; with --op, properties too
  assay validate --only-failed                   what was red in the last run
Exit codes: 0 all as expected, 3 something is wrong, 6 nothing was compared, 7 a required device is missing.)";
  command.options = {{"op", "GLOB", "only operations whose name matches; commas separate several"},
                     {"cases", "N", "cases of each property that draws its data"},
                     {"long", "", "also the checks that take minutes each"},
                     {"budget", "TIME", "share this time among the properties: 60s, 5m"},
                     {"golden", "DIR", "a folder of golden cases (manifest.json); may be repeated", "", true},
                     {"junit", "FILE", "write JUnit XML there"},
                     {"only-failed", "", "only what was red in the newest stored run with checks"},
                     store_option()};
  command.run = run_validate;
  return command;
}

}  // namespace assay::program
