#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/tensors/tensor.hpp"

namespace assay {

/// The value of a parameter of an operation.
using Value = std::variant<std::int64_t, double, bool, std::string, std::vector<std::int64_t>>;

/// "4", "0.5", "true", "row", "1,2,3".
std::string to_string(const Value& value);

/// Named inputs and parameters of one call. Inputs are views: the caller keeps the memory.
class Arguments {
 public:
  std::map<std::string, ConstTensorView, std::less<>> inputs;
  std::map<std::string, Value, std::less<>> parameters;

  bool has(std::string_view input) const { return inputs.find(input) != inputs.end(); }
  /// Throws std::out_of_range with the name where it is absent; std::bad_variant_access where a type differs.
  const ConstTensorView& input(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  double real(std::string_view name) const;
  bool flag(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  const std::vector<std::int64_t>& integers(std::string_view name) const;
};

/// Inputs and parameters of one call that own their memory: what a generator makes. Move-only, as tensors
/// are.
struct HostArguments {
  std::map<std::string, Tensor> inputs;
  std::map<std::string, Value> parameters;
  Arguments view() const;
  HostArguments clone() const;
};

/// Named outputs of one call, allocated by the caller with the shapes that the operation gave.
using Outputs = std::map<std::string, TensorView, std::less<>>;

}  // namespace assay
