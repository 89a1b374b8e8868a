#include "ci/program/sampling_chain.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "ci/program/failure.hpp"
#include "ci/program/invocation.hpp"
#include "ci/program/suggestion.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

constexpr const char* operation_name = "sampling.chain";

const std::map<std::string, std::string, std::less<>>& presets() {
  static const std::map<std::string, std::string, std::less<>> all{
      {"greedy", "temperature=0"},
      {"standard", "top_k=40,top_p=0.95,min_p=0.05,temperature=0.8"},
      {"creative", "top_p=0.98,min_p=0.02,temperature=1.2"},
      {"precise", "top_k=20,top_p=0.8,temperature=0.3"},
      {"min-p", "min_p=0.1,temperature=1"}};
  return all;
}

const std::vector<std::string> filters{"repetition", "presence", "frequency", "last_n",     "top_k",
                                       "top_p",      "min_p",    "typical",   "temperature"};

double number_of(const std::string& filter, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || std::isnan(value))
    throw Failure(ExitCode::usage, fmt::format("--chain: {}={}, expected a number", filter, text));
  return value;
}

std::int64_t whole_number_of(const std::string& filter, std::string_view text) {
  const double value = number_of(filter, text);
  if (value != std::floor(value) || std::fabs(value) > 2147483647)
    throw Failure(ExitCode::usage, fmt::format("--chain: {}={}, expected a whole number", filter, text));
  return static_cast<std::int64_t>(value);
}

template <typename T>
void add_row(HostArguments& arguments, const char* name, T value) {
  arguments.inputs.emplace(name, Tensor::from<T>(std::vector<T>{value}, {1}));
}

std::map<std::string, Tensor> run_chain(ChosenBackend& chosen, const HostArguments& arguments) {
  return run_on(chosen, required_operation(operation_name), arguments.view());
}

/// The value of a left logit: float from the backends, double from the reference.
float logit_at(const Tensor& logits, std::size_t at) {
  return logits.dtype() == DType::f64 ? static_cast<float>(logits.as<double>()[at]) : logits.as<float>()[at];
}

void add_parameters(HostArguments& arguments, const SamplingStep& step,
                    const std::vector<std::int32_t>& previous) {
  const auto length = static_cast<std::int64_t>(previous.size());
  if (step.step == "temperature") add_row(arguments, "temperature", static_cast<float>(step.value));
  if (step.step == "top_k") add_row(arguments, "top_k", static_cast<std::int32_t>(step.value));
  if (step.step == "top_p") add_row(arguments, "top_p", step.value);
  if (step.step == "min_p") add_row(arguments, "min_p", step.value);
  if (step.step == "typical") add_row(arguments, "typical_p", step.value);
  if (step.step != "penalties") return;
  arguments.inputs.emplace("previous", Tensor::from<std::int32_t>(previous, {1, length}));
  add_row(arguments, "repetition", static_cast<float>(step.repetition));
  add_row(arguments, "presence", static_cast<float>(step.presence));
  add_row(arguments, "frequency", static_cast<float>(step.frequency));
  const std::int64_t last = step.last_n_given ? step.last_n : length;
  add_row(arguments, "last_n", static_cast<std::int32_t>(std::clamp<std::int64_t>(last, -1, 2147483647)));
}

}  // namespace

std::string preset_chain(std::string_view name) {
  return presets().find(name)->second;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& [name, chain] : presets()) names.push_back(name);
  return names;
}

std::vector<SamplingStep> parse_chain(std::string_view text) {
  std::vector<SamplingStep> steps;
  if (text.empty()) return steps;
  for (const std::string& part : split_list(text)) {
    const std::size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    if (std::find(filters.begin(), filters.end(), name) == filters.end())
      throw Failure(ExitCode::usage, fmt::format("--chain: no filter '{}'{} (expected {})", name,
                                                 suggestion(name, filters), fmt::join(filters, ", ")));
    if (equals == std::string::npos)
      throw Failure(ExitCode::usage, fmt::format("--chain: '{}', expected {}=NUMBER", part, name));
    const std::string value = part.substr(equals + 1);
    const bool penalty =
        name == "repetition" || name == "presence" || name == "frequency" || name == "last_n";
    if (!penalty) {
      SamplingStep step;
      step.step = name;
      step.value =
          name == "top_k" ? static_cast<double>(whole_number_of(name, value)) : number_of(name, value);
      if (name == "min_p" && step.value > 1)
        throw Failure(ExitCode::usage, fmt::format("--chain: min_p={}, expected at most 1", value));
      if (name == "temperature" && !std::isfinite(step.value))
        throw Failure(ExitCode::usage,
                      fmt::format("--chain: temperature={}, expected a finite number", value));
      steps.push_back(step);
      continue;
    }
    if (steps.empty() || steps.back().step != "penalties") steps.emplace_back().step = "penalties";
    SamplingStep& step = steps.back();
    if (name == "last_n") {
      step.last_n = whole_number_of(name, value);
      step.last_n_given = true;
      continue;
    }
    const double given = number_of(name, value);
    if (!std::isfinite(given) || (name == "repetition" && given <= 0))
      throw Failure(ExitCode::usage, fmt::format("--chain: {}={}, expected a finite number{}", name, value,
                                                 name == "repetition" ? " above 0" : ""));
    (name == "repetition" ? step.repetition : name == "presence" ? step.presence : step.frequency) = given;
  }
  return steps;
}

