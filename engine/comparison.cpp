#include "engine/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <stdexcept>

#include "engine/tensors/half.hpp"

namespace assay {

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

bool integral(DType type) {
  return type == DType::i64 || type == DType::i32 || type == DType::u32 || type == DType::u8;
}

std::string text_of(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.9g", value);
  return buffer;
}

template <typename T>
std::vector<double> widened(const ConstTensorView& view) {
  const auto values = view.as<T>();
  std::vector<double> doubles(values.size());
  std::transform(values.begin(), values.end(), doubles.begin(), [](const T& value) {
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
      return static_cast<double>(to_float(value));
    else
      return static_cast<double>(value);
  });
  return doubles;
}

/// Integers as 64-bit integers, so that none is rounded on the way to its comparison.
std::vector<std::int64_t> integers_of(const ConstTensorView& view) {
  const auto copied = [](auto values) { return std::vector<std::int64_t>(values.begin(), values.end()); };
  switch (view.dtype) {
    case DType::i64:
      return copied(view.as<std::int64_t>());
    case DType::i32:
      return copied(view.as<std::int32_t>());
    case DType::u32:
      return copied(view.as<std::uint32_t>());
    default:
      return copied(view.as<std::uint8_t>());
  }
}

/// |y - r|: 0 where both are the same infinity or both NaN, infinite where they are of different kinds.
double deviation(double got, double expected) {
  if (std::isnan(got) || std::isnan(expected)) return std::isnan(got) && std::isnan(expected) ? 0 : infinite;
  if (std::isinf(got) || std::isinf(expected)) return got == expected ? 0 : infinite;
  return std::fabs(got - expected);
}

/// Whether the deviation is within its bound. A bound that is NaN or negative allows nothing, and an infinite
/// one must not excuse an infinity where a number was expected.
bool within(double observed, double allowed) {
  return observed == 0 || (std::isfinite(observed) && observed <= allowed);
}

double share(double observed, double allowed) {
  if (observed == 0) return 0;
  if (!(allowed > 0) || !std::isfinite(observed)) return infinite;
  return observed / allowed;
}

/// Takes note of one element: counts it where it is wrong, keeps it where it is the worst so far.
void record(OutputComparison& into, std::int64_t index, double got, double expected, double observed,
            double allowed, bool right, double& worst_share) {
  if (!right) {
    ++into.mismatches;
    into.wrong.push_back(index);
  }
  const double used = right ? share(observed, allowed) : std::max(share(observed, allowed), 1.0);
  const bool first_mismatch = !right && into.mismatches == 1;
  if (used > worst_share || first_mismatch) {
    worst_share = first_mismatch ? used : std::max(used, worst_share);
    into.worst_index = index;
    into.observed = observed;
    into.allowed = allowed;
    into.got = got;
    into.expected = expected;
  }
}

void compare_integers(OutputComparison& into, const Tensor& got, const Tensor& expected) {
  into.equal_required = true;
  const std::vector<std::int64_t> left = integers_of(got.view());
  const std::vector<std::int64_t> right = integers_of(expected.view());
  double worst_share = -1;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double observed =
        left[i] == right[i] ? 0 : std::fabs(static_cast<double>(left[i]) - static_cast<double>(right[i]));
    // two large integers may differ and yet be the same double
    record(into, static_cast<std::int64_t>(i), static_cast<double>(left[i]), static_cast<double>(right[i]),
           left[i] == right[i] ? 0 : std::max(observed, 1.0), 0, left[i] == right[i], worst_share);
  }
}

/// An operation without a bound has exact outputs, but for those that it compares with a plain
/// implementation.
ErrorModel model_of(const Operation& operation, const std::string& output) {
  for (const TensorInfo& info : operation.outputs)
    if (info.name == output && info.errors != ErrorModel::bound) return info.errors;
  return operation.error_bound ? ErrorModel::bound : ErrorModel::exact;
}

