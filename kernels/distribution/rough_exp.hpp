#pragma once

#include <cstdint>

#include "kernels/distribution/exact_math.hpp"

namespace assay::kernels::distribution {

/// Coefficients of exp, highest power first, as exact_math.hpp has them.
inline constexpr double rough_coefficients[7] = {0x1.6d75737b8656ep-10,
                                                 0x1.126fe89c0ff97p-7,
                                                 0x1.5554aca21bbbp-5,
                                                 0x1.555403c00462ap-3,
                                                 0x1.000000289004ap-1,
                                                 0x1.000000a258573p+0,
                                                 0x1p+0};
#ifdef __CUDACC__
static __constant__ double rough_coefficients_on_device[7] = {
    rough_coefficients[0], rough_coefficients[1], rough_coefficients[2], rough_coefficients[3],
    rough_coefficients[4], rough_coefficients[5], rough_coefficients[6]};
#endif

/// exp(value) 2^-reference to a relative error below 2^-28, for estimates of a mass: a polynomial of degree 6
/// (Chebyshev interpolation on |r| <= 0.3467, error 2.5e-9; the rounding of ln 2 adds 2^-37). Preconditions:
/// |value| <= 2e5, and the result is a normal number.
ASSAY_HOST_DEVICE inline double rough_exp(double value, std::int32_t reference) {
#ifdef __CUDA_ARCH__
  const double* const series = rough_coefficients_on_device;
#else
  const double* const series = rough_coefficients;
#endif
  // Rounds to an integer less `reference`, which the lower bits of the sum hold.
  const double shift = round_to_integer - reference;
  const double shifted = fused(value, log2_e, shift);
  const double rest = fused(shifted - shift, -ln_2, value);
  double sum = series[0];
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
  for (int power = 1; power < 7; ++power) sum = fused(sum, rest, series[power]);
  const auto power = static_cast<std::uint32_t>(__builtin_bit_cast(std::uint64_t, shifted));
  return __builtin_bit_cast(
      double, __builtin_bit_cast(std::uint64_t, sum) + (static_cast<std::uint64_t>(power) << 52));
}

}  // namespace assay::kernels::distribution
