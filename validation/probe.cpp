#include "validation/probe.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "engine/comparison.hpp"
#include "engine/runtime/error.hpp"
#include "reference/operations.hpp"
#include "validation/difference_map.hpp"
#include "validation/preconditions.hpp"

namespace assay::validation {

namespace {

const Operation& known(std::string_view name) {
  const Operation* operation = find_operation(name);
  if (operation == nullptr) throw std::out_of_range("no operation '" + std::string(name) + "'");
  return *operation;
}

// Changes the last element of every output: its sign and exponent bits where it is floating point, so that no
// bound could take the change for rounding.
void change_last_element(std::map<std::string, Tensor>& outputs) {
  for (auto& [name, tensor] : outputs) {
    if (tensor.elements() == 0) continue;
    const std::size_t width = size_of(tensor.dtype());
    std::byte* last = tensor.view().data + tensor.bytes() - width;
    last[width - 1] ^= std::byte{0x45};
  }
}

}  // namespace

std::map<std::string, Tensor> CaseProbe::run(std::string_view name, const HostArguments& arguments,
                                             const Placements& placements) {
  const Operation& operation = known(name);
  std::map<std::string, Tensor> outputs;
  if (record_.trace) record_.trace->took(name, arguments.view());
  if (backend_ == Backend::reference) {
    outputs = assay::reference::run(operation, arguments.view());
  } else {
    if (!operation.has(backend_)) {
      throw BackendUnavailable(operation.name + " has no body for " + std::string(name_of(backend_)));
    }
    outputs = run_checked(context_, operation, arguments.view(), placements);
  }
  if (std::exchange(tamper_, false)) change_last_element(outputs);
  if (record_.trace) record_.trace->gave(outputs);
  return outputs;
}

std::map<std::string, Tensor> CaseProbe::reference(std::string_view name, const HostArguments& arguments) {
  record_.used_reference = true;
  return assay::reference::run(known(name), arguments.view());
}

std::map<std::string, Tensor> CaseProbe::expect_reference(std::string_view name,
                                                          const HostArguments& arguments,
                                                          const Placements& placements) {
  const Operation& operation = known(name);
  auto outputs = run(name, arguments, placements);
  const auto expected = reference(name, arguments);
  const Arguments resolved = resolve(operation, arguments.view());
  const Comparison comparison = compare_outputs(operation, resolved, outputs, expected);
  ++record_.assertions;
  if (const OutputComparison* worst = comparison.worst()) {
    record_.samples.push_back({worst->output, worst->observed, worst->allowed});
    if (record_.trace) record_.trace->figure(worst->observed, worst->allowed);
  }
  if (comparison.pass()) return outputs;
  const OutputComparison* failing = comparison.failing();
  if (failing == nullptr || failing->wrong.empty()) throw Failed(comparison.reason());
  const DifferenceMap map = map_differences(failing->shape, failing->wrong);
  throw Failed(comparison.reason() + ": " + map.where +
               (map.picture.empty() ? "" : picture_follows + map.picture));
}

void CaseProbe::expect_within(std::string_view what, double observed, double allowed) {
  ++record_.assertions;
  const double magnitude = std::abs(observed);
  record_.samples.push_back({std::string(what), magnitude, allowed});
  if (record_.trace) record_.trace->figure(observed, allowed);
  // Written so that a NaN on either side fails.
  if (!(magnitude <= allowed))
    throw Failed(fmt::format("{}: {:.17g} where {:.3g} is allowed", what, magnitude, allowed));
}

void CaseProbe::expect(bool holds, std::string_view what) {
  ++record_.assertions;
  if (!holds) throw Failed(std::string(what));
}

void CaseProbe::expect_equal(std::string_view what, const Tensor& left, const Tensor& right) {
  ++record_.assertions;
  if (left.dtype() != right.dtype() || left.shape() != right.shape()) {
    throw Failed(fmt::format("{}: {} {} against {} {}", what, name_of(left.dtype()), to_string(left.shape()),
                             name_of(right.dtype()), to_string(right.shape())));
  }
  if (left.bytes() == 0 || std::memcmp(left.view().data, right.view().data, left.bytes()) == 0) return;
  const std::size_t width = size_of(left.dtype());
  std::size_t element = 0;
  while (std::memcmp(left.view().data + element * width, right.view().data + element * width, width) == 0)
    ++element;
  const std::vector<double> one = to_doubles(left.view());
  const std::vector<double> other = to_doubles(right.view());
  throw Failed(fmt::format("{}: element {} of {} is {:.17g} against {:.17g}", what, element,
                           to_string(left.shape()), one[element], other[element]));
}

void CaseProbe::note(std::string_view name, std::string_view value) {
  const auto found = std::find_if(record_.notes.begin(), record_.notes.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  if (found != record_.notes.end())
    found->second = value;
  else
    record_.notes.emplace_back(name, value);
}

}  // namespace assay::validation