Survivors apply_chain(ChosenBackend& chosen, std::vector<float> logits,
                      const std::vector<std::int32_t>& previous, const std::vector<SamplingStep>& steps) {
  const auto tokens = static_cast<std::int64_t>(logits.size());
  HostArguments arguments;
  arguments.inputs.emplace("logits", Tensor::from<float>(logits, {1, tokens}));
  add_row(arguments, "seed", std::int64_t{0});
  add_row(arguments, "position", std::int64_t{0});
  std::map<std::string, Tensor> left;
  // Step by step: a chain may have the same filter twice with other values.
  for (std::size_t at = 0; at < std::max<std::size_t>(1, steps.size()); ++at) {
    arguments.parameters = {{"survivors", true}, {"order", std::string()}};
    if (at < steps.size()) {
      for (const char* name : {"temperature", "top_k", "top_p", "min_p", "typical_p", "previous",
                               "repetition", "presence", "frequency", "last_n"})
        arguments.inputs.erase(name);
      add_parameters(arguments, steps[at], previous);
      arguments.parameters["order"] = steps[at].step;
      arguments.parameters["min_keep"] = std::max<std::int64_t>(0, steps[at].min_keep);
    }
    left = run_chain(chosen, arguments);
    if (at + 1 >= steps.size()) break;
    Tensor& bits = left.at("left");
    for (std::int64_t id = 0; id < tokens; ++id)
      logits[static_cast<std::size_t>(id)] = logit_at(left.at("left_logits"), static_cast<std::size_t>(id));
    arguments.inputs.erase("logits");
    arguments.inputs.erase("mask");
    arguments.inputs.emplace("logits", Tensor::from<float>(logits, {1, tokens}));
    arguments.inputs.emplace("mask", std::move(bits));
  }
  Survivors survivors;
  const auto bits = std::as_const(left.at("left")).as<std::uint32_t>();
  for (std::int64_t id = 0; id < tokens; ++id) {
    if ((bits[static_cast<std::size_t>(id / 32)] >> (id % 32) & 1u) == 0) continue;
    survivors.ids.push_back(static_cast<std::int32_t>(id));
    survivors.logits.push_back(logit_at(left.at("left_logits"), static_cast<std::size_t>(id)));
  }
  return survivors;
}

std::int32_t greedy_token(const Survivors& survivors) {
  const auto most = std::max_element(survivors.logits.begin(), survivors.logits.end());
  if (most == survivors.logits.end() || *most == -std::numeric_limits<float>::infinity()) return -1;
  return survivors.ids[static_cast<std::size_t>(most - survivors.logits.begin())];
}

std::vector<TokenShare> shares_of(const Survivors& survivors) {
  std::vector<TokenShare> shares;
  const float most =
      survivors.logits.empty() ? 0 : *std::max_element(survivors.logits.begin(), survivors.logits.end());
  double sum = 0;
  for (std::size_t at = 0; at < survivors.ids.size(); ++at) {
    const float logit = survivors.logits[at];
    const double share = std::isinf(most) ? (most > 0 && logit == most ? 1.0 : 0.0)
                                          : std::exp(static_cast<double>(logit) - static_cast<double>(most));
    shares.push_back({survivors.ids[at], share});
    sum += share;
  }
  for (TokenShare& share : shares) share.p = sum > 0 ? share.p / sum : 0;
  std::stable_sort(shares.begin(), shares.end(),
                   [](const TokenShare& a, const TokenShare& b) { return a.p > b.p; });
  return shares;
}

std::vector<std::int32_t> draw_tokens(ChosenBackend& chosen, const Survivors& survivors, std::int64_t count,
                                      std::uint64_t seed) {
  constexpr std::int64_t most_logits = 1 << 23;  // of one call
  const auto tokens = static_cast<std::int64_t>(survivors.ids.size());
  std::vector<std::int32_t> drawn;
  for (std::int64_t first = 0; first < count && tokens > 0;) {
    const std::int64_t rows = std::min(count - first, std::max<std::int64_t>(1, most_logits / tokens));
    HostArguments arguments;
    std::vector<float> logits;
    std::vector<std::int64_t> positions;
    for (std::int64_t row = 0; row < rows; ++row) {
      logits.insert(logits.end(), survivors.logits.begin(), survivors.logits.end());
      positions.push_back(first + row);
    }
    arguments.inputs.emplace("logits", Tensor::from<float>(logits, {rows, tokens}));
    arguments.inputs.emplace("position", Tensor::from<std::int64_t>(positions, {rows}));
    arguments.inputs.emplace(
        "seed", Tensor::from<std::int64_t>(std::vector<std::int64_t>(static_cast<std::size_t>(rows),
                                                                     static_cast<std::int64_t>(seed)),
                                           {rows}));
    arguments.parameters = {{"order", std::string()}};
    const auto outputs = run_chain(chosen, arguments);
    for (const std::int32_t at : outputs.at("token").as<std::int32_t>())
      drawn.push_back(at < 0 ? -1 : survivors.ids[static_cast<std::size_t>(at)]);
    first += rows;
  }
  return drawn;
}

}  // namespace assay::program
