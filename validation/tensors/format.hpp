#pragma once

#include "engine/tensors/dtype.hpp"

namespace assay::validation {

/// A binary floating-point format: values are m 2^e with integers |m| < 2^precision.
struct Format {
  int precision;          ///< bits of a significand, the hidden one included
  int largest_exponent;   ///< of the leading bit of the largest finite value
  int smallest_exponent;  ///< of the leading bit of the smallest normal value

  double largest() const;  ///< finite
  double smallest_normal() const;
  double smallest_subnormal() const;
};

/// Throws std::invalid_argument for the integer types.
Format format_of(DType type);

/// The value of the type nearest to `value`, ties to even; infinite where that is beyond the largest.
double round_to(DType type, double value);

}  // namespace assay::validation
