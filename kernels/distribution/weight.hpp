#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"
#include "kernels/distribution/exact_math.hpp"

/// Probabilities as integers: the weight of a token is exp(logit - maximum) 2^45, rounded to the nearest
/// integer, so that the mass of any set of tokens is exact and does not depend on the order of addition.
///
/// What that loses: a token whose probability is below 2^-46 of the most likely one's weighs 0, and every
/// other is off by at most half a unit, 2^-46 of the most likely one's. The mass of a set of n tokens is so
/// within n 2^-46 + 4e-14 (relative) of the exact one: at most 4.3e-9 of the maximum's for 300,000 tokens
/// that are all rounded the same way, some 1e-11 where roundings fall as they may.
namespace assay::kernels::distribution {

inline constexpr int weight_bits = 45;
/// Tokens of a row: their weights add up to less than 2^63.3, which 64 bits hold.
inline constexpr std::int64_t most_tokens = 300'000;

/// How far a logit lies below the maximum, in double. 0 where they are equal (+Inf and +Inf too), +Inf for
/// NaN. Precondition: no logit is above the maximum.
ASSAY_HOST_DEVICE inline double distance_below(float maximum, float logit) {
  const double distance = static_cast<double>(maximum) - static_cast<double>(logit);
  const double known = distance >= 0 ? distance : __builtin_inf();
  return logit == maximum ? 0 : known;
}

/// The weight of a token so far below the maximum. exp(-32) 2^45 is below a half.
ASSAY_HOST_DEVICE inline std::uint64_t weight_at(double distance) {
#ifdef __CUDA_ARCH__
  // Without a branch, so that several tokens of a thread are on their way together.
  distance = distance < 32.0 ? distance : 32.0;
#else
  if (!(distance < 32.0)) return 0;
#endif
  const ExpParts parts = exp_parts(distance);
  // One rounding: 2^52 leaves no fraction, and the integer stands in the lower bits.
  const double rounded = fused(parts.series, power_of_two(weight_bits - parts.halvings), 0x1p52);
  return __builtin_bit_cast(std::uint64_t, rounded) - __builtin_bit_cast(std::uint64_t, 0x1p52);
}

/// The weight of a token that is not above a maximum, both finite.
ASSAY_HOST_DEVICE inline std::uint64_t weight_below(double maximum, float logit) {
  return weight_at(maximum - static_cast<double>(logit));
}

/// exp(-distance) distance 2^45, rounded: what a token adds to the mean distance, whose sum over a row is
/// exact too.
ASSAY_HOST_DEVICE inline std::uint64_t surprise_at(double distance) {
  if (!(distance < 32.0)) return 0;
  const double product = exp_minus(distance) * distance;
  const double rounded = fused(product, power_of_two(weight_bits), 0x1p52);
  return __builtin_bit_cast(std::uint64_t, rounded) - __builtin_bit_cast(std::uint64_t, 0x1p52);
}

/// The weight of a token under the row's maximum; nothing weighs anything where that is -Inf.
ASSAY_HOST_DEVICE inline std::uint64_t weight_of(float maximum, float logit) {
  const std::uint64_t weight = weight_at(distance_below(maximum, logit));
  return maximum == -__builtin_inff() ? 0 : weight;
}

/// The least integer that is p total or more: exactly, in 128 bits. Precondition: 0 <= p <= 1, total below
/// 2^64.
ASSAY_HOST_DEVICE inline std::uint64_t mass_needed(double p, std::uint64_t total) {
  if (!(p > 0)) return 0;
  const auto bits = __builtin_bit_cast(std::uint64_t, p);
  const auto exponent = static_cast<int>(bits >> 52);  // p = significand 2^(exponent - 1075)
  if (exponent == 0) return total > 0 ? 1 : 0;         // a subnormal p: less than any unit
  const std::uint64_t significand = (bits & 0xFFFFFFFFFFFFFu) | std::uint64_t{1} << 52;
  const int shift = 1075 - exponent;          // 52 or more, since p <= 1
  if (shift > 117) return total > 0 ? 1 : 0;  // the product is below 2^117
  const unsigned __int128 product = static_cast<unsigned __int128>(significand) * total;
  const unsigned __int128 whole = product >> shift;
  const bool inexact = (whole << shift) != product;
  return static_cast<std::uint64_t>(whole) + (inexact ? 1 : 0);
}

/// A point in [0, total) from 64 random bits. A token of weight w is met by floor or ceil of w 2^64 / total
/// of them: its probability is within 2^-64 of w / total.
ASSAY_HOST_DEVICE inline std::uint64_t point_in(std::uint64_t random, std::uint64_t total) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(random) * total >> 64);
}

}  // namespace assay::kernels::distribution
