#pragma once

#include <cmath>

namespace assay::logits {

/// Allowed |y - r| of a natural logarithm of probability in float, of a row of so many tokens. The total of
/// the integer weights is within n 2^-46 + 4e-14 (relative; the maximum alone weighs 1) of the exact one
/// (kernels/distribution/weight.hpp), and so is its logarithm, but for the second order; the logarithm and
/// the subtraction, in double, and the reference's own sum are within 1e-13 - 4e-14 with room; the rounding
/// to float follows. n 2^-45 stands for n 2^-46 and for what the reference's running sum of n terms loses.
inline double log_prob_error(double tokens, double reference) {
  return tokens * 0x1p-45 + 1e-13 + 0x1p-24 * std::fabs(reference);
}

}  // namespace assay::logits
