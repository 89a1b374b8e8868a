#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"

/// Functions that give the same bits on every machine and backend: each rounding is that of one IEEE
/// operation, and every product that is added to something is a fused multiply-add by name, so that no
/// compiler has one left to fuse.
namespace assay::kernels::distribution {

/// a b + c with one rounding.
ASSAY_HOST_DEVICE inline double fused(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}

/// The parts of exp(-distance) = series 2^-halvings: the polynomial for the fraction and the whole power of
/// two.
struct ExpParts {
  double series;          ///< in [0.70, 1.42]
  std::int64_t halvings;  ///< 0 or more
};

/// Beyond this a weight of any scale in use here is 0, and so is a float.
inline constexpr double most_distance = 700.0;

/// Coefficients of (exp(r) - 1) / r, highest power first: Chebyshev interpolation on |r| <= 0.347. The
/// relative error of 1 + r (...) is below 3.8e-14, and at 0 there is none.
inline constexpr double exp_coefficients[9] = {
    0x1.72c7b3ac3a215p-19, 0x1.a15b19c586d58p-16, 0x1.a019ad41ef162p-13,
    0x1.6c164d62635a8p-10, 0x1.1111111c5b16fp-7,  0x1.5555557463529p-5,
    0x1.5555555553b3cp-3,  0x1.fffffffff7067p-2,  0x1.0000000000000p+0};
#ifdef __CUDACC__
/// Where a fused multiply-add of a device reads them without an instruction of their own. Not const: a
/// compiler that knew their values would put those into instructions again.
static __constant__ double exp_coefficients_on_device[9] = {
    exp_coefficients[0], exp_coefficients[1], exp_coefficients[2], exp_coefficients[3], exp_coefficients[4],
    exp_coefficients[5], exp_coefficients[6], exp_coefficients[7], exp_coefficients[8]};
#endif
ASSAY_HOST_DEVICE inline double exp_series(int power) {
#ifdef __CUDA_ARCH__
  return exp_coefficients_on_device[power];
#else
  return exp_coefficients[power];
#endif
}
inline constexpr double log2_e = 0x1.71547652b82fep+0;
inline constexpr double ln_2 = 0x1.62e42fefa39efp-1;
/// Added to and taken from a double below 2^51, this rounds it to an integer, whose bits the sum ends in.
inline constexpr double round_to_integer = 0x1.8p52;

/// Precondition: 0 <= distance <= most_distance.
ASSAY_HOST_DEVICE inline ExpParts exp_parts(double distance) {
  const double shifted = fused(distance, log2_e, round_to_integer);
  const double whole = shifted - round_to_integer;
  const double rest = fused(whole, ln_2, -distance);  // |rest| <= ln(2) / 2 and a little
  double series = exp_series(0);
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
  for (int power = 1; power < 9; ++power) series = fused(series, rest, exp_series(power));
  // The lower bits of `shifted` hold the integer.
  const auto bits = __builtin_bit_cast(std::uint64_t, shifted);
  return {fused(series, rest, 1.0), static_cast<std::int64_t>(bits & 0xFFFFFu)};
}

/// 2^exponent, for exponents of normal numbers.
ASSAY_HOST_DEVICE inline double power_of_two(std::int64_t exponent) {
  return __builtin_bit_cast(double, static_cast<std::uint64_t>(exponent + 1023) << 52);
}

/// exp(-distance) to a relative error below 4e-14 (7e-14 beyond 64, where the rounding of ln 2 counts); 0 for
/// what is more than `most_distance` (and for +Inf). Precondition: distance >= 0.
ASSAY_HOST_DEVICE inline double exp_minus(double distance) {
  const bool counts = distance <= most_distance;
  const ExpParts parts = exp_parts(counts ? distance : most_distance);
  const double value = parts.series * power_of_two(-parts.halvings);
  return counts ? value : 0;
}

/// ln(value) to about 1e-15 (relative, away from 1 absolute). Precondition: value is positive, normal and
/// finite.
ASSAY_HOST_DEVICE inline double log_of(double value) {
  // value = 2^exponent m, m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh(s), s = (m - 1) / (m + 1).
  // Coefficients of (atanh(s) / s - 1) / s^2 in s^2, highest power first: error below 4.3e-18.
  constexpr double series[7] = {0x1.2b7fa65d46092p-4, 0x1.39fb2efc9f64dp-4, 0x1.7462cd53f36e2p-4,
                                0x1.c71c628e9dcbep-4, 0x1.2492492e3599dp-3, 0x1.9999999995077p-3,
                                0x1.5555555555558p-2};
  const auto bits = __builtin_bit_cast(std::uint64_t, value);
  auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
  double mantissa = __builtin_bit_cast(double, (bits & 0xFFFFFFFFFFFFFu) | std::uint64_t{1023} << 52);
  if (mantissa > 0x1.6a09e667f3bcdp+0) {
    mantissa *= 0.5;
    ++exponent;
  }
  const double s = (mantissa - 1.0) / (mantissa + 1.0);
  const double square = s * s;
  double sum = series[0];
  for (int power = 1; power < 7; ++power) sum = fused(sum, square, series[power]);
  const double cubed = s * square;
  const double fraction = fused(2.0 * cubed, sum, 2.0 * s);
  return fused(static_cast<double>(exponent), ln_2, fraction);
}

}  // namespace assay::kernels::distribution
