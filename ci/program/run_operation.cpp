#include <algorithm>
#include <map>

#include "ci/program/backend_choice.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/operation_help.hpp"
#include "ci/program/output_file.hpp"
#include "ci/program/suggestion.hpp"
#include "ci/program/te_answer.hpp"
#include "engine/io/npy.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

const Operation& named_operation(const std::string& name) {
  const Operation* operation = find_operation(name);
  if (operation == nullptr) {
    throw Failure(ExitCode::usage, "no operation '" + name + "'" + suggestion(name, operation_names()) +
                                       " (assay list shows them)");
  }
  return *operation;
}

/// "name=value" of --in, --set and --out, each name once and known to the operation.
std::map<std::string, std::string> pairs_of(const Invocation& invocation, const std::string& option,
                                            const std::vector<std::string>& known) {
  std::map<std::string, std::string> pairs;
  for (const std::string& text : invocation.all(option)) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      invocation.refuse(option, "'" + text + "', expected NAME=" + (option == "set" ? "VALUE" : "FILE.npy"));
    }
    const std::string name = text.substr(0, equals);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      invocation.refuse(option, fmt::format("no {} '{}'{} (expected {})",
                                            option == "set"  ? "parameter"
                                            : option == "in" ? "input"
                                                             : "output",
                                            name, suggestion(name, known), fmt::join(known, ", ")));
    }
    if (!pairs.emplace(name, text.substr(equals + 1)).second)
      invocation.refuse(option, "'" + name + "' is given twice");
  }
  return pairs;
}

template <typename Infos>
std::vector<std::string> names_in(const Infos& infos) {
  std::vector<std::string> names;
  for (const auto& info : infos) names.push_back(info.name);
  return names;
}

/// Integers are taken as they come from NumPy and people: int32 where the operation wants int64, and the
/// like.
Tensor converted(Tensor tensor, const TensorInfo& info) {
  const auto takes = [&](DType type) {
    return std::find(info.dtypes.begin(), info.dtypes.end(), type) != info.dtypes.end();
  };
  if (takes(tensor.dtype())) return tensor;
  if (tensor.dtype() == DType::i32 && takes(DType::i64)) {
    Tensor wide(DType::i64, tensor.shape());
    const auto from = std::as_const(tensor).as<std::int32_t>();
    std::copy(from.begin(), from.end(), wide.as<std::int64_t>().begin());
    return wide;
  }
  if (tensor.dtype() == DType::f32 && takes(DType::f64)) {
    Tensor wide(DType::f64, tensor.shape());
    const auto from = std::as_const(tensor).as<float>();
    std::copy(from.begin(), from.end(), wide.as<double>().begin());
    return wide;
  }
  return tensor;
}

int run_operation(Invocation& invocation) {
  const Operation& operation = named_operation(invocation.positionals().at(0));
  const auto inputs = pairs_of(invocation, "in", names_in(operation.inputs));
  const auto settings = pairs_of(invocation, "set", names_in(operation.parameters));
  const auto wanted = pairs_of(invocation, "out", names_in(operation.outputs));
  for (const auto& [name, path] : wanted) check_output_path(path, invocation.source("out") + ": " + name);
  ChosenBackend chosen = choose_backend(invocation, operation);

  std::map<std::string, Tensor> tensors;
  Arguments arguments;
  for (const TensorInfo& info : operation.inputs) {
    const auto path = inputs.find(info.name);
    if (path == inputs.end()) continue;
    const auto& tensor =
        tensors.emplace(info.name, converted(value_or_fail(io::read_npy(path->second)), info)).first->second;
    arguments.inputs.emplace(info.name, tensor.view());
  }
  for (const ParameterInfo& parameter : operation.parameters) {
    const auto text = settings.find(parameter.name);
    if (text != settings.end()) {
      arguments.parameters.emplace(parameter.name, parse_value(operation, parameter, text->second));
    }
  }
  const auto start = std::chrono::steady_clock::now();
  const std::map<std::string, Tensor> outputs = run_on(chosen, operation, arguments);
  const double elapsed = milliseconds_since(start);
  for (const auto& [name, path] : wanted) {
    if (!outputs.contains(name)) invocation.refuse("out", "these arguments give no output '" + name + "'");
  }
  for (const auto& [name, path] : wanted) write_array(path, outputs.at(name).view());

  nlohmann::ordered_json document{{"operation", operation.name},
                                  {"backend", assay::name_of(chosen.backend)},
                                  {"device", chosen.device},
                                  {"elapsed_ms", elapsed},
                                  {"outputs", nlohmann::ordered_json::object()}};
  std::string text = fmt::format("{} on {} ({}), {:.2f} ms\n", operation.name, assay::name_of(chosen.backend),
                                 chosen.device, elapsed);
  for (const auto& [name, tensor] : outputs) {
    const auto path = wanted.find(name);
    document["outputs"][name] = {{"dtype", assay::name_of(tensor.dtype())}, {"shape", tensor.shape()}};
    if (path != wanted.end()) document["outputs"][name]["file"] = path->second;
    text += fmt::format("  {} {} {}{}", name, assay::name_of(tensor.dtype()), to_string(tensor.shape()),
                        path == wanted.end() ? "" : " -> " + path->second);
    if (tensor.elements() == 1 && tensor.dtype() == DType::f64) {
      document["outputs"][name]["value"] = tensor.as<double>()[0];
      text += fmt::format(" = {}", tensor.as<double>()[0]);
    }
    text += '\n';
  }
  if (invocation.json())
    invocation.print_json(document);
  else
    invocation.print(text);
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_run() {
  Command command;
  command.path = "run";
  command.summary = "One operation on your arrays, on any backend";
  command.examples = R"(Examples:
  assay run te.knn --help                        its inputs, outputs and parameters
  assay run te.knn --in points=p.npy --set k=8 --out distances=d.npy --out indices=i.npy
  assay run te.knn --in points=p.npy --set k=8 --out distances=d.npy --backend reference)";
  command.options = {{"in", "NAME=FILE.npy", "an input", "", true},
                     {"set", "NAME=VALUE", "a parameter", "", true},
                     {"out", "NAME=FILE.npy", "an output to write", "", true}};
  command.positionals = {{"OP", "the operation's name, as `assay list` shows it"}};
  command.run = run_operation;
  command.special_help = [](const std::vector<std::string>& positionals) {
    return positionals.empty() ? std::string() : operation_help(named_operation(positionals.front()));
  };
  return command;
}

}  // namespace assay::program
