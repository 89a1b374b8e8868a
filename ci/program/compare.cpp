#include "ci/program/commands.hpp"
#include "ci/program/comparing.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/load_meter.hpp"
#include "ci/program/machine_lock.hpp"
#include "ci/program/output_file.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

int run_compare(Invocation& invocation) {
  const auto markdown = output_path(invocation, "markdown");
  ComparisonPlan plan = comparison_plan(invocation);
  plan.base = compared_program(invocation.positionals().at(0), "base");
  plan.candidate = compared_program(invocation.positionals().at(1), "candidate");
  plan.rule.identity = !invocation.flag("no-identity");
  plan.checkpoint = invocation.maybe_text("checkpoint").value_or("");
  if (!plan.checkpoint.empty()) check_output_path(plan.checkpoint, invocation.source("checkpoint"));
  const bool strict = invocation.flag("strict");
  const MachineLock lock(invocation);
  const Comparison comparison = run_comparison(plan, invocation.console());
  for (const auto& [measure, why] : comparison.missing)
    invocation.console().note(measure + " are not measured: " + why);
  if (comparison.others > most_load_of_others)
    invocation.console().warn(fmt::format("other programs used {:.0f} % of the CPUs: expect `inconclusive`",
                                          100 * comparison.others));
  if (comparison.result.items.empty()) throw Failure(ExitCode::vacuous, "no case to compare");
  const std::string table = comparison.result.markdown();
  if (markdown) write_text(*markdown, table);
  if (invocation.json())
    invocation.print_json(comparison_json(comparison, strict));
  else
    invocation.print(table);
  return comparison.result.exit_code(strict);
}

}  // namespace

Command describe_compare() {
  Command command;
  command.path = "compare";
  command.summary = "Is it a regression? Two builds, their processes interleaved";
  command.examples = R"(Examples:
  assay compare main/build/assay build/assay
  assay compare old new --op 'te.*' --budget 10m --checkpoint compare.jsonl --markdown summary.md
  assay compare old new --counted
Blocks of four processes, A B B A. After half of them only `same` may be concluded, after all of them a change; a change is
confirmed in a fresh run. --counted asks what a call executes and not how long it takes: exact to one instruction where the
program is, blind to waiting and to memory. With --checkpoint one that was killed goes on where it was when it is called again.
Exit codes: 0 nothing is slower, 2 bad input, or too few blocks to reject anything, 3 an answer is wrong, 4 regressed,
5 inconclusive (with --strict), 6 a benchmark vanished or nothing matches, 7 a process failed.)";
  command.options = comparison_options();
  command.options.push_back({"checkpoint", "FILE", "keeps every block there and goes on from it"});
  command.options.push_back({"strict", "", "inconclusive fails"});
  command.options.push_back({"no-identity", "", "judge programs of equal machine code like any others"});
  command.options.push_back({"markdown", "FILE", "the table for a pull request"});
  command.positionals = {{"BASE", "an `assay` program", true},
                         {"CANDIDATE", "another, on this machine", true}};
  command.run = run_compare;
  return command;
}

}  // namespace assay::program
