#include <algorithm>
#include <filesystem>

#include "ci/program/application.hpp"
#include "ci/program/backend_choice.hpp"
#include "ci/program/calibrating.hpp"
#include "ci/program/checking.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/mutating.hpp"
#include "fmt/format.h"
#include "validation/calibrate.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;
using Status = validation::PlantedReplay::Status;

constexpr double shrink_limit = 60;  // seconds: harness.md
constexpr std::int64_t most_non_zeros = 64;

/// Faults that match, on the backends that are wanted.
std::vector<validation::Suite> chosen_faults(const std::vector<validation::Suite>& suites,
                                             const std::string& pattern,
                                             const std::vector<Backend>& backends) {
  auto chosen = with_mutants_on(suites, backends);
  for (validation::Suite& suite : chosen) {
    if (validation::matches(suite.operation(), pattern)) continue;
    validation::Suite kept(suite.operation());
    for (const auto& property : suite.properties()) kept.property(property);
    for (const auto& mutant : suite.mutants())
      if (validation::matches(mutant.id, pattern)) kept.mutant(mutant);
    suite = std::move(kept);
  }
  return chosen;
}

bool was_replayed(const validation::PlantedReplay& planted) {
  return planted.status == Status::same || planted.status == Status::different;
}

/// Whether more non-zeros are left than somebody is to look at.
bool is_dense(const validation::PlantedReplay& planted) {
  return was_replayed(planted) && planted.replay.non_zeros > most_non_zeros;
}

reports::Calibration record_of(const validation::PlantedReplay& planted) {
  reports::Calibration record;
  record.subject = reports::CalibrationSubject::replay;
  record.operation = planted.operation;
  record.name = planted.mutant.id;
  record.backend = assay::name_of(planted.mutant.backend);
  record.trials = 1;
  record.failures = planted.status == Status::same ? 0 : 1;
  record.seed = planted.seed;
  record.value = planted.replay.shrink_seconds;
  record.limit = shrink_limit;
  record.message = planted.message;
  record.elapsed_ms = planted.elapsed_ms;
  record.notes = {{"property", planted.property},
                  {"inputs", planted.replay.inputs},
                  {"elements", std::to_string(planted.replay.elements)},
                  {"non_zeros", std::to_string(planted.replay.non_zeros)},
                  {"shrunk_to_end", planted.replay.shrunk_to_end ? "yes" : "no"}};
  if (is_dense(planted) && !planted.mutant.dense_because.empty())
    record.notes.emplace("dense_because", planted.mutant.dense_because);
  return record;
}

std::string line_of(const validation::PlantedReplay& planted) {
  return fmt::format("{:<10} {} (seed {}) by {}: {}\n", validation::name_of(planted.status),
                     planted.mutant.id, planted.seed, planted.property, planted.message);
}

/// "83 non-zeros: FAULT (seed 1) by PROPERTY on SHAPES", and why where it cannot have fewer.
std::string dense_line_of(const validation::PlantedReplay& planted) {
  const std::string& why = planted.mutant.dense_because;
  return fmt::format("{} non-zeros: {} (seed {}) by {} on {}: {}\n", planted.replay.non_zeros,
                     planted.mutant.id, planted.seed, planted.property, planted.replay.inputs,
                     why.empty() ? "not shrunk as far as harness.md asks" : why);
}

/// What the replayed failures came to.
struct Summary {
  std::int64_t replayed = 0, same = 0, in_time = 0, with_inputs = 0;
  std::int64_t sparse = 0;  ///< have at most 64 non-zeros
  std::int64_t dense = 0;   ///< have more, and the fault says why no failing case has fewer
  double slowest = 0;
  std::int64_t most_non_zeros_seen = 0;
  void add(const validation::PlantedReplay& planted) {
    if (!was_replayed(planted)) return;
    const validation::Replay& replay = planted.replay;
    ++replayed;
    same += planted.status == Status::same;
    in_time += replay.shrunk_to_end && replay.shrink_seconds <= shrink_limit;
    slowest = std::max(slowest, replay.shrink_seconds);
    if (replay.elements < 0) return;
    ++with_inputs;
    sparse += !is_dense(planted);
    dense += is_dense(planted) && !planted.mutant.dense_because.empty();
    most_non_zeros_seen = std::max(most_non_zeros_seen, replay.non_zeros);
  }
  bool ok() const { return same == replayed && in_time == replayed && sparse + dense == with_inputs; }
};

