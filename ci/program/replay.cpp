#include "validation/replay.hpp"

#include "ci/program/backend_choice.hpp"
#include "ci/program/checking.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/invocation.hpp"
#include "ci/program/translate.hpp"
#include "fmt/format.h"
#include "validation/worker.hpp"

namespace assay::program {
namespace {

int run_replay_command(Invocation& invocation) {
  const std::string path = invocation.positionals().at(0);
  const validation::Replay replay = value_or_fail(validation::read_replay(path));
  validation::RunOptions options = validation::options_from_environment();
  options.threads = threads_of(invocation);
  options.device = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  const auto suites = validation::suites();
  const auto runner =
      validation::isolating_runner({validation::this_program()}, std::chrono::minutes(10), true);
  const validation::ReplayOutcome outcome =
      value_or_fail(validation::run_replay(replay, suites, options, runner));
  const reports::Check check = check_of(outcome.check);
  const bool red = validation::is_red(outcome.check.verdict);
  if (invocation.json()) {
    nlohmann::ordered_json document{{"replay", path},
                                    {"name", reports::check_key(check)},
                                    {"verdict", reports::to_string(check.verdict)},
                                    {"same", outcome.same},
                                    {"summary", outcome.summary},
                                    {"message", check.message}};
    invocation.print_json(document);
  } else {
    invocation.print(fmt::format("{}\n{}\n", line_of(check), outcome.summary));
  }
  if (red) return code_of(ExitCode::incorrect);
  return code_of(outcome.check.verdict == validation::Verdict::not_executed ? ExitCode::invalid
                                                                            : ExitCode::ok);
}

}  // namespace

Command describe_replay() {
  Command command;
  command.path = "replay";
  command.summary = "Run one recorded failing case again, bit for bit";
  command.examples =
      "Examples:\n  assay replay reports/replays/te.knn.matches_reference.cpu.1.json\n"
      "Exit codes: 0 it no longer fails, 3 it does, 7 its device is missing.";
  command.positionals = {{"FILE", "a replay file, as validate names it"}};
  command.run = run_replay_command;
  return command;
}

}  // namespace assay::program