std::vector<double> plain_results(const Operation& operation, const Arguments& arguments,
                                  const std::string& output) {
  if (!operation.plain)
    throw std::logic_error(operation.name + " compares '" + output +
                           "' with a plain implementation and has none");
  std::map<std::string, Tensor> held;
  Outputs views;
  for (const OutputShape& shape : operation.output_shapes(arguments)) {
    Tensor& tensor = held.emplace(shape.name, Tensor(shape.dtype, shape.shape)).first->second;
    views.emplace(shape.name, tensor.view());
  }
  operation.plain(arguments, views);
  return to_doubles(as_const(views.at(output)));
}

/// The distance from |value| to the next larger number of a type.
double spacing_at(double value, DType type) {
  const int precision = type == DType::f64 ? 53 : type == DType::f32 ? 24 : type == DType::f16 ? 11 : 8;
  const int smallest = type == DType::f64 ? -1022 : type == DType::f16 ? -14 : -126;
  const int exponent = value == 0 ? smallest : std::max(std::ilogb(value), smallest);
  return std::ldexp(1.0, exponent + 1 - precision);
}

void compare_reals(OutputComparison& into, const Operation& operation, const Arguments& arguments,
                   const Tensor& got, const Tensor& expected) {
  const std::vector<double> left = to_doubles(got.view());
  const std::vector<double> right = to_doubles(expected.view());
  const ErrorModel model = model_of(operation, into.output);
  const std::vector<double> bounds =
      model == ErrorModel::bound   ? operation.error_bound(arguments, into.output, right)
      : model == ErrorModel::plain ? allowed_by_plain(right, plain_results(operation, arguments, into.output),
                                                      expected.shape(), got.dtype())
                                   : std::vector<double>(right.size(), 0.0);
  into.equal_required = model == ErrorModel::exact;
  if (bounds.size() != right.size()) {
    into.pass = false;
    into.reason = into.output + ": " + std::to_string(bounds.size()) + " bounds for " +
                  std::to_string(right.size()) + " elements";
    return;
  }
  double worst_share = -1;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double observed = deviation(left[i], right[i]);
    const double allowed = bounds[i];
    record(into, static_cast<std::int64_t>(i), left[i], right[i], observed, allowed,
           within(observed, allowed), worst_share);
  }
}

std::string verdict_line(const OutputComparison& compared) {
  const std::string place = compared.output + "[" + std::to_string(compared.worst_index) + "]";
  const std::string values =
      place + ": got " + text_of(compared.got) + ", expected " + text_of(compared.expected);
  const std::string how_many = "; " + std::to_string(compared.mismatches) + " of " +
                               std::to_string(compared.elements) + " elements are wrong";
  if (compared.equal_required) return values + ", equal required" + how_many;
  return values + ", off by " + text_of(compared.observed) + ", allowed " + text_of(compared.allowed) +
         how_many;
}

OutputComparison compare_one(const Operation& operation, const Arguments& arguments, const std::string& name,
                             const Tensor& got, const Tensor& expected) {
  OutputComparison compared;
  compared.output = name;
  if (got.shape() != expected.shape()) {
    compared.pass = false;
    compared.reason =
        name + ": shape " + to_string(got.shape()) + ", expected " + to_string(expected.shape());
    return compared;
  }
  compared.elements = expected.elements();
  compared.shape = expected.shape();
  if (integral(expected.dtype()) != integral(got.dtype())) {
    compared.pass = false;
    compared.reason = name + ": element type " + std::string(name_of(got.dtype())) + ", expected " +
                      std::string(name_of(expected.dtype()));
    return compared;
  }
  if (integral(expected.dtype()))
    compare_integers(compared, got, expected);
  else
    compare_reals(compared, operation, arguments, got, expected);
  if (compared.mismatches > 0) {
    compared.pass = false;
    compared.reason = verdict_line(compared);
  }
  return compared;
}

}  // namespace

double OutputComparison::utilisation() const {
  return share(observed, allowed);
}

bool Comparison::pass() const {
  return !outputs.empty() &&
         std::all_of(outputs.begin(), outputs.end(), [](const auto& each) { return each.pass; });
}

