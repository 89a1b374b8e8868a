#include <filesystem>
#include <map>

#include "ci/program/application.hpp"
#include "ci/program/backend_choice.hpp"
#include "ci/program/calibrating.hpp"
#include "ci/program/checking.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/operation_help.hpp"
#include "ci/program/suggestion.hpp"
#include "fmt/format.h"
#include "validation/calibrate.hpp"
#include "validation/replay.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

reports::Calibration record_of(const validation::FalseRedCount& count, std::int64_t first_turn,
                               std::uint64_t seed) {
  reports::Calibration record;
  record.subject = reports::CalibrationSubject::false_reds;
  record.operation = count.job.operation;
  record.name = count.job.property->name;
  record.backend = assay::name_of(count.job.backend);
  record.trials = count.cases;
  record.failures = count.reds;
  record.seed = seed;
  record.turns = count.turns;
  record.utilisation = count.utilisation;
  record.message = count.message;
  record.elapsed_ms = count.elapsed_ms;
  record.notes["first_turn"] = std::to_string(first_turn);
  return record;
}

/// What earlier runs of the same sources counted already: the goal shrinks by it, and its seeds are not drawn
/// again. Nothing carries over from or to a work tree with changes: it may be another program.
void subtract_earlier(std::vector<validation::CaseGoal>& goals, const CalibrationRun& run) {
  if (run.run().dirty || run.run().commit.empty()) return;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> counted;  // cases, turns of this seed
  for (const reports::RunRecord& record : run.all()) {
    if (record.run.dirty || record.run.commit != run.run().commit) continue;
    for (const reports::Calibration& item : record.calibrations) {
      if (item.subject != reports::CalibrationSubject::false_reds) continue;
      auto& [cases, turns] = counted[item.operation + "/" + item.name + "/" + item.backend];
      cases += item.trials;
      if (item.seed == run.run().seed) turns = std::max(turns, item.turns);
    }
  }
  for (validation::CaseGoal& goal : goals) {
    const auto found = counted.find(goal.job.name());
    if (found == counted.end()) continue;
    goal.cases -= found->second.first;
    goal.first_turn = found->second.second;
  }
  std::erase_if(goals, [](const validation::CaseGoal& goal) { return goal.cases <= 0; });
}

/// What the store holds of the state of the sources that this run counted.
std::vector<reports::RunRecord> added_up(const CalibrationRun& run) {
  std::vector<reports::RunRecord> same;
  for (reports::RunRecord& record : run.all()) {
    const bool clean = !run.run().dirty && !run.run().commit.empty();
    if (record.run.id == run.run().id ||
        (clean && !record.run.dirty && record.run.commit == run.run().commit))
      same.push_back(std::move(record));
  }
  return same;
}

nlohmann::ordered_json json_of(const std::vector<reports::Tally>& tallies, const char* scope) {
  auto list = nlohmann::ordered_json::array();
  for (const reports::Tally& tally : tallies) {
    list.push_back({{scope, tally.scope},
                    {"backend", tally.backend},
                    {"cases", tally.trials},
                    {"reds", tally.failures},
                    {"rate_upper_bound_95", tally.upper_bound()},
                    {"utilisation", tally.utilisation.value_or(0)},
                    {"seconds", tally.seconds}});
  }
  return list;
}

int run_false_reds(Invocation& invocation) {
  const auto suites = validation::suites();
  const std::string pattern = invocation.maybe_text("op").value_or("");
  const std::int64_t cases = invocation.integer("cases", 1, 1'000'000'000);
  const auto jobs = validation::random_jobs(suites, pattern, wanted_backends(invocation));
  if (jobs.empty()) {
    throw Failure(ExitCode::vacuous,
                  fmt::format("--op '{}' matches no property that draws its data{} (assay list)", pattern,
                              suggestion(pattern, operation_names())));
  }
  validation::CalibrateOptions options;
  options.run = validation::options_from_environment();
  options.run.seed = invocation.seed();
  options.run.threads = 2;  // so that what threads do to one another is seen
  options.run.device = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  options.run.version = version();
  options.parallel = threads_of(invocation);

  CalibrationRun run(invocation);
  auto goals = validation::share_cases(jobs, cases);
  subtract_earlier(goals, run);
  std::map<std::string, std::int64_t> first_turn;
  for (const auto& goal : goals) first_turn[goal.job.name()] = goal.first_turn;
  invocation.console().note(fmt::format("seed {}, {} of {} properties have cases to draw, recorded in {}",
                                        options.run.seed, goals.size(), jobs.size(), run.store().url()));
  const std::string replays = (fs::path(store_path(invocation)).parent_path() / "replays").string();
  ProgressLine line(invocation.console(), "random cases");
  std::vector<reports::Calibration> made;
  validation::count_false_reds(
      goals, {validation::this_program()}, options,
      [&](const validation::FalseRedCount& count) {
        made.push_back(record_of(count, first_turn[count.job.name()], options.run.seed));
        run.append(made.back());
        for (const validation::Replay& replay : count.replays) {
          const auto written = validation::write_replay(replay, replays);
          if (!written) invocation.console().warn(written.error().message);
        }
      },
      [&](std::int64_t done, std::int64_t total, const std::string& name) {
        line.update(done, total, name);
      });

  const auto whole = added_up(run);
  const auto families = false_reds_by(whole, true);
  std::int64_t reds = 0;
  std::string red_lines;
  for (const reports::RunRecord& record : whole) {
    for (const reports::Calibration& item : record.calibrations) {
      if (item.failures == 0 || item.subject != reports::CalibrationSubject::false_reds) continue;
      reds += item.failures;
      red_lines += fmt::format("red          {}/{}/{}: {} batches, the first: {}\n", item.operation,
                               item.name, item.backend, item.failures, item.message);
    }
  }
  const ExitCode outcome = families.empty() ? ExitCode::invalid
                           : reds > 0       ? ExitCode::incorrect
                                            : ExitCode::ok;
  const int code = run.finish(outcome);
  if (invocation.json()) {
    auto document = calibration_document(run.run(), code, made);
    document["families"] = json_of(families, "family");
    document["operations"] = json_of(false_reds_by(whole, false), "operation");
    invocation.print_json(document);
    return code;
  }
  std::string text = red_lines;
  for (const reports::Tally& tally : false_reds_by(whole, false)) text += line_of(tally);
  for (const reports::Tally& tally : families) text += line_of(tally);
  if (families.empty()) text += "no case ran: the backend is not there\n";
  invocation.print(text);
  return code;
}

}  // namespace

Command describe_calibrate_false_reds() {
  Command command;
  command.path = "calibrate false-reds";
  command.summary = "How often a right program is called wrong, over many random cases";
  command.examples = R"(Examples:
  assay calibrate false-reds                          100,000 cases a family on every backend that works here
  assay calibrate false-reds --backend cpu --op 'te.*' --cases 1000
Cases are shared alike among the operations of a family. What was counted at this commit before adds up: a run that was
ended is gone on with, and only what is missing is drawn. Fixed checks draw nothing and do not count.
Exit codes: 0 no red, 3 a red, 6 no property matches, 7 the backend is missing.)";
  command.options = {{"op", "GLOB", "only operations whose name matches; commas separate several"},
                     {"cases", "N", "random cases of each family on each backend", "100000"},
                     store_option()};
  command.run = run_false_reds;
  return command;
}

}  // namespace assay::program
