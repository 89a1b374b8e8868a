#include "ci/program/operation_help.hpp"

#include <cmath>

#include "ci/program/translate.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

std::string_view type_name(ParameterType type) {
  switch (type) {
    case ParameterType::integer:
      return "integer";
    case ParameterType::real:
      return "number";
    case ParameterType::flag:
      return "true|false";
    case ParameterType::text:
      return "word";
    case ParameterType::integers:
      return "integers";
  }
  return "?";
}

std::vector<std::string> type_names(const std::vector<DType>& types) {
  std::vector<std::string> names;
  for (const DType type : types) names.emplace_back(assay::name_of(type));
  return names;
}

std::string range_of(const ParameterInfo& parameter) {
  std::string range;
  if (std::isfinite(parameter.minimum)) range += fmt::format(", from {}", parameter.minimum);
  if (std::isfinite(parameter.maximum)) range += fmt::format(", to {}", parameter.maximum);
  if (!parameter.choices.empty()) range += fmt::format(", one of {}", fmt::join(parameter.choices, " "));
  return range;
}

std::string tensor_lines(const std::vector<TensorInfo>& tensors) {
  std::string out;
  for (const TensorInfo& tensor : tensors) {
    out += fmt::format("  {:<16} {} {}{}: {}\n", tensor.name, tensor.shape,
                       fmt::join(type_names(tensor.dtypes), "|"), tensor.optional ? ", optional" : "",
                       tensor.summary);
  }
  return out;
}

nlohmann::ordered_json tensor_json(const std::vector<TensorInfo>& tensors) {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const TensorInfo& tensor : tensors) {
    items.push_back({{"name", tensor.name},
                     {"shape", tensor.shape},
                     {"dtypes", type_names(tensor.dtypes)},
                     {"optional", tensor.optional},
                     {"summary", tensor.summary}});
  }
  return items;
}

}  // namespace

std::string operation_help(const Operation& operation) {
  std::string out = fmt::format("{}: {}\n  {}\n\ninputs (--in NAME=FILE.npy)\n{}", operation.name,
                                operation.summary, operation.paper, tensor_lines(operation.inputs));
  out += "\noutputs (--out NAME=FILE.npy)\n" + tensor_lines(operation.outputs);
  if (!operation.parameters.empty()) out += "\nparameters (--set NAME=VALUE)\n";
  for (const ParameterInfo& parameter : operation.parameters) {
    out += fmt::format(
        "  {:<16} {}{}, {}: {}\n", parameter.name, type_name(parameter.type), range_of(parameter),
        parameter.fallback ? "default " + to_string(*parameter.fallback) : std::string("required"),
        parameter.summary);
  }
  out += fmt::format("\nbackends: {}\nerror bound: {}\n", fmt::join(backends_of(operation), ", "),
                     operation.error_model);
  return out;
}

nlohmann::ordered_json operation_json(const Operation& operation) {
  nlohmann::ordered_json document;
  document["name"] = operation.name;
  document["summary"] = operation.summary;
  document["paper"] = operation.paper;
  document["error_model"] = operation.error_model;
  document["backends"] = backends_of(operation);
  document["cuda_body"] = name_of(operation.cuda_body);
  document["inputs"] = tensor_json(operation.inputs);
  document["outputs"] = tensor_json(operation.outputs);
  nlohmann::ordered_json parameters = nlohmann::ordered_json::array();
  for (const ParameterInfo& parameter : operation.parameters) {
    nlohmann::ordered_json item;
    item["name"] = parameter.name;
    item["type"] = type_name(parameter.type);
    item["summary"] = parameter.summary;
    if (parameter.fallback)
      item["default"] = to_string(*parameter.fallback);
    else
      item["required"] = true;
    if (std::isfinite(parameter.minimum)) item["minimum"] = parameter.minimum;
    if (std::isfinite(parameter.maximum)) item["maximum"] = parameter.maximum;
    if (!parameter.choices.empty()) item["choices"] = parameter.choices;
    parameters.push_back(std::move(item));
  }
  document["parameters"] = std::move(parameters);
  return document;
}

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const Operation& operation : operations()) names.push_back(operation.name);
  return names;
}

}  // namespace assay::program
