#include "validation/mutate.hpp"

#include "benchmarks/suite.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/mutating.hpp"
#include "ci/program/recording.hpp"
#include "ci/program/translate.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

std::string text_of(const validation::MutationReport& report, bool all) {
  std::string out;
  for (const validation::MutantResult& result : report.mutants) {
    const bool caught = validation::counts_as_caught(result.status);
    if (caught && !all) continue;
    out += fmt::format("{:<12} {:<44} {}{}\n", validation::name_of(result.status), result.mutant.id,
                       result.property.empty() ? result.mutant.what : "by " + result.property,
                       result.cases > 0 ? fmt::format(", {} cases", result.cases) : "");
  }
  for (const validation::CheckResult& control : report.controls) {
    if (control.verdict != validation::Verdict::pass) {
      out += fmt::format("control      {}: {} without a fault: {}\n", control.name(),
                         validation::name_of(control.verdict), control.message);
    }
  }
  const auto total = static_cast<std::size_t>(report.total());
  out += fmt::format("mutants: {} of {} caught", report.caught(), total);
  if (total < report.mutants.size()) out += fmt::format(", {} not executed", report.mutants.size() - total);
  return out + "\n";
}

int run_mutate(Invocation& invocation) {
  const auto suites = validation::suites();
  const std::string pattern = invocation.maybe_text("op").value_or("");
  const std::string program = mutant_program(invocation.console(), true);
  if (program.empty()) {
    throw Failure(ExitCode::usage,
                  "assay-mutants is not beside this program, expected it to be built (ci/build)");
  }
  const validation::MutationReport report = run_mutants(invocation, program, pattern, suites);
  if (!report.vacuous.empty()) throw Failure(ExitCode::vacuous, report.vacuous);
  const bool required = validation::options_from_environment().require_cuda;
  const auto executed = static_cast<std::size_t>(report.total());
  const bool missing = executed == 0 || (required && executed < report.mutants.size());
  const int code = code_of(missing       ? ExitCode::invalid
                           : report.ok() ? ExitCode::ok
                                         : ExitCode::incorrect);
  if (invocation.flag("record")) {
    reports::Store store = open_store(invocation);
    Recording recording(invocation, store, "mutate", false, device_in_use(invocation));
    recording.append(operation_infos(suites, benchmarks::suites()));
    recording.append(mutant_records(report));
    recording.finish();
    recording.set_exit(code);
  }
  if (invocation.json()) {
    nlohmann::json document = report;
    invocation.print_json(document);
  } else {
    invocation.print(text_of(report, !invocation.console().quiet()));
  }
  return code;
}

}  // namespace

Command describe_mutate() {
  Command command;
  command.path = "mutate";
  command.summary = "Run the planted faults: which property catches which";
  command.examples = R"(Examples:
  assay mutate
  assay mutate --op te.knn --json
Exit codes: 0 all caught, 3 one was missed or never reached, 6 there is none to run, 7 their device is missing.)";
  command.options = {{"op", "GLOB", "only mutants whose id or operation matches"},
                     {"record", "", "keep the result in the store"},
                     store_option()};
  command.run = run_mutate;
  return command;
}

}  // namespace assay::program
