#include "benchmarks/peers/torch_answer.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace assay::benchmarks::peers {

namespace {

using Results = std::map<std::string, Tensor>;

constexpr double unit_roundoff = 0x1p-24;

std::string text_of(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

template <typename T>
std::vector<T> list_of(const nlohmann::json& answer, const char* name) {
  return answer.contains(name) ? answer.at(name).get<std::vector<T>>() : std::vector<T>();
}

[[noreturn]] void refuse(const std::string& why) {
  throw std::runtime_error("PyTorch's " + why);
}

Results ours_of(const char* operation, const HostArguments& arguments) {
  Context context = Context::cpu();
  return run_on_host(context, *find_operation(operation), arguments.view());
}

/// Those logits alone, for the operation whose probabilities a draw is from.
HostArguments logits_alone(const HostArguments& arguments) {
  HostArguments copy = arguments.clone(), made;
  made.inputs.emplace("logits", std::move(copy.inputs.at("logits")));
  return made;
}

std::string in_row(std::size_t row) {
  return " in row " + std::to_string(row) + " is ";
}

/// Each row's first element of `ours`, (rows, columns), is within allowed(element) of the peer's.
template <typename Allowed>
void expect_near(const char* what, const std::vector<double>& theirs, const std::vector<double>& ours,
                 const Allowed& allowed) {
  for (std::size_t row = 0; row < ours.size(); ++row)
    if (!(std::fabs(theirs[row] - ours[row]) <= allowed(ours[row])))
      refuse(what + in_row(row) + std::to_string(theirs[row]) + ", ours " + std::to_string(ours[row]));
}

/// It is a token of each row, of the same logit as ours.
void expect_same_logit(const HostArguments& arguments, const std::vector<std::int64_t>& theirs,
                       const std::vector<std::int64_t>& ours) {
  const Tensor& logits = arguments.inputs.at("logits");
  const auto values = logits.as<float>();
  const auto tokens = static_cast<std::size_t>(logits.shape()[1]);
  for (std::size_t row = 0; row < ours.size(); ++row) {
    const float* const begin = values.data() + row * tokens;
    if (begin[theirs[row]] != begin[ours[row]])
      refuse("first token" + in_row(row) + std::to_string(theirs[row]) + ", ours " +
             std::to_string(ours[row]));
  }
}

/// The first of each row of a tensor of (rows) or (rows, columns).
template <typename T, typename To>
std::vector<To> first_of_rows(const Tensor& tensor) {
  const auto values = tensor.as<T>();
  const auto rows = static_cast<std::size_t>(tensor.shape()[0]);
  const std::size_t columns = rows == 0 ? 0 : values.size() / rows;
  std::vector<To> first;
  for (std::size_t row = 0; row < rows; ++row) first.push_back(static_cast<To>(values[row * columns]));
  return first;
}

std::vector<double> largest_probabilities(const HostArguments& arguments) {
  const Results results = ours_of("sampling.softmax", logits_alone(arguments));
  const Tensor& probabilities = results.at("probabilities");
  const auto values = probabilities.as<float>();
  const std::int64_t rows = probabilities.shape()[0], tokens = probabilities.shape()[1];
  std::vector<double> largest;
  for (std::int64_t row = 0; row < rows; ++row)
    largest.push_back(*std::max_element(values.begin() + row * tokens, values.begin() + (row + 1) * tokens));
  return largest;
}

void compare_probabilities(const HostArguments& arguments, const TorchAnswer& answer) {
  // The numerator is exp(0) = 1; ours is rounded to float32 too.
  const double relative = float32_sum_error(answer.tokens) + unit_roundoff;
  expect_near("largest probability", answer.value, largest_probabilities(arguments),
              [=](double value) { return relative * value; });
}

void compare_log_probs(const HostArguments& arguments, const TorchAnswer& answer) {
  const Results results = ours_of("sampling.log_probs", arguments);
  expect_same_logit(arguments, answer.token, first_of_rows<std::int32_t, std::int64_t>(results.at("ids")));
  // A relative error of the sum is an absolute one of its logarithm. That is rounded (to 2 ulp), the
  // difference to it is, and ours is.
  const double absolute = float32_sum_error(answer.tokens);
  expect_near("first log probability", answer.value, first_of_rows<float, double>(results.at("log_probs")),
              [=](double value) { return absolute + 6 * unit_roundoff * std::fabs(value); });
}

/// Tokens left by row with each top_p moved by `mass`, and each min_p scaled by 1 - `relative`.
std::vector<std::int64_t> kept_of(const HostArguments& arguments, double mass, double relative) {
  HostArguments moved = arguments.clone();
  const auto change = [&](const char* input, auto changed) {
    const auto found = moved.inputs.find(input);
    if (found == moved.inputs.end()) return;
    for (double& value : found->second.template as<double>()) value = changed(value);
  };
  change("top_p", [=](double p) { return p + mass; });
  change("min_p", [=](double p) { return std::min(1.0, p * (1 - relative)); });
  return first_of_rows<std::int32_t, std::int64_t>(ours_of("sampling.chain", moved).at("kept"));
}

void compare_kept(const HostArguments& arguments, TorchAnswer& answer) {
  // Each probability is off by the error of one sum, and their cumulative sum by that of another. At the
  // threshold of min_p both sides have the same denominator: what is left is the 64 u of float32_sum_error.
  const double mass = float32_sum_error(2 * answer.tokens), relative = 64 * unit_roundoff;
  const auto fewest = kept_of(arguments, -mass, -relative), most = kept_of(arguments, mass, relative);
  const auto ours = kept_of(arguments, 0, 0);
  std::int64_t differ = 0, apart = 0;
  for (std::size_t row = 0; row < ours.size(); ++row) {
    const std::int64_t theirs = answer.kept[row];
    if (theirs < fewest[row] || theirs > most[row])
      refuse("chain keeps " + std::to_string(theirs) + " tokens in row " + std::to_string(row) + ", ours " +
             std::to_string(ours[row]) + "; float32 allows " + std::to_string(fewest[row]) + " to " +
             std::to_string(most[row]));
    differ += theirs != ours[row] ? 1 : 0;
    apart = std::max(apart, std::abs(theirs - ours[row]));
  }
  answer.times.notes["kept_differs"] =
      std::to_string(differ) + " of " + std::to_string(ours.size()) + " rows";
  answer.times.notes["kept_apart_at_most"] = std::to_string(apart);
}

/// One number for each row where the work gives that list, tokens within the vocabulary.
void check_lists(const TorchAnswer& answer, bool token, bool kept, bool value) {
  const auto rows = static_cast<std::size_t>(answer.rows);
  if (answer.token.size() != (token ? rows : 0) || answer.kept.size() != (kept ? rows : 0) ||
      answer.value.size() != (value ? rows : 0))
    refuse("answer has not one number for each row");
  for (const std::int64_t one : answer.token)
    if (one < 0 || one >= answer.tokens) refuse("token " + std::to_string(one) + " is not in the vocabulary");
}

}  // namespace

double float32_sum_error(std::int64_t terms) {
  const double product = static_cast<double>(terms + 64) * unit_roundoff;
  return product / (1 - product);
}

TorchAnswer parse_torch_answer(std::string_view line) {
  const nlohmann::json answer = nlohmann::json::parse(line, nullptr, false);
  if (!answer.is_object()) refuse("script printed something else than an answer");
  if (answer.contains("error")) throw std::runtime_error(text_of(answer.at("error")));
  TorchAnswer made;
  try {
    answer.at("rows").get_to(made.rows);
    answer.at("tokens").get_to(made.tokens);
    made.token = list_of<std::int64_t>(answer, "token");
    made.kept = list_of<std::int64_t>(answer, "kept");
    made.value = list_of<double>(answer, "value");
    answer.at("times_ns").get_to(made.times.samples_ns);
    answer.at("calls").get_to(made.times.calls_per_sample);
    answer.at("cache").get_to(made.times.cache);
    for (const char* note : {"torch", "device", "graph", "draw", "no_graph", "no_multinomial"})
      if (answer.contains(note)) made.times.notes[note] = text_of(answer.at(note));
  } catch (const nlohmann::json::exception& error) {
    refuse(std::string("answer lacks a part: ") + error.what());
  }
  const auto& times = made.times.samples_ns;
  if (times.empty() || std::any_of(times.begin(), times.end(), [](double time) { return !(time > 0); }))
    refuse("answer has no times, or some that are none");
  return made;
}

void compare_with_ours(const Operation& operation, const HostArguments& arguments, TorchAnswer& answer) {
  const Shape& shape = arguments.inputs.at("logits").shape();
  if (Shape{answer.rows, answer.tokens} != shape)
    refuse("case is " + to_string(Shape{answer.rows, answer.tokens}) + ", ours " + to_string(shape));
  if (operation.name == "sampling.argmax") {
    check_lists(answer, true, false, false);
    const Results results = ours_of("sampling.argmax", arguments);
    expect_same_logit(arguments, answer.token,
                      first_of_rows<std::int32_t, std::int64_t>(results.at("token")));
  } else if (operation.name == "sampling.softmax" || operation.name == "sampling.categorical") {
    // A draw is by other random numbers than ours: what it is drawn from is compared.
    check_lists(answer, operation.name == "sampling.categorical", false, true);
    compare_probabilities(arguments, answer);
  } else if (operation.name == "sampling.log_probs") {
    check_lists(answer, true, false, true);
    compare_log_probs(arguments, answer);
  } else if (operation.name == "sampling.chain") {
    check_lists(answer, true, true, false);
    compare_kept(arguments, answer);
  } else {
    throw std::runtime_error("there is no code of PyTorch's users for " + operation.name);
  }
}

}  // namespace assay::benchmarks::peers
