#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <vector>

#include <rapidcheck.h>

#include "engine/arguments.hpp"
#include "validation/kept.hpp"

namespace assay::validation::logits {

/// What a row of logits is like, the simplest first.
enum class RowKind : std::uint8_t {
  ladder,      ///< falling by 1/4 a token
  ties,        ///< multiples of 1/2 from -2 to 2: many equal ones, at any cut
  equal,       ///< one value
  normal,      ///< standard normal times the scale
  peaked,      ///< normal, and one token far above the others
  zeros,       ///< zeros of both signs, and a few small numbers
  one_finite,  ///< -Inf but for one token
  none,        ///< nothing but -Inf
  infinite,    ///< normal, some at +Inf and some at -Inf
  nan,         ///< normal, some NaN
  huge,        ///< magnitudes up to that of the type's largest number
  tiny         ///< differences that an exponential hardly sees, and subnormal probabilities
};
inline constexpr int row_kinds = 12;

/// Logits of one call: what is drawn, shrunk, printed and replayed.
struct Rows {
  DType type = DType::f32;
  std::int64_t rows = 1;
  std::int64_t tokens = 1;
  RowKind filling = RowKind::ladder;
  double scale = 1;
  bool masked = false;  ///< a bitmask allows half of the tokens
  std::uint64_t seed = 0;
  Kept kept = {};  ///< the logits that are not set to 0

  std::vector<double> values() const;
  /// The inputs `logits` and, where masked, `mask`.
  void add_to(HostArguments& arguments) const;
};
std::ostream& operator<<(std::ostream& out, const Rows& rows);

struct Limits {
  std::int64_t most_rows = 5;
  std::int64_t most_tokens = 2100;
  bool special = true;  ///< also what is not finite
};

/// Draws rows; tokens are around the edges of vectors, warps, blocks and words of a mask three times in four.
Rows draw(const Limits& limits = {});

/// One value a row from `choose(row)`, as an input of its type.
template <typename T, typename Choose>
Tensor per_row(std::int64_t rows, const Choose& choose) {
  std::vector<T> values;
  for (std::int64_t row = 0; row < rows; ++row) values.push_back(choose(row));
  return Tensor::from<T>(values, {rows});
}

}  // namespace assay::validation::logits
