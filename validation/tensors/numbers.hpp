#pragma once

#include <cstdint>
#include <string_view>

#include "engine/tensors/dtype.hpp"

namespace assay::validation {

/// What numbers a tensor is filled with, the simplest first. All are exactly representable in its type.
enum class Numbers : std::uint8_t {
  grid,             ///< integers from -8 to 8, three in four of them 0: sums and products of a few are exact
  constant,         ///< one value
  ties,             ///< multiples of 1/4 from -1 to 1: many equal ones
  normal,           ///< close to standard normal, rounded to the type
  wide,             ///< either sign, magnitudes spread evenly over all binades of the normal range
  ill_conditioned,  ///< every row a sum whose condition number is known (ill_conditioned.hpp)
  subnormal,        ///< subnormal numbers, zeros of both signs, the smallest normal numbers
  tiny,             ///< the four smallest normal binades: products of two underflow
  huge,             ///< the three largest binades: sums and products of two overflow
  infinities,       ///< normal, but one in eight is +Inf or -Inf; at least one is
  nan               ///< normal, but one in eight is NaN; at least one is
};
inline constexpr int number_classes = 11;
std::string_view name_of(Numbers numbers);

/// Whether a value may occur in the class: what the tests of the generators hold them to.
bool belongs(double value, Numbers numbers, DType type);

/// One number of a class: a function of `key` (which holds seed and place) alone. Not for ill_conditioned,
/// whose numbers belong to a row; `special` asks for an infinity or a NaN of the classes that hold some.
double draw_number(Numbers numbers, DType type, std::uint64_t key, bool special = false);
/// Whether draw_number gives an infinity or a NaN for this key.
bool is_special(Numbers numbers, std::uint64_t key);

}  // namespace assay::validation
