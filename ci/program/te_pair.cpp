#include <optional>

#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/te_answer.hpp"
#include "ci/program/te_options.hpp"
#include "engine/analysis/auto_embed.hpp"
#include "engine/analysis/delay_scan.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

int run_pair(Invocation& invocation) {
  TeAnswer answer;
  answer.measure = "transfer entropy";
  answer.options.estimation = read_estimation(invocation);
  answer.options.surrogates = read_surrogates(invocation);
  answer.options.local = invocation.flag("local");
  DelayedSpec delayed = read_delayed_spec(invocation);
  analysis::TeSpec& spec = delayed.spec;
  const bool scans = delayed.delays.size() > 1;
  const auto search = read_auto_embed(invocation);
  if (scans && search) invocation.refuse("auto-embed", "looks at a single --delay, expected one");
  ChosenBackend chosen = choose_backend(invocation, required_operation("te.ksg"));

  SeriesInput input(invocation);
  invocation.text("source");
  invocation.text("target");
  spec.sources = input.columns(invocation, "source");
  spec.targets = input.columns(invocation, "target");
  spec.conditionals = input.columns(invocation, "conditional");
  const analysis::SeriesTable table = input.read(invocation);
  note_seed(invocation, answer.options);

  const analysis::Estimator estimator = estimator_on(chosen);
  std::optional<WaitingLine> waiting(std::in_place, invocation.console(), "estimating");
  const auto start = std::chrono::steady_clock::now();
  if (search) {
    spec = value_or_fail(analysis::auto_embed(table, spec, answer.options.estimation, *search, estimator));
  }
  auto& parameters = answer.parameters;
  if (scans) {
    auto scan = value_or_fail(
        analysis::scan_delays(table, spec, delayed.delays, answer.options, estimator, chosen.context.pool()));
    answer.estimate = std::move(scan.estimate);
    spec.delay = scan.delay;
    parameters["delays"] = delayed.delays;
    parameters["te_nats_by_delay"] = scan.values;
  } else {
    answer.estimate =
        value_or_fail(analysis::estimate(table, spec, answer.options, estimator, chosen.context.pool()));
  }
  answer.elapsed_ms = milliseconds_since(start);
  waiting.reset();
  answer.question = names_of(table, spec.sources) + " -> " + names_of(table, spec.targets);
  if (!spec.conditionals.empty()) answer.question += " given " + names_of(table, spec.conditionals);

  if (scans)
    answer.question +=
        fmt::format(" at delay {}, of {} delays the largest", spec.delay, delayed.delays.size());
  parameters["source"] = name_list(table, spec.sources);
  parameters["target"] = name_list(table, spec.targets);
  if (!spec.conditionals.empty()) {
    parameters["conditional"] = name_list(table, spec.conditionals);
    parameters["cond_history"] = spec.cond_history;
    parameters["cond_tau"] = spec.cond_tau;
    parameters["cond_delay"] = spec.cond_delay;
  }
  parameters["k_history"] = spec.k_history;
  parameters["k_tau"] = spec.k_tau;
  parameters["l_history"] = spec.l_history;
  parameters["l_tau"] = spec.l_tau;
  parameters["delay"] = spec.delay;
  print_answer(invocation, chosen, answer);
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_te_pair() {
  Command command;
  command.path = "te pair";
  command.summary = "Transfer entropy from one or several series to another";
  command.examples = R"(Examples:
  assay te pair --data F.csv --source x --target y --surrogates 100
  assay te pair --data F.csv --source 0 --target 1 --conditional 2,3 --cond-delay 1,2 --k-history 2 --json
  assay te pair --data F.csv --source x --target y --delay 1..20 --surrogates 200
  assay te pair --data F.csv --source x --target y --auto-embed ragwitz --theiler 10)";
  command.options = joined({series_options(),
                            {{"source", "COL,..", "columns of the source, by name or 0-based number"},
                             {"target", "COL,..", "columns of the target"},
                             {"conditional", "COL,..", "columns that are conditioned on"}},
                            estimation_options(),
                            history_options(true),
                            auto_embed_options(),
                            surrogate_options(),
                            {{"local", "", "print the local value of every observation too"}}});
  command.run = run_pair;
  return command;
}

}  // namespace assay::program
