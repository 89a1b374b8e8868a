#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/tensors/tensor.hpp"

namespace assay::validation {

/// Where a tensor is wrong, for a person who looks for the loop that made it so.
struct DifferenceMap {
  /// One line: "rows 3, 7 to 9, whole", "the last 12 of 200 columns, in every row", "every 32nd column from 5
  /// on", "a block of rows 16 to 31, columns 0 to 63", "everywhere", or how far apart the wrong ones lie.
  std::string where;
  /// Some lines of text: a cell a bin of elements, ' ' none wrong, '.' few, '+' many, '#' all. Tensors of
  /// more than two dimensions are laid out with their last dimension across. Empty for a handful of elements,
  /// and where all are wrong.
  std::string picture;
};

/// `wrong`: flat indices in rising order, at least one.
DifferenceMap map_differences(const Shape& shape, std::span<const std::int64_t> wrong);

}  // namespace assay::validation
