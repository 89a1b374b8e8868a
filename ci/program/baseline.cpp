#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/judging.hpp"
#include "ci/program/recording.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

nlohmann::ordered_json baseline_json(const reports::Baseline& baseline) {
  return {{"branch", baseline.branch},
          {"fingerprint", baseline.fingerprint},
          {"quick", baseline.quick},
          {"run", baseline.run_id},
          {"promoted_at", baseline.promoted_at}};
}

std::string baseline_line(const reports::Baseline& baseline) {
  return fmt::format("branch '{}', environment {}, {}: run {} (promoted {})\n", baseline.branch,
                     baseline.fingerprint, baseline.quick ? "quick" : "full", baseline.run_id,
                     baseline.promoted_at.substr(0, 19));
}

int run_promote(Invocation& invocation) {
  reports::Store store = open_existing_store(invocation);
  const reports::RunRecord run =
      stored_run(store, invocation.positionals().empty() ? "latest" : invocation.positionals().front());
  const reports::Baseline baseline = store.promote(run.run.id);
  if (invocation.json())
    invocation.print_json(baseline_json(baseline));
  else
    invocation.print(baseline_line(baseline));
  return code_of(ExitCode::ok);
}

int run_show(Invocation& invocation) {
  const reports::Store store = open_existing_store(invocation);
  const auto baselines = store.baselines();
  if (baselines.empty())
    throw Failure(ExitCode::vacuous, store.url() + ": no baseline (assay baseline promote)");
  nlohmann::ordered_json document = nlohmann::ordered_json::array();
  std::string text;
  for (const reports::Baseline& baseline : baselines) {
    document.push_back(baseline_json(baseline));
    text += baseline_line(baseline);
  }
  if (invocation.json())
    invocation.print_json({{"baselines", document}});
  else
    invocation.print(text);
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_baseline_promote() {
  Command command;
  command.path = "baseline promote";
  command.summary = "Make a stored run the one that later runs are compared with";
  command.examples = "Examples:\n  assay baseline promote\n  assay baseline promote 3f2a91c0";
  command.options = {store_option()};
  command.positionals = {{"RUN", "a run's id, a prefix of it, or latest (the default)", false}};
  command.run = run_promote;
  return command;
}

Command describe_baseline_show() {
  Command command;
  command.path = "baseline show";
  command.summary = "The baselines, one for each branch, environment and mode";
  command.examples = "Examples:\n  assay baseline show --json";
  command.options = {store_option()};
  command.run = run_show;
  return command;
}

}  // namespace assay::program
