#include "validation/tensors/format.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace assay::validation {

double Format::largest() const {
  return std::ldexp(2 - std::ldexp(1.0, 1 - precision), largest_exponent);
}
double Format::smallest_normal() const {
  return std::ldexp(1.0, smallest_exponent);
}
double Format::smallest_subnormal() const {
  return std::ldexp(1.0, smallest_exponent + 1 - precision);
}

Format format_of(DType type) {
  switch (type) {
    case DType::f64:
      return {53, 1023, -1022};
    case DType::f32:
      return {24, 127, -126};
    case DType::f16:
      return {11, 15, -14};
    case DType::bf16:
      return {8, 127, -126};
    default:
      throw std::invalid_argument(std::string(name_of(type)) + " is no floating-point type");
  }
}

double round_to(DType type, double value) {
  if (type == DType::f64 || !std::isfinite(value) || value == 0) return value;
  const Format format = format_of(type);
  // In units of the last place of the result; a double holds them, and rounding them is the one rounding.
  const int exponent = std::max(std::ilogb(value), format.smallest_exponent) + 1 - format.precision;
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -exponent)), exponent);
  return std::fabs(rounded) > format.largest() ? std::copysign(HUGE_VAL, value) : rounded;
}

}  // namespace assay::validation
