#include "engine/operation.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/runtime/error.hpp"
#include "engine/runtime/profile_range.hpp"

namespace assay {

namespace {

std::string_view name_of(ParameterType type) {
  switch (type) {
    case ParameterType::integer:
      return "an integer";
    case ParameterType::real:
      return "a number";
    case ParameterType::flag:
      return "true or false";
    case ParameterType::text:
      return "a word";
    case ParameterType::integers:
      return "integers separated by commas";
  }
  return "?";
}

std::string number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

std::string range_text(const ParameterInfo& parameter) {
  const bool low = std::isfinite(parameter.minimum);
  const bool high = std::isfinite(parameter.maximum);
  if (low && high) return "from " + number(parameter.minimum) + " to " + number(parameter.maximum);
  if (low) return "of at least " + number(parameter.minimum);
  if (high) return "of at most " + number(parameter.maximum);
  return "finite";
}

void check_number(const Operation& operation, const ParameterInfo& parameter, double value) {
  if (!(value >= parameter.minimum && value <= parameter.maximum) || std::isnan(value))
    throw ContractError(operation.name, parameter.name,
                        "is " + number(value) + "; expected " + std::string(name_of(parameter.type)) + " " +
                            range_text(parameter));
}

bool holds_type(const Value& value, ParameterType type) {
  return value.index() == static_cast<std::size_t>([&] {
           switch (type) {
             case ParameterType::integer:
               return 0;
             case ParameterType::real:
               return 1;
             case ParameterType::flag:
               return 2;
             case ParameterType::text:
               return 3;
             case ParameterType::integers:
               return 4;
           }
           return 0;
         }());
}

void check_parameter(const Operation& operation, const ParameterInfo& parameter, const Value& value) {
  if (!holds_type(value, parameter.type))
    throw ContractError(operation.name, parameter.name,
                        "is '" + to_string(value) + "'; expected " + std::string(name_of(parameter.type)));
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    check_number(operation, parameter, static_cast<double>(*integer));
  if (const auto* real = std::get_if<double>(&value)) check_number(operation, parameter, *real);
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value))
    for (const std::int64_t element : *list) check_number(operation, parameter, static_cast<double>(element));
  const auto* word = std::get_if<std::string>(&value);
  if (word && !parameter.choices.empty() &&
      std::find(parameter.choices.begin(), parameter.choices.end(), *word) == parameter.choices.end()) {
    std::string choices;
    for (const auto& choice : parameter.choices) choices += (choices.empty() ? "" : ", ") + choice;
    throw ContractError(operation.name, parameter.name, "is '" + *word + "'; expected one of: " + choices);
  }
}

template <typename Infos>
std::string names_of(const Infos& infos) {
  std::string names;
  for (const auto& info : infos) names += (names.empty() ? "" : ", ") + info.name;
  return names.empty() ? "none" : names;
}

template <typename Infos>
auto find_info(const Infos& infos, std::string_view name) {
  return std::find_if(infos.begin(), infos.end(), [&](const auto& info) { return info.name == name; });
}

template <typename Number>
Number parse_number(const Operation& operation, const ParameterInfo& parameter, std::string_view text) {
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size())
    throw ContractError(operation.name, parameter.name,
                        "is '" + std::string(text) + "'; expected " + std::string(name_of(parameter.type)));
  return value;
}

}  // namespace

Operation named_in_profiles(Operation operation) {
  operation.run = [name = operation.name, run = std::move(operation.run)](
                      Context& context, const Arguments& arguments, const Outputs& outputs) {
    const ProfileRange range(name.c_str());
    run(context, arguments, outputs);
  };
  return operation;
}

bool BatchClaim::holds_on(Backend backend) const {
  return backends.empty() || std::find(backends.begin(), backends.end(), backend) != backends.end();
}

const Operation* find_operation(std::string_view name) {
  for (const Operation& operation : operations())
    if (operation.name == name) return &operation;
  return nullptr;
}

Arguments resolve(const Operation& operation, Arguments arguments) {
  for (const auto& [name, view] : arguments.inputs) {
    const auto info = find_info(operation.inputs, name);
    if (info == operation.inputs.end())
      throw ContractError(operation.name, name, "is no input; expected: " + names_of(operation.inputs));
    if (std::find(info->dtypes.begin(), info->dtypes.end(), view.dtype) == info->dtypes.end()) {
      std::string types;
      for (const DType type : info->dtypes)
        types += (types.empty() ? "" : " or ") + std::string(name_of(type));
      throw ContractError(operation.name, name,
                          "holds " + std::string(name_of(view.dtype)) + "; expected " + types);
    }
  }
  for (const auto& info : operation.inputs)
    if (!info.optional && !arguments.has(info.name))
      throw ContractError(operation.name, info.name,
                          "is missing; expected " + info.shape + ", " + info.summary);
  for (const auto& [name, value] : arguments.parameters) {
    const auto info = find_info(operation.parameters, name);
    if (info == operation.parameters.end())
      throw ContractError(operation.name, name,
                          "is no parameter; expected: " + names_of(operation.parameters));
    check_parameter(operation, *info, value);
  }
  for (const auto& info : operation.parameters) {
    if (arguments.parameters.contains(info.name)) continue;
    if (!info.fallback) throw ContractError(operation.name, info.name, "is missing; " + info.summary);
    arguments.parameters.emplace(info.name, *info.fallback);
  }
  return arguments;
}

Value parse_value(const Operation& operation, const ParameterInfo& parameter, std::string_view text) {
  switch (parameter.type) {
    case ParameterType::integer:
      return parse_number<std::int64_t>(operation, parameter, text);
    case ParameterType::real:
      return parse_number<double>(operation, parameter, text);
    case ParameterType::flag:
      if (text == "true" || text == "1") return true;
      if (text == "false" || text == "0") return false;
      throw ContractError(operation.name, parameter.name,
                          "is '" + std::string(text) + "'; expected true or false");
    case ParameterType::text:
      return std::string(text);
    case ParameterType::integers: {
      std::vector<std::int64_t> values;
      while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        values.push_back(parse_number<std::int64_t>(operation, parameter, text.substr(0, comma)));
        text.remove_prefix(std::min(comma + 1, text.size()));
      }
      return values;
    }
  }
  throw ContractError(operation.name, parameter.name, "has an unknown type");
}

}  // namespace assay
