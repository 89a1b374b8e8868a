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

/// Two at once, in fewer instructions: the j-th smallest of two rising lists is the least that j of one and
/// the rest of the other do not exceed.
template <int kCapacity>
__device__ void insert_two(std::uint32_t (&keys)[kCapacity], std::uint32_t one, std::uint32_t other) {
  const std::uint32_t low = min(one, other), high = max(one, other);
#pragma unroll
  for (int j = kCapacity - 1; j > 1; --j)
    keys[j] = min(min(max(keys[j - 1], low), max(keys[j - 2], high)), keys[j]);
  if constexpr (kCapacity > 1) keys[1] = min(min(max(keys[0], low), high), keys[1]);
  keys[0] = min(keys[0], low);
}

}  // namespace assay::kernels::lists
