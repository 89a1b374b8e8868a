#include "benchmarks/suite.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/exit_code.hpp"
#include "ci/program/invocation.hpp"
#include "ci/program/operation_help.hpp"
#include "ci/program/translate.hpp"
#include "engine/operation.hpp"
#include "fmt/format.h"
#include "validation/runner.hpp"
#include "validation/suite.hpp"

namespace assay::program {
namespace {

int run_list(Invocation& invocation) {
  const auto properties = validation::suites();
  const auto sizes = benchmarks::suites();
  const auto pattern = invocation.maybe_text("op");
  nlohmann::ordered_json document = nlohmann::ordered_json::array();
  std::string text;
  for (const reports::OperationInfo& info : operation_infos(properties, sizes)) {
    if (pattern && !validation::matches(info.name, *pattern)) continue;
    const Operation& operation = *find_operation(info.name);
    nlohmann::ordered_json item = operation_json(operation);
    item["properties"] = info.properties;
    item["benchmark_cases"] = info.benchmark_cases;
    nlohmann::ordered_json mutants = nlohmann::ordered_json::array();
    for (const auto& suite : properties) {
      if (suite.operation() != info.name) continue;
      for (const auto& mutant : suite.mutants()) mutants.push_back(mutant.id);
    }
    text += fmt::format("{}: {}\n  backends {} (CUDA body: {}); {} properties, {} mutants, {} sizes\n",
                        info.name, info.summary, fmt::join(info.backends, ", "), info.cuda_body,
                        info.properties.size(), mutants.size(), info.benchmark_cases.size());
    std::string parameters;
    for (const ParameterInfo& parameter : operation.parameters) {
      parameters += (parameters.empty() ? "" : ", ") + parameter.name;
      if (parameter.fallback) parameters += "=" + to_string(*parameter.fallback);
    }
    if (!parameters.empty()) text += "  parameters " + parameters + "\n";
    if (!info.benchmark_cases.empty())
      text += fmt::format("  sizes {}\n", fmt::join(info.benchmark_cases, " | "));
    item["mutants"] = std::move(mutants);
    document.push_back(std::move(item));
  }
  if (document.empty()) {
    invocation.console().error("no operation matches '" + pattern.value_or("*") + "'");
    return code_of(ExitCode::vacuous);
  }
  if (invocation.json())
    invocation.print_json({{"operations", document}});
  else
    invocation.print(text);
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_list() {
  Command command;
  command.path = "list";
  command.summary = "The operations: backends, parameters, properties, benchmark sizes";
  command.examples = "Examples:\n  assay list\n  assay list --op 'te.*' --json";
  command.options = {{"op", "GLOB", "only operations whose name matches"}};
  command.run = run_list;
  return command;
}

}  // namespace assay::program