int run_replays(Invocation& invocation) {
  const auto suites = validation::suites();
  const std::string pattern = invocation.maybe_text("op").value_or("");
  const std::int64_t wanted = invocation.integer("count", 1, 1'000'000);
  const std::string program = mutant_program(invocation.console(), true);
  if (program.empty()) {
    throw Failure(ExitCode::usage,
                  "assay-mutants is not beside this program, expected it to be built (ci/build)");
  }
  const auto chosen = chosen_faults(suites, pattern, wanted_backends(invocation));
  if (std::all_of(chosen.begin(), chosen.end(), [](const auto& suite) { return suite.mutants().empty(); }))
    throw Failure(ExitCode::vacuous, "no planted fault matches '" + pattern + "'");
  validation::CalibrateOptions options;
  options.run = validation::options_from_environment();
  options.run.seed = invocation.seed();
  options.run.threads = 2;  // so that what threads do to one another is seen
  options.run.device = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  options.run.shrink_seconds = shrink_limit;
  options.run.version = version();
  options.parallel = threads_of(invocation);
  CalibrationRun run(invocation);
  const std::string folder = invocation.maybe_text("keep").value_or(
      (fs::path(store_path(invocation)).parent_path() / "replays" / "planted").string());

  Summary summary;
  std::vector<reports::Calibration> made;
  std::string text;
  auto dense = nlohmann::json::array();
  std::int64_t unreplayable = 0, uncaught = 0;
  {
    ProgressLine line(invocation.console(), "planted failures");
    validation::replay_planted(
        chosen, program, folder, wanted, options,
        [&](const validation::PlantedReplay& planted, std::int64_t replayed) {
          line.update(std::min(replayed, wanted), wanted, planted.mutant.id);
          summary.add(planted);
          uncaught += planted.status == Status::not_found;
          unreplayable += planted.status == Status::no_replay;
          if (planted.status == Status::different || planted.status == Status::no_replay)
            text += line_of(planted);
          if (is_dense(planted)) {
            text += dense_line_of(planted);
            dense.push_back({{"fault", planted.mutant.id},
                             {"property", planted.property},
                             {"seed", planted.seed},
                             {"inputs", planted.replay.inputs},
                             {"non_zeros", planted.replay.non_zeros},
                             {"because", planted.mutant.dense_because}});
          }
          if (planted.status == Status::not_found) return;
          made.push_back(record_of(planted));
          run.append(made.back());
        });
  }
  const ExitCode outcome = summary.replayed == 0               ? ExitCode::invalid
                           : summary.ok() && unreplayable == 0 ? ExitCode::ok
                                                               : ExitCode::incorrect;
  const int code = run.finish(outcome);
  if (invocation.json()) {
    auto document = calibration_document(run.run(), code, made);
    document["replayed"] = summary.replayed;
    document["same"] = summary.same;
    document["without_a_replay"] = unreplayable;
    document["not_caught"] = uncaught;
    document["shrunk_in_time"] = summary.in_time;
    document["slowest_shrink_seconds"] = summary.slowest;
    document["at_most_64_non_zeros"] = summary.sparse;
    document["most_non_zeros"] = summary.most_non_zeros_seen;
    document["more_than_64_non_zeros"] = dense;
    invocation.print_json(document);
    return code;
  }
  text += fmt::format("replays: {} of {} the same, bit for bit, in a fresh process", summary.same,
                      summary.replayed);
  if (unreplayable > 0) text += fmt::format("; {} crashed or hung and left none", unreplayable);
  if (uncaught > 0) text += fmt::format("; {} times a fault was not caught with the seed", uncaught);
  text += fmt::format(
      "\nshrinking: {} of {} to the end within {:.0f} s, the slowest {:.1f} s; {} of {} at "
      "most {} non-zeros, {} with more because no failing case has fewer; the most {}\n",
      summary.in_time, summary.replayed, shrink_limit, summary.slowest, summary.sparse, summary.with_inputs,
      most_non_zeros, summary.dense, summary.most_non_zeros_seen);
  invocation.print(text);
  return code;
}

}  // namespace

Command describe_calibrate_replays() {
  Command command;
  command.path = "calibrate replays";
  command.summary = "Whether planted failures shrink, and fail again when replayed";
  command.examples = R"(Examples:
  assay calibrate replays                       200 failures of planted faults, several seeds each
  assay calibrate replays --op te.knn --count 10 --keep /tmp/replays
Each failure is shrunk, written, read back and run in a new process of the same faulty program: it must fail on the same
case with the same outputs and figures, bit for bit. Those that keep more than 64 non-zeros are listed: it is no miss where
the fault says why no failing case has fewer.
Exit codes: 0 all did, 3 one did not or was not shrunk as harness.md asks, 6 no fault matches, 7 none could be run.)";
  command.options = {
      {"op", "GLOB", "only faults whose id or operation matches"},
      {"count", "N", "failures to replay", "200"},
      {"keep", "DIR", "where the replay files go; by default replays/planted beside the store"},
      store_option()};
  command.run = run_replays;
  return command;
}

}  // namespace assay::program
