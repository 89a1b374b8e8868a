#pragma once

#include <cstdint>

#include "engine/runtime/mutant.hpp"
#include "kernels/dense/gemv.hpp"

namespace assay::kernels::products {

/// What a call gives for a row and a vector whose products add up to `sum`.
inline void put_result(const dense::GemvCall& call, int vector, std::int64_t row, float sum) {
  float& result = call.y[vector * call.rows + row];
  result = sum;
  if (call.bias != nullptr && !mutant("dense.gemv.bias_missing"))
    result += call.bias[mutant("dense.gemv.bias_of_first_row") ? 0 : row];
}

}  // namespace assay::kernels::products
