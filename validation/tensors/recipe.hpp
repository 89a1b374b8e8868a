#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <vector>

#include <rapidcheck.h>

#include "engine/tensors/tensor.hpp"
#include "validation/placement.hpp"
#include "validation/tensors/numbers.hpp"

namespace assay::validation {

/// A recipe for a tensor of a floating-point type. It is drawn, shrunk, printed and replayed in place of the
/// values, which follow from it on any machine and for any backend.
struct TensorRecipe {
  DType type = DType::f32;
  Shape shape = {1};
  Numbers numbers = Numbers::grid;
  std::uint64_t seed = 0;
  /// Where the tensor lies in the larger one that it was cut out of: an element's value follows from the seed
  /// and its place there, so that the part of a failing tensor that fails can be cut out. Empty: at 0.
  Shape origin = {};
  int exponent = 0;         ///< values times 2^exponent, kept finite; moderate classes only (is_moderate)
  int condition_bits = 20;  ///< of ill_conditioned rows: log2 of the condition number that is asked for
  /// Flat indices of the only elements that are not set to 0, rising; none: no element is set to 0.
  std::optional<std::vector<std::int64_t>> kept = {};
  bool powers_of_two = false;  ///< finite values cut down to their leading bit
  Placement placement = {};

  /// The elements, row-major, each exactly representable in the type.
  std::vector<double> values() const;
  Tensor tensor() const;
  std::int64_t elements() const { return element_count(shape); }
  /// Elements that are not 0 (NaN among them).
  std::int64_t non_zeros() const;
};
std::ostream& operator<<(std::ostream& out, const TensorRecipe& recipe);

/// Whether a class takes `exponent`: grid, constant, ties, normal.
bool is_moderate(Numbers numbers);

/// Elements of a floating-point type from doubles, each rounded to it.
Tensor encode(DType type, const std::vector<double>& values, Shape shape);

/// One extent of a shape: what a body is cut at decides what is drawn.
struct AxisLimits {
  std::int64_t least = 0, most = 130;
  /// Numbers of elements that a body works on at once.
  std::vector<std::int64_t> tiles = {};
};

struct TensorLimits {
  std::vector<AxisLimits> axes;
  std::vector<DType> types = {DType::f32};
  std::vector<Numbers> numbers = {};  ///< empty: all
  std::int64_t most_elements = std::int64_t{1} << 20;
  std::int64_t most_offset = 0;   ///< of the start, in elements; where the contract asks for no alignment
  std::int64_t most_row_gap = 0;  ///< in elements; where the contract takes rows that lie apart
  int least_exponent = 0, most_exponent = 0;
};

/// The extents between the limits that an axis is most likely to be handled wrongly at, rising: 0, 1, 2, 3;
/// of each tile t the extents t - 1, t, t + 1, 2t - 1, 2t and 2t + 1 and the primes next to t; the limits.
std::vector<std::int64_t> edges_of(const AxisLimits& axis);

/// Tensors within the limits, every extent one of the edges three times in four.
rc::Gen<TensorRecipe> tensors(TensorLimits limits);

/// The shrinks of a recipe, in order: a smaller shape (cut out of the front or the back of the tensor,
/// smallest first); no offset, no gap; fewer elements that are not 0 (halves, quarters, ... of them, then all
/// but those; Zeller, Hildebrandt 2002, IEEE Trans. Softw. Eng. 28, 183); simpler values.
std::vector<TensorRecipe> simpler(const TensorRecipe& recipe, const TensorLimits& limits);

}  // namespace assay::validation
