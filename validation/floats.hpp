#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "engine/comparison.hpp"
#include "engine/tensors/tensor.hpp"

/// Outputs that bodies write as f32 and the reference as f64. A property that reads them by these functions
/// holds on every backend.
namespace assay::validation {

/// The elements, rounded to float where they are doubles.
inline std::vector<float> floats_of(const Tensor& output) {
  std::vector<float> made;
  made.reserve(static_cast<std::size_t>(output.elements()));
  for (const double value : to_doubles(output.view())) made.push_back(static_cast<float>(value));
  return made;
}

/// The same as a tensor: an output that becomes an input, of which the reference takes no doubles either.
inline Tensor as_floats(const Tensor& output) {
  return Tensor::from<float>(floats_of(output), output.shape());
}

/// Each element of an f32 or f64 tensor becomes change(element): how negative controls spoil an output.
template <typename Change>
void change_floats(Tensor& output, const Change& change) {
  const auto each = [&](auto values) {
    std::transform(values.begin(), values.end(), values.begin(), change);
  };
  output.dtype() == DType::f64 ? each(output.as<double>()) : each(output.as<float>());
}

/// (1, count): `count` elements from the flat index `first` on, of the same type and bits.
inline Tensor elements_of(const Tensor& tensor, std::size_t first, std::size_t count) {
  Tensor made(tensor.dtype(), {1, static_cast<std::int64_t>(count)});
  const std::size_t width = size_of(tensor.dtype());
  std::memcpy(made.view().data, tensor.view().data + first * width, count * width);
  return made;
}

/// `count` elements from the flat index `first` on become 0: what a comparison leaves out.
inline void clear_elements(Tensor& tensor, std::size_t first, std::size_t count) {
  const std::size_t width = size_of(tensor.dtype());
  std::memset(tensor.view().data + first * width, 0, count * width);
}

}  // namespace assay::validation
