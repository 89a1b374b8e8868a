#include <algorithm>
#include <filesystem>

#include "ci/program/calibrating.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/comparing.hpp"
#include "ci/program/console.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/machine_lock.hpp"
#include "ci/program/mutating.hpp"
#include "fmt/format.h"
#include "reports/comparison/false_alarms.hpp"
#include "validation/worker.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;
using reports::KnownTruth;

/// Two programs whose truth is known.
struct Condition {
  std::string name;  ///< "identical", "relinked", "work, 5 %"
  std::string file;  ///< of its checkpoints
  ComparedProgram base, candidate;
  bool slower = false;  ///< planted: red is right
};

std::vector<Condition> without_a_change(const Invocation& invocation) {
  const std::string program = invocation.maybe_text("program").value_or(validation::this_program());
  const std::vector<std::string> wanted = split_list(invocation.text("conditions"));
  for (const std::string& name : wanted)
    if (name != "identical" && name != "relinked")
      invocation.refuse("conditions", "'" + name + "', expected some of identical, relinked");
  const auto is_wanted = [&](const char* name) {
    return std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  };
  std::vector<Condition> conditions;
  if (is_wanted("identical"))
    conditions.push_back({"identical", "identical", compared_program(program, "base"),
                          compared_program(program, "candidate"), false});
  if (!is_wanted("relinked")) return conditions;
  std::error_code ignored;
  const std::string beside = (fs::path(program).parent_path() / "assay-relinked").string();
  const auto given = invocation.maybe_text("relinked");
  if (given || fs::exists(beside, ignored))
    conditions.push_back({"relinked", "relinked", compared_program(program, "base"),
                          compared_program(given.value_or(beside), "candidate"), false});
  else
    invocation.console().note("no program of another link order is there (ci/relink makes one)");
  if (conditions.empty()) throw Failure(ExitCode::usage, "--conditions name nothing that can be run");
  return conditions;
}

std::vector<Condition> planted(const Invocation& invocation) {
  const std::string program =
      invocation.given("program") ? invocation.text("program") : mutant_program(invocation.console(), true);
  if (program.empty())
    throw Failure(
        ExitCode::usage,
        "assay-mutants is not beside this program, expected it to be built (ci/build assay-mutants)");
  std::vector<Condition> conditions;
  for (const std::string& kind : split_list(invocation.text("kinds"))) {
    if (kind != "work" && kind != "memory" && kind != "idle")
      invocation.refuse("kinds", "'" + kind + "', expected some of work, memory, idle");
    for (const std::int64_t size : invocation.integers("sizes", 1, 100)) {
      Condition condition{fmt::format("{}, {} %", kind, size), fmt::format("{}-{}", kind, size),
                          compared_program(program, "base"), compared_program(program, "candidate"), true};
      condition.base.environment = {{"ASSAY_MUTANT", ""}};
      condition.candidate.environment = {{"ASSAY_MUTANT", fmt::format("slowdown.{}.{}", kind, size)}};
      conditions.push_back(std::move(condition));
    }
  }
  if (conditions.empty()) throw Failure(ExitCode::usage, "--kinds and --sizes name no slowdown");
  return conditions;
}

std::string line_of(const KnownTruth& truth, bool slower) {
  if (slower)
    return fmt::format("{:<14} {:<13} {:>3} of {:>4} found, {:5.1f} % (at least {:5.1f} % at 95 %)\n",
                       truth.condition, truth.measure, truth.regressed, truth.cases,
                       100 * truth.share_found(), 100 * truth.found_at_least());
  return fmt::format(
      "{:<14} {:<13} {} slower, {} faster of {} cases in {} runs; {} alarms before confirmation; same {:.1f} "
      "%; a run "
      "shows a change at a rate of at most {:.3g} (95 %, by run)\n",
      truth.condition, truth.measure, truth.regressed, truth.improved, truth.cases, truth.runs, truth.alarms,
      100 * truth.share_same(), truth.bound_by_run());
}

nlohmann::ordered_json json_of(const KnownTruth& truth, bool slower) {
  nlohmann::ordered_json out{{"condition", truth.condition},
                             {"measure", truth.measure},
                             {"runs", truth.runs},
                             {"cases", truth.cases},
                             {"same", truth.same},
                             {"inconclusive", truth.inconclusive},
                             {"regressed", truth.regressed},
                             {"improved", truth.improved},
                             {"alarms_before_confirmation", truth.alarms}};
  if (slower) {
    out["share_found"] = truth.share_found();
    out["share_found_at_least"] = truth.found_at_least();
  } else {
    out["red_runs"] = truth.red_runs;
    out["changed_runs"] = truth.changed_runs;
    out["share_same"] = truth.share_same();
    out["changed_run_rate_at_most"] = truth.bound_by_run();
  }
  return out;
}

