#pragma once

// The smallest distances that a search has met, in registers: device code that both walks share.
#include <cstdint>

namespace assay::kernels::lists {

__device__ inline double larger(double a, double b) {
  return a > b ? a : b;
}

/// kCapacity smallest keys, rising. A key is the bits of a distance, the last of them replaced by a place.
template <int kCapacity>
__device__ void insert(std::uint32_t (&keys)[kCapacity], std::uint32_t key) {
#pragma unroll
  for (int j = kCapacity - 1; j > 0; --j) keys[j] = min(keys[j], max(keys[j - 1], key));
  keys[0] = min(keys[0], key);
}

}  // namespace assay::kernels::lists
