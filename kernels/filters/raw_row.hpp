#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensors/dtype.hpp"
#include "engine/tensors/half.hpp"

namespace assay::kernels::filters {

/// A row as it lies in memory: NaN and -0 as they are.
struct RawRow {
  DType dtype;  ///< f32, f16 or bf16
  const std::byte* data;
  std::int64_t count;
};

/// body(its elements, as a pointer to their type).
template <typename Body>
decltype(auto) with_elements(const RawRow& row, const Body& body) {
  if (row.dtype == DType::f16) return body(reinterpret_cast<const Half*>(row.data));
  if (row.dtype == DType::bf16) return body(reinterpret_cast<const BFloat16*>(row.data));
  return body(reinterpret_cast<const float*>(row.data));
}

}  // namespace assay::kernels::filters
