#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/runtime/host_device.hpp"
#include "engine/tensors/dtype.hpp"

namespace assay {

/// Rows of logits whose arguments have been checked (engine/logits/rows.hpp).
struct LogitRows {
  DType dtype = DType::f32;         ///< f32, f16 or bf16
  const std::byte* data = nullptr;  ///< (rows, tokens), row stride in elements
  std::int64_t row_stride = 0;
  std::int64_t rows = 0;
  std::int64_t tokens = 0;
  const std::uint32_t* mask = nullptr;  ///< (rows, words()), or nullptr: all tokens are allowed

  /// Words of a row's bitmask.
  ASSAY_HOST_DEVICE std::int64_t words() const { return (tokens + 31) / 32; }
};

}  // namespace assay
