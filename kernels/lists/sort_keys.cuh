#pragma once

#include <cstdint>

namespace assay::kernels::lists {

/// Sorts the keys of a warp, rising: key kKeys * lane + j in keys[j] when done.
template <int kKeys>
__device__ void sort_keys(std::uint64_t (&keys)[kKeys]) {
  constexpr int kSorted = 32 * kKeys;
  const std::int32_t lane = static_cast<std::int32_t>(threadIdx.x % 32);
#pragma unroll
  for (int size = 2; size <= kSorted; size *= 2) {
#pragma unroll
    for (int step = size / 2; step > 0; step /= 2) {
      if (step >= kKeys) {
#pragma unroll
        for (int j = 0; j < kKeys; ++j) {
          const std::int32_t index = kKeys * lane + j;
          const std::uint64_t other = __shfl_xor_sync(0xFFFFFFFFu, keys[j], step / kKeys);
          const bool rising = (index & size) == 0, lower = (index & step) == 0;
          const bool keep_smaller = rising == lower;
          keys[j] = (keys[j] < other) == keep_smaller ? keys[j] : other;
        }
      } else {
#pragma unroll
        for (int j = 0; j < kKeys; ++j)
          if ((j & step) == 0) {
            const bool rising = ((kKeys * lane + j) & size) == 0;
            const std::uint64_t a = keys[j], b = keys[j ^ step];
            const bool swap = (a > b) == rising;
            keys[j] = swap ? b : a;
            keys[j ^ step] = swap ? a : b;
          }
      }
    }
  }
}

}  // namespace assay::kernels::lists
