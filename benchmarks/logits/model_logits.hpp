#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensors/tensor.hpp"

namespace assay::benchmarks::logits {

/// Logits as a language model's last layer gives them: close to normal, with a standard deviation of 3. What
/// is drawn, 2^22 values, is repeated beyond that with a shift, so that no two rows are alike.
Tensor model_logits(DType type, const Shape& shape, std::uint64_t seed);

/// One value for each row.
template <typename T>
Tensor per_row(std::int64_t rows, T value) {
  return Tensor::from<T>(std::vector<T>(static_cast<std::size_t>(rows), value), {rows});
}

}  // namespace assay::benchmarks::logits
