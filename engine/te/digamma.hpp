#pragma once

#include "engine/operation.hpp"

namespace assay::te {

/// The digamma function psi(x) = d/dx ln Gamma(x) for real x > 0, element by element.
///
/// Formula: psi(x) = psi(x + 1) - 1/x until the argument is large, then the asymptotic series
/// ln x - 1/(2x) - sum B_2m / (2m x^2m) (Abramowitz, Stegun 1964, 6.3.5 and 6.3.18).
/// Golden values: psi(1) = -0.5772156649 (minus Euler's constant), psi(10) = 2.2517525891.
///
/// input   x: any shape, f64, every element > 0 and finite (else ContractError; on CUDA, where the values lie
///         in device memory, DeviceError at the next synchronisation of the context)
/// output  psi: the same shape, f64
///
/// Error bound, composed of the body's steps (engine/error_bounds.hpp), u = 2^-53:
///  1. The argument grows by 1 up to 8 times, one rounding each. Every 1/x of the recurrence is a division of
///  that
///     argument's error and one rounding, and joins a running sum.
///  2. At x >= 8: r = 1/x and s = r^2 are rounded; the series is Horner's scheme in s, its nine coefficients
///  each
///     rounded once; ln x is taken to 1 unit in the last place, 2 u |ln x| (both backends' libraries), and
///     carries the argument's error over x; half of r is exact. Three differences join them.
///  3. The first term that the series leaves out, B_20 / (20 x^20) < 26.5 / x^20, bounds what it leaves out
///     (the series is enveloping for x > 0: Abramowitz, Stegun 1964, 6.3.18).
///  4. The reference's own: rounded to double, u |psi|; a running sum of 1,000 terms, the logarithm and the
///  series in
///     80 bits, 2^-64 times at most 1,100 (partial sums of 1/m, smallest first) and 3 (1/x + ln(x + 1000)).
///
/// CUDA runs the same body; its products may be fused, each a rounding less. Backends may differ in the last
/// bits.
void digamma(Context& context, const ConstTensorView& x, const TensorView& psi);

/// The bound of points 1 to 4 at x > 0.
double digamma_error(double x);

Operation describe_digamma();

}  // namespace assay::te