std::string Comparison::reason() const {
  if (outputs.empty()) return "no output was compared";
  for (const OutputComparison& each : outputs)
    if (!each.pass) return each.reason;
  return {};
}

const OutputComparison* Comparison::failing() const {
  const auto found =
      std::find_if(outputs.begin(), outputs.end(), [](const auto& each) { return !each.pass; });
  return found == outputs.end() ? nullptr : &*found;
}

const OutputComparison* Comparison::worst() const {
  const auto found = std::max_element(
      outputs.begin(), outputs.end(),
      [](const auto& left, const auto& right) { return left.utilisation() < right.utilisation(); });
  return found == outputs.end() ? nullptr : &*found;
}

Comparison compare_outputs(const Operation& operation, const Arguments& host_arguments,
                           const std::map<std::string, Tensor>& outputs,
                           const std::map<std::string, Tensor>& reference) {
  Comparison comparison;
  for (const auto& [name, expected] : reference) {
    const auto found = outputs.find(name);
    if (found != outputs.end()) {
      comparison.outputs.push_back(compare_one(operation, host_arguments, name, found->second, expected));
      continue;
    }
    OutputComparison& missing = comparison.outputs.emplace_back();
    missing.output = name;
    missing.pass = false;
    missing.reason = name + ": the reference has this output, the result lacks it";
  }
  for (const auto& [name, got] : outputs) {
    if (reference.count(name) != 0) continue;
    OutputComparison& unknown = comparison.outputs.emplace_back();
    unknown.output = name;
    unknown.elements = got.elements();
    unknown.pass = false;
    unknown.reason = name + ": the reference has no such output";
  }
  return comparison;
}

std::vector<double> allowed_by_plain(std::span<const double> reference, std::span<const double> plain,
                                     const Shape& shape, DType type) {
  const std::size_t columns = shape.empty() ? 1 : static_cast<std::size_t>(shape.back());
  std::vector<double> scales(reference.size());
  for (std::size_t first = 0; first < reference.size(); first += columns) {
    // Relative to the largest, so that no square leaves the range of a double.
    double largest = 0, squares = 0, finite = 0;
    for (std::size_t i = first; i < first + columns; ++i)
      if (std::isfinite(reference[i])) largest = std::max(largest, std::fabs(reference[i]));
    for (std::size_t i = first; i < first + columns && largest > 0; ++i)
      if (std::isfinite(reference[i])) {
        squares += (reference[i] / largest) * (reference[i] / largest);
        ++finite;
      }
    const double of_row = largest > 0 ? largest * std::sqrt(squares / finite) : 0;
    for (std::size_t i = first; i < first + columns; ++i)
      scales[i] = std::max(std::fabs(reference[i]), of_row);
  }
  double worst = 0;
  for (std::size_t i = 0; i < reference.size(); ++i)
    if (std::isfinite(reference[i]) && std::isfinite(plain[i]) && scales[i] > 0)
      worst = std::max(worst, std::fabs(plain[i] - reference[i]) / scales[i]);
  std::vector<double> allowed(reference.size(), 0.0);
  for (std::size_t i = 0; i < allowed.size(); ++i)
    if (std::isfinite(reference[i]))
      allowed[i] = std::max(2 * worst * scales[i], spacing_at(reference[i], type));
  return allowed;
}

std::vector<double> to_doubles(const ConstTensorView& view) {
  switch (view.dtype) {
    case DType::f64:
      return widened<double>(view);
    case DType::f32:
      return widened<float>(view);
    case DType::f16:
      return widened<Half>(view);
    case DType::bf16:
      return widened<BFloat16>(view);
    case DType::i64:
      return widened<std::int64_t>(view);
    case DType::i32:
      return widened<std::int32_t>(view);
    case DType::u32:
      return widened<std::uint32_t>(view);
    case DType::u8:
      return widened<std::uint8_t>(view);
  }
  return {};
}

}  // namespace assay
