#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"

/// The order of tokens: falling logit, tokens of equal logits by rising id, the same on every backend.
namespace assay::kernels::distribution {

inline constexpr std::uint32_t order_of_minus_infinity = 0x007FFFFFu;

/// A number that rises with the logit; -0 and +0 are equal, and NaN is as -Inf, the least.
ASSAY_HOST_DEVICE inline std::uint32_t order_of(float logit) {
  if (!(logit == logit)) return order_of_minus_infinity;
  const float plus_zero = logit + 0.0F;  // -0 + 0 is +0
  const auto bits = __builtin_bit_cast(std::uint32_t, plus_zero);
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

/// Compares as the order does, the greatest first: the number of the logit, then what is left of the id.
ASSAY_HOST_DEVICE inline std::uint64_t rank_key(float logit, std::uint32_t id) {
  return static_cast<std::uint64_t>(order_of(logit)) << 32 | (0xFFFFFFFFu - id);
}

}  // namespace assay::kernels::distribution