reports::Calibration record_of(const KnownTruth& truth, bool slower, const ComparisonPlan& plan) {
  reports::Calibration record;
  record.subject =
      slower ? reports::CalibrationSubject::slowdowns : reports::CalibrationSubject::false_changes;
  record.name = truth.condition;
  record.backend = plan.backend;
  record.trials = truth.cases;
  record.failures = slower ? truth.cases - truth.regressed : truth.regressed + truth.improved;
  record.seed = plan.seed;
  const std::vector<std::pair<const char*, int>> counts{
      {"runs", truth.runs},           {"changed_runs", truth.changed_runs},
      {"same", truth.same},           {"inconclusive", truth.inconclusive},
      {"regressed", truth.regressed}, {"improved", truth.improved},
      {"alarms", truth.alarms}};
  record.notes["measure"] = truth.measure;
  for (const auto& [name, count] : counts) record.notes[name] = std::to_string(count);
  return record;
}

std::vector<reports::ComparisonResult> run_condition(const Invocation& invocation, const Condition& condition,
                                                     std::int64_t runs, const std::string& folder) {
  std::vector<reports::ComparisonResult> results;
  for (std::int64_t run = 1; run <= runs; ++run) {
    ComparisonPlan plan = comparison_plan(invocation);
    plan.base = condition.base;
    plan.candidate = condition.candidate;
    plan.rule.identity = false;
    plan.seed = invocation.seed() + static_cast<std::uint64_t>(run) - 1;
    if (!folder.empty())
      plan.checkpoint = (fs::path(folder) / fmt::format("{}-{:03}.jsonl", condition.file, run)).string();
    const Comparison made = run_comparison(plan, invocation.console(),
                                           fmt::format("{}, run {} of {}", condition.name, run, runs));
    invocation.console().note(fmt::format("{}, run {} of {}: {} ({:.0f} s, others used {:.0f} % of the CPUs)",
                                          condition.name, run, runs, made.result.headline(), made.seconds,
                                          100 * made.others));
    results.push_back(made.result);
  }
  return results;
}

int run_aa(Invocation& invocation) {
  const bool slower = invocation.flag("planted");
  const std::int64_t runs = invocation.given("runs") ? invocation.integer("runs", 1, 10000) : slower ? 1 : 25;
  if (slower && invocation.given("conditions")) invocation.refuse("conditions", "goes without --planted");
  if (!slower)
    for (const char* option : {"kinds", "sizes"})
      if (invocation.given(option)) invocation.refuse(option, "goes with --planted");
  const std::string folder = invocation.maybe_text("checkpoint").value_or("");
  std::error_code problem;
  if (!folder.empty() && !fs::is_directory(folder, problem) && !fs::create_directory(folder, problem))
    invocation.refuse("checkpoint", "'" + folder + "' is no folder and cannot be made one");
  const std::vector<Condition> conditions = slower ? planted(invocation) : without_a_change(invocation);

  const ComparisonPlan plan = comparison_plan(invocation);

  const MachineLock lock(invocation);
  CalibrationRun record(invocation);
  std::string text;
  nlohmann::ordered_json documents = nlohmann::ordered_json::array();
  bool red = false, vacuous = true;
  for (const Condition& condition : conditions) {
    const auto results = run_condition(invocation, condition, runs, folder);
    for (const KnownTruth& truth : reports::known_truth(condition.name, results)) {
      text += line_of(truth, slower);
      documents.push_back(json_of(truth, slower));
      record.append(record_of(truth, slower, plan));
      red = red || truth.regressed > 0;
      vacuous = vacuous && truth.cases == 0;
    }
  }
  if (vacuous) throw Failure(ExitCode::vacuous, "no case was compared");
  const int code = record.finish(!slower && red ? ExitCode::regressed : ExitCode::ok);
  if (invocation.json())
    invocation.print_json(
        {{"exit_code", code}, {"run", record.run().id}, {slower ? "planted" : "false_alarms", documents}});
  else
    invocation.print(text);
  return code;
}

}  // namespace

Command describe_aa() {
  Command command;
  command.path = "aa";
  command.summary =
      "Compare a program with itself many times, or with planted slowdowns: what the verdicts are worth";
  command.examples = R"(Examples:
  ci/relink && assay aa --runs 25 --checkpoint aa
  assay aa --planted --kinds work,memory,idle --sizes 1,2,5,10 --checkpoint planted
Without a change every red is false: their rate is bounded by run. The programs have equal code, which here counts for
nothing. Slowdowns are planted in what assay-mutants times, on the CPU or the device. On a machine that does nothing else.
Exit codes: 0 no false red (or, planted, whatever was found), 4 a false red, 6 nothing was compared, 7 a process failed.)";
  command.options = comparison_options();
  for (Option option : std::vector<Option>{
           {"runs", "N", "fresh runs of the whole suite; by default 25, with --planted 1"},
           {"program", "FILE", "the program; by default this one, with --planted assay-mutants beside it"},
           {"relinked", "FILE",
            "the same objects in another order; by default assay-relinked beside the program"},
           {"conditions", "LIST", "of identical and relinked", "identical,relinked"},
           {"planted", "", "slowdowns of a known size instead"},
           {"kinds", "LIST", "of work, memory and idle", "work,memory,idle"},
           {"sizes", "LIST", "in per cent", "1,2,5,10"},
           {"checkpoint", "FOLDER", "keeps every block there and goes on from it"},
           store_option()})
    command.options.push_back(std::move(option));
  command.run = run_aa;
  return command;
}

}  // namespace assay::program
