#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"
#include "kernels/distribution/exact_math.hpp"
#include "kernels/distribution/weight.hpp"

namespace assay::kernels::distribution {

/// What exp(-distance) is multiplied with to be a probability, where all weights add up to `total`; 0 where
/// nothing weighs anything.
ASSAY_HOST_DEVICE inline double inverse_mass(std::uint64_t total) {
  return total == 0 ? 0.0 : 1.0 / (static_cast<double>(total) * power_of_two(-weight_bits));
}

/// The probability of a token so far below the maximum, rounded to float once. It comes from the exponential
/// and not from the integer weight: what weighs nothing still has its share.
ASSAY_HOST_DEVICE inline float share_at(double distance, double inverse) {
  return static_cast<float>(exp_minus(distance) * inverse);
}

}  // namespace assay::kernels::distribution
