#include "ci/program/te_information.hpp"

#include <optional>

#include "ci/program/failure.hpp"
#include "ci/program/te_answer.hpp"
#include "ci/program/te_options.hpp"

namespace assay::program {

int run_information(Invocation& invocation, bool conditional) {
  TeAnswer answer;
  answer.transfer = false;
  answer.measure = conditional ? "conditional mutual information" : "mutual information";
  answer.options.estimation = read_estimation(invocation);
  answer.options.surrogates = read_surrogates(invocation);
  answer.options.local = invocation.flag("local");
  ChosenBackend chosen = choose_backend(invocation, required_operation("te.ksg"));

  SeriesInput input(invocation);
  analysis::CmiSpec spec;
  for (const char* option : {"x", "y"}) invocation.text(option);
  spec.x = input.columns(invocation, "x");
  spec.y = input.columns(invocation, "y");
  if (conditional) {
    invocation.text("z");
    spec.z = input.columns(invocation, "z");
  }
  const analysis::SeriesTable table = input.read(invocation);
  note_seed(invocation, answer.options);

  const analysis::Estimator estimator = estimator_on(chosen);
  std::optional<WaitingLine> waiting(std::in_place, invocation.console(), "estimating");
  const auto start = std::chrono::steady_clock::now();
  answer.estimate =
      value_or_fail(analysis::estimate(table, spec, answer.options, estimator, chosen.context.pool()));
  answer.elapsed_ms = milliseconds_since(start);
  waiting.reset();
  answer.question = names_of(table, spec.x) + " with " + names_of(table, spec.y);
  if (conditional) answer.question += " given " + names_of(table, spec.z);
  answer.parameters["x"] = name_list(table, spec.x);
  answer.parameters["y"] = name_list(table, spec.y);
  if (conditional) answer.parameters["z"] = name_list(table, spec.z);
  print_answer(invocation, chosen, answer);
  return code_of(ExitCode::ok);
}

}  // namespace assay::program
