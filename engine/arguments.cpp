#include "engine/arguments.hpp"

#include <charconv>
#include <stdexcept>

namespace assay {

namespace {

template <typename Map>
const auto& look_up(const Map& map, std::string_view name, const char* kind) {
  const auto found = map.find(name);
  if (found == map.end()) throw std::out_of_range("no " + std::string(kind) + " '" + std::string(name) + "'");
  return found->second;
}

}  // namespace

std::string to_string(const Value& value) {
  struct Printer {
    std::string operator()(std::int64_t integer) const { return std::to_string(integer); }
    std::string operator()(double real) const {
      char text[32];
      return {text, std::to_chars(text, text + sizeof text, real).ptr};
    }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(const std::string& word) const { return word; }
    std::string operator()(const std::vector<std::int64_t>& list) const {
      std::string text;
      for (const std::int64_t element : list) text += (text.empty() ? "" : ",") + std::to_string(element);
      return text;
    }
  };
  return std::visit(Printer{}, value);
}

const ConstTensorView& Arguments::input(std::string_view name) const {
  return look_up(inputs, name, "input");
}
std::int64_t Arguments::integer(std::string_view name) const {
  return std::get<std::int64_t>(look_up(parameters, name, "parameter"));
}
double Arguments::real(std::string_view name) const {
  return std::get<double>(look_up(parameters, name, "parameter"));
}
bool Arguments::flag(std::string_view name) const {
  return std::get<bool>(look_up(parameters, name, "parameter"));
}
const std::string& Arguments::text(std::string_view name) const {
  return std::get<std::string>(look_up(parameters, name, "parameter"));
}
const std::vector<std::int64_t>& Arguments::integers(std::string_view name) const {
  return std::get<std::vector<std::int64_t>>(look_up(parameters, name, "parameter"));
}

Arguments HostArguments::view() const {
  Arguments arguments;
  for (const auto& [name, tensor] : inputs) arguments.inputs.emplace(name, tensor.view());
  for (const auto& [name, value] : parameters) arguments.parameters.emplace(name, value);
  return arguments;
}

HostArguments HostArguments::clone() const {
  HostArguments copy;
  for (const auto& [name, tensor] : inputs) copy.inputs.emplace(name, tensor.clone());
  copy.parameters = parameters;
  return copy;
}

}  // namespace assay
