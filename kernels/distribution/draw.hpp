#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"
#include "engine/runtime/philox.hpp"
#include "kernels/distribution/exact_math.hpp"
#include "kernels/distribution/weight.hpp"

namespace assay::kernels::distribution {

/// 64 random bits of one draw: block `position` of the stream 0 of `seed`. Nothing else of the call enters.
ASSAY_HOST_DEVICE inline std::uint64_t draw_bits(std::uint64_t seed, std::uint64_t position) {
  return Philox(seed, 0, position).next_u64();
}

/// ln of the probability of a token so far below the maximum, where all weights add up to `total`.
/// Precondition: total > 0.
ASSAY_HOST_DEVICE inline float log_prob_of(double distance, std::uint64_t total) {
  const double log_total = log_of(static_cast<double>(total) * power_of_two(-weight_bits));
  return static_cast<float>(-distance - log_total);
}

/// The probability of a token of that weight: a division in double, rounded to float. 0 where nothing weighs
/// anything. `weight` is at most `total`.
ASSAY_HOST_DEVICE inline float probability_of(std::uint64_t weight, std::uint64_t total) {
  return total == 0 ? 0.0F : static_cast<float>(static_cast<double>(weight) / static_cast<double>(total));
}

}  // namespace assay::kernels::distribution
