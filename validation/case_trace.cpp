#include "validation/case_trace.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "engine/comparison.hpp"

namespace assay::validation {

namespace {

bool is_floating(DType type) {
  return type == DType::f64 || type == DType::f32 || type == DType::f16 || type == DType::bf16;
}

}  // namespace

void CaseTrace::add(const void* bytes, std::size_t count) {
  anything_ = true;
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < count; ++i) hash_ = (hash_ ^ at[i]) * 0x100000001B3u;
}

void CaseTrace::add(std::string_view text) {
  const std::uint64_t length = text.size();  // so that "ab", "c" is not "a", "bc"
  add(&length, sizeof length);
  add(text.data(), text.size());
}

void CaseTrace::add(const ConstTensorView& view) {
  add(name_of(view.dtype));
  add(view.shape.data(), view.shape.size() * sizeof(std::int64_t));
  // Host arguments and outputs own their memory, which is contiguous.
  add(view.data, static_cast<std::size_t>(view.elements()) * size_of(view.dtype));
}

void CaseTrace::took(std::string_view operation, const Arguments& arguments) {
  std::string shapes;
  std::int64_t elements = 0, non_zeros = 0;
  add(operation);
  for (const auto& [name, view] : arguments.inputs) {
    add(name);
    add(view);
    shapes += fmt::format("{}{} {}", shapes.empty() ? "" : ", ", name, to_string(view.shape));
    if (!is_floating(view.dtype)) continue;
    const std::vector<double> values = to_doubles(view);
    elements += static_cast<std::int64_t>(values.size());
    non_zeros += std::count_if(values.begin(), values.end(), [](double value) { return !(value == 0); });
  }
  for (const auto& [name, value] : arguments.parameters) {
    add(name);
    add(to_string(value));
  }
  if (elements <= elements_) return;
  inputs_ = fmt::format("{}: {}", operation, shapes.empty() ? "no input" : shapes);
  elements_ = elements;
  non_zeros_ = non_zeros;
}

void CaseTrace::gave(const std::map<std::string, Tensor>& outputs) {
  for (const auto& [name, tensor] : outputs) {
    add(name);
    add(tensor.view());
  }
}

void CaseTrace::figure(double observed, double allowed) {
  add(&observed, sizeof observed);
  add(&allowed, sizeof allowed);
}

std::string CaseTrace::fingerprint() const {
  return anything_ ? fmt::format("{:016x}", hash_) : "";
}

}  // namespace assay::validation
