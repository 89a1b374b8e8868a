#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"
#include "engine/tensors/dtype.hpp"

/// Conversions between float and the 16-bit types. Widening is exact. Narrowing rounds to nearest, ties to
/// even, as IEEE 754 has it: subnormals are rounded correctly, values from the overflow threshold on become
/// infinite, and a NaN stays a NaN (quiet, its sign and upper payload bits kept). The same bits on host and
/// device.
namespace assay {

namespace detail {
ASSAY_HOST_DEVICE constexpr std::uint32_t bits_of(float value) {
  return __builtin_bit_cast(std::uint32_t, value);
}
ASSAY_HOST_DEVICE constexpr float float_of(std::uint32_t bits) {
  return __builtin_bit_cast(float, bits);
}
}  // namespace detail

ASSAY_HOST_DEVICE constexpr float to_float(float value) {
  return value;
}

ASSAY_HOST_DEVICE constexpr float to_float(BFloat16 value) {
  return detail::float_of(static_cast<std::uint32_t>(value.bits) << 16);
}

ASSAY_HOST_DEVICE constexpr float to_float(Half value) {
  const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000u) << 16;
  const std::uint32_t exponent = (value.bits >> 10) & 0x1Fu;
  const std::uint32_t fraction = value.bits & 0x3FFu;
  if (exponent == 0x1F)
    return detail::float_of(sign | 0x7F800000u | fraction << 13 | (fraction != 0 ? 0x00400000u : 0u));
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24, which float holds as a normal number
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return detail::float_of(sign | detail::bits_of(magnitude));
  }
  return detail::float_of(sign | (exponent + 112u) << 23 | fraction << 13);
}

ASSAY_HOST_DEVICE constexpr BFloat16 to_bfloat16(float value) {
  const std::uint32_t bits = detail::bits_of(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return {static_cast<std::uint16_t>((bits >> 16) | 0x0040u)};
  // Adding just under half a unit carries into the kept bits where rounding goes up; the kept bit breaks the
  // tie.
  return {static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16)};
}

ASSAY_HOST_DEVICE constexpr Half to_half(float value) {
  const std::uint32_t bits = detail::bits_of(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u)
    return {static_cast<std::uint16_t>(sign | 0x7E00u | ((magnitude >> 13) & 0x3FFu))};
  if (magnitude >= 0x477FF000u) return {static_cast<std::uint16_t>(sign | 0x7C00u)};  // 65520 and above
  if (magnitude >= 0x38800000u) {  // normal: 2^-14 and above
    const std::uint32_t rounded = magnitude + 0xFFFu + ((magnitude >> 13) & 1u);
    return {static_cast<std::uint16_t>(sign | ((rounded - 0x38000000u) >> 13))};
  }
  if (magnitude <= 0x33000000u) return {sign};  // 2^-25 and below: half the smallest subnormal ties to zero
  // Subnormal: the significand with its hidden bit, shifted to units of 2^-24.
  const std::uint32_t exponent = magnitude >> 23;  // 102 to 112
  const std::uint32_t significand = (magnitude & 0x007FFFFFu) | 0x00800000u;
  const std::uint32_t shift = 126u - exponent;
  const std::uint32_t kept = significand >> shift;
  const std::uint32_t rest = significand & ((1u << shift) - 1u);
  const std::uint32_t half = 1u << (shift - 1u);
  const std::uint32_t up = rest > half || (rest == half && (kept & 1u) != 0) ? 1u : 0u;
  return {static_cast<std::uint16_t>(sign | (kept + up))};
}

/// `from_float<T>(x)`: x rounded to T.
template <typename T>
ASSAY_HOST_DEVICE constexpr T from_float(float value);
template <>
ASSAY_HOST_DEVICE constexpr float from_float<float>(float value) {
  return value;
}
template <>
ASSAY_HOST_DEVICE constexpr Half from_float<Half>(float value) {
  return to_half(value);
}
template <>
ASSAY_HOST_DEVICE constexpr BFloat16 from_float<BFloat16>(float value) {
  return to_bfloat16(value);
}

}  // namespace assay
