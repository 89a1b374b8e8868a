#include <optional>

#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/te_answer.hpp"
#include "ci/program/te_options.hpp"
#include "engine/analysis/auto_embed.hpp"

namespace assay::program {
namespace {

int run_ais(Invocation& invocation) {
  TeAnswer answer;
  answer.transfer = false;
  answer.measure = "active information storage";
  answer.options.estimation = read_estimation(invocation);
  answer.options.surrogates = read_surrogates(invocation);
  answer.options.local = invocation.flag("local");
  analysis::AisSpec spec;
  spec.k_history = invocation.integer("k-history", 1, most_lags);
  spec.k_tau = invocation.integer("k-tau", 1, most_lags);
  const auto search = read_auto_embed(invocation);
  ChosenBackend chosen = choose_backend(invocation, required_operation("te.ksg"));

  SeriesInput input(invocation);
  invocation.text("series");
  spec.series = input.columns(invocation, "series");
  const analysis::SeriesTable table = input.read(invocation);
  note_seed(invocation, answer.options);

  const analysis::Estimator estimator = estimator_on(chosen);
  std::optional<WaitingLine> waiting(std::in_place, invocation.console(), "estimating");
  const auto start = std::chrono::steady_clock::now();
  if (search) {
    spec = value_or_fail(analysis::auto_embed(table, spec, answer.options.estimation, *search, estimator));
  }
  answer.estimate =
      value_or_fail(analysis::estimate(table, spec, answer.options, estimator, chosen.context.pool()));
  answer.elapsed_ms = milliseconds_since(start);
  waiting.reset();
  answer.question = names_of(table, spec.series);
  answer.parameters["series"] = name_list(table, spec.series);
  answer.parameters["k_history"] = spec.k_history;
  answer.parameters["k_tau"] = spec.k_tau;
  print_answer(invocation, chosen, answer);
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_te_ais() {
  Command command;
  command.path = "te ais";
  command.summary = "Active information storage: what a series' past says about its next value";
  command.examples = R"(Examples:
  assay te ais --data F.csv --series x --k-history 2
  assay te ais --data F.csv --series x --auto-embed ais --json)";
  command.options = joined({series_options(),
                            {{"series", "COL,..", "columns of the series, by name or 0-based number"},
                             {"k-history", "N", "length of the past", "1"},
                             {"k-tau", "N", "spacing of the past", "1"}},
                            estimation_options(),
                            auto_embed_options(),
                            surrogate_options(),
                            {{"local", "", "print the local value of every observation too"}}});
  command.run = run_ais;
  return command;
}

}  // namespace assay::program
