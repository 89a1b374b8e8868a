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
/// Error bound: 8 u (|psi(x)| + sum of the magnitudes that are added), u = 2^-53: at most 8 recurrence steps,
/// each one division and one addition; the truncation of the series is below u at its smallest argument. CUDA
/// runs the same body: its logarithm is within 1 unit in the last place, 2 u |ln x|, and its products may be
/// fused, each a rounding less; backends may differ in the last bits.
void digamma(Context& context, const ConstTensorView& x, const TensorView& psi);

Operation describe_digamma();

}  // namespace assay::te
