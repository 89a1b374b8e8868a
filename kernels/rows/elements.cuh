#pragma once

// What a thread holds of a row, in float: read and written as whole vectors where the row is aligned, else
// element by element.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

namespace assay::kernels::rows {

__device__ inline float minus_infinity() {
  return __int_as_float(static_cast<int>(0xFF800000u));
}

__device__ inline float widen(float value) {
  return value;
}
__device__ inline float widen(__half value) {
  return __half2float(value);
}
__device__ inline float widen(__nv_bfloat16 value) {
  return __bfloat162float(value);
}

template <typename T>
__device__ T narrow(float value) {
  if constexpr (sizeof(T) == 4)
    return value;
  else if constexpr (std::is_same_v<T, __half>)
    return __float2half_rn(value);
  else
    return __float2bfloat16_rn(value);
}

/// 16 bytes of elements.
template <typename T>
struct alignas(16) Vector {
  static constexpr int width = 16 / sizeof(T);
  T elements[width];
};

// The bits of -Inf in each element.
template <typename T>
__device__ uint4 all_minus_infinity() {
  const unsigned word = sizeof(T) == 4 ? 0xFF800000u : std::is_same_v<T, __half> ? 0xFC00FC00u : 0xFF80FF80u;
  return {word, word, word, word};
}

/// The part of a row that one thread holds, widened to float: `Count` times `Width` elements that lie side by
/// side, the first of them at `mine`, the next `step` elements on; -Inf, whose exponential is 0, from `left`
/// elements on, where the row has ended.
template <typename T, int Width, int Count>
__device__ void load_part(float (&values)[Width * Count], const T* mine, int step, int left, bool aligned) {
  if constexpr (Width > 1) {
    if (aligned) {
      uint4 raw[Count];  // all on their way before the first is used
#pragma unroll
      for (int k = 0; k < Count; ++k) {
        raw[k] = all_minus_infinity<T>();
        if (k * step < left) raw[k] = __ldcs(reinterpret_cast<const uint4*>(mine + k * step));
      }
#pragma unroll
      for (int k = 0; k < Count; ++k) {
        const auto vector = __builtin_bit_cast(Vector<T>, raw[k]);
#pragma unroll
        for (int i = 0; i < Width; ++i) values[k * Width + i] = widen(vector.elements[i]);
      }
      return;
    }
  }
#pragma unroll
  for (int k = 0; k < Count; ++k) {
#pragma unroll
    for (int i = 0; i < Width; ++i)
      values[k * Width + i] = k * step + i < left ? widen(mine[k * step + i]) : minus_infinity();
  }
}

/// Writes values * scale to where load_part takes elements from.
template <typename T, int Width, int Count>
__device__ void store_part(const float (&values)[Width * Count], float scale, T* mine, int step, int left,
                           bool aligned) {
#pragma unroll
  for (int k = 0; k < Count; ++k) {
    if constexpr (Width > 1) {
      if (aligned) {
        Vector<T> vector;
#pragma unroll
        for (int i = 0; i < Width; ++i) vector.elements[i] = narrow<T>(values[k * Width + i] * scale);
        if (k * step < left) *reinterpret_cast<uint4*>(mine + k * step) = __builtin_bit_cast(uint4, vector);
        continue;
      }
    }
#pragma unroll
    for (int i = 0; i < Width; ++i)
      if (k * step + i < left) mine[k * step + i] = narrow<T>(values[k * Width + i] * scale);
  }
}

}  // namespace assay::kernels::rows
