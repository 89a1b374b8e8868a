#include "engine/filters/parameters.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>

#include "engine/logits/rows.hpp"
#include "engine/runtime/error.hpp"
#include "engine/view_checks.hpp"
#include "kernels/filters/steps.hpp"

namespace assay::filters {

namespace {

using kernels::filters::Step;
using kernels::filters::StepParameters;
using kernels::filters::Steps;

bool has_step(const Steps& steps, Step step) {
  return std::find(steps.list, steps.list + steps.count, step) != steps.list + steps.count;
}

/// Checks the inputs of one call and finds their elements.
class Gatherer {
 public:
  Gatherer(std::string_view operation, const Context& context, const StepInputs& inputs, std::int64_t rows,
           std::int64_t tokens)
      : operation_(operation), context_(context), inputs_(inputs), rows_(rows), tokens_(tokens) {}

  StepParameters parameters(const Steps& steps) const {
    StepParameters made;
    if (has_step(steps, Step::temperature))
      made.temperature = needed<float>(
          "temperature", inputs_.temperature, [](float t) { return std::isfinite(t); }, "a finite number");
    if (has_step(steps, Step::top_k)) made.top_k = needed<std::int32_t>("top_k", inputs_.top_k, {}, "");
    const auto number = [](double p) { return !std::isnan(p); };
    if (has_step(steps, Step::top_p)) made.top_p = needed<double>("top_p", inputs_.top_p, number, "a number");
    if (has_step(steps, Step::typical))
      made.typical = needed<double>("typical_p", inputs_.typical_p, number, "a number");
    if (has_step(steps, Step::min_p))
      made.min_p = needed<double>(
          "min_p", inputs_.min_p, [](double p) { return p <= 1; }, "at most 1");
    if (has_step(steps, Step::penalties)) add_penalties(made);
    if (has_step(steps, Step::bias)) add_biases(made);
    return made;
  }

 private:
  [[noreturn]] void refuse(const char* argument, const std::string& expected) const {
    throw ContractError(std::string(operation_), argument, expected);
  }

  template <typename T>
  const T* per_row(const char* argument, const std::optional<ConstTensorView>& view,
                   const std::function<bool(T)>& legal, std::string_view expected) const {
    return logits::check_per_row<T>(operation_, argument, context_, view, rows_, legal, expected);
  }

  template <typename T>
  const T* needed(const char* argument, const std::optional<ConstTensorView>& view,
                  const std::function<bool(T)>& legal, std::string_view expected) const {
    if (!view) refuse(argument, "is missing; the order asks for it");
    return per_row<T>(argument, view, legal, expected);
  }

  template <typename T>
  const T* row_of_ids(const char* argument, const std::optional<ConstTensorView>& view) const {
    if (!view) refuse(argument, "is missing; the order asks for it");
    if (view->dtype != dtype_of<T>() || view->rank() != 2 || view->extent(0) != rows_ || !view->contiguous())
      refuse(argument, "holds " + std::string(name_of(view->dtype)) + " " + to_string(view->shape) +
                           "; expected a contiguous (" + std::to_string(rows_) + ", any) of " +
                           std::string(name_of(dtype_of<T>())));
    check_memory(operation_, argument, context_, view->space);
    return view->template as<T>().data();
  }

  void check_ids(const char* argument, const std::int32_t* ids, std::int64_t count) const {
    if (context_.backend() == Backend::cuda) return;
    for (std::int64_t i = 0; i < count * rows_; ++i)
      if (ids[i] >= tokens_)
        refuse(argument, "row " + std::to_string(i / count) + " has id " + std::to_string(ids[i]) +
                             "; expected ids below " + std::to_string(tokens_));
  }

  void add_penalties(StepParameters& made) const {
    made.previous = row_of_ids<std::int32_t>("previous", inputs_.previous);
    made.previous_length = inputs_.previous->extent(1);
    check_ids("previous", made.previous, made.previous_length);
    const auto finite = [](float value) { return std::isfinite(value); };
    made.repetition = per_row<float>(
        "repetition", inputs_.repetition, [](float value) { return value > 0 && std::isfinite(value); },
        "a finite number above 0");
    made.presence = per_row<float>("presence", inputs_.presence, finite, "a finite number");
    made.frequency = per_row<float>("frequency", inputs_.frequency, finite, "a finite number");
    made.last_n = per_row<std::int32_t>("last_n", inputs_.last_n, {}, "");
  }

  void add_biases(StepParameters& made) const {
    made.bias_ids = row_of_ids<std::int32_t>("bias_ids", inputs_.bias_ids);
    made.biases = row_of_ids<float>("biases", inputs_.biases);
    made.bias_count = inputs_.bias_ids->extent(1);
    if (inputs_.biases->extent(1) != made.bias_count)
      refuse("biases", "has shape " + to_string(inputs_.biases->shape) + "; expected that of bias_ids, " +
                           to_string(inputs_.bias_ids->shape));
    check_ids("bias_ids", made.bias_ids, made.bias_count);
    if (context_.backend() == Backend::cuda) return;
    for (std::int64_t i = 0; i < rows_ * made.bias_count; ++i)
      if (std::isnan(made.biases[i]))
        refuse("biases", "row " + std::to_string(i / made.bias_count) + " holds a NaN");
  }

  std::string_view operation_;
  const Context& context_;
  const StepInputs& inputs_;
  std::int64_t rows_, tokens_;
};

struct Described {
  std::string_view name;
  const char* summary;
  DType dtype;
  const char* shape = "(rows)";
};
constexpr Described described[] = {
    {"temperature", "0 or less: the first maximum alone", DType::f32},
    {"top_k", "0 or less: all", DType::i32},
    {"top_p", "1 or more: all", DType::f64},
    {"min_p", "0 or less: all; at most 1", DType::f64},
    {"typical_p", "1 or more: all", DType::f64},
    {"repetition", "above 0; 1 where absent", DType::f32},
    {"presence", "0 where absent", DType::f32},
    {"frequency", "0 where absent", DType::f32},
    {"last_n", "so many of `previous` count, the last; all where absent", DType::i32},
    {"previous", "ids seen, the oldest first; below 0: padding", DType::i32, "(rows, length)"},
    {"bias_ids", "below 0: padding", DType::i32, "(rows, count)"},
    {"biases", "added to the logits of bias_ids", DType::f32, "(rows, count)"}};

}  // namespace

TensorInfo describe_parameter(std::string_view name, bool optional) {
  const auto* const found = std::find_if(std::begin(described), std::end(described),
                                         [&](const Described& one) { return one.name == name; });
  if (found == std::end(described))
    throw std::invalid_argument("no step takes an input '" + std::string(name) + "'");
  TensorInfo info;
  info.name = found->name;
  info.summary = found->summary;
  info.dtypes = {found->dtype};
  info.shape = found->shape;
  info.optional = optional;
  return info;
}

StepParameters check_parameters(std::string_view operation, const Context& context, const Steps& steps,
                                const StepInputs& inputs, std::int64_t rows, std::int64_t tokens) {
  return Gatherer(operation, context, inputs, rows, tokens).parameters(steps);
}

}  // namespace assay::filters
