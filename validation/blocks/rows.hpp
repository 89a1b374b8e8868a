#pragma once

#include <cstdint>
#include <iosfwd>
#include <vector>

#include "engine/arguments.hpp"
#include "engine/tensors/block_format.hpp"
#include "validation/kept.hpp"

namespace assay::validation {

/// What numbers rows hold that are encoded to blocks. The first ones are ordinary: no scale of theirs leaves
/// the normal range of binary16.
enum class RowNumbers : std::uint8_t {
  normal,      ///< close to standard normal
  ties,        ///< multiples of half a step of the format, so that codes and levels tie
  scaled,      ///< normal, each block times its own power of 2 from 2^-8 to 2^8
  positive,    ///< normal without the sign: minima are above 0
  negative,    ///< the same, with it
  offset,      ///< 100 and a thousandth of normal: a narrow range far from 0
  sparse,      ///< zeros, one in eight normal
  uneven,      ///< normal, each sixteen elements times 2^-11 to 1: parts of a block without a scale
  just_below,  ///< powers of 2 less some last places, and normal below them
  zeros,       ///< of both signs
  vanishing,   ///< normal, some sixteen elements times 2^-60: parts that are next to nothing
  wide,        ///< magnitudes spread over all binades
  subnormal,   ///< subnormal floats
  tiny,        ///< normal times 2^-124 to 2^-20: scales that binary16 does not hold
  huge,        ///< normal times 2^110 to 2^127
  infinities,  ///< normal, one in sixteen infinite
  nan          ///< normal, one in sixteen NaN
};
inline constexpr int ordinary_row_numbers = 9;
inline constexpr int row_number_kinds = 17;

/// Rows of one call to quant.quantize: what is drawn and shrunk.
struct Rows {
  BlockFormat format = BlockFormat::q4_0;
  std::int64_t rows = 1;
  std::int64_t blocks = 1;  ///< of a row
  RowNumbers numbers = RowNumbers::normal;
  std::uint64_t seed = 0;
  int exponent = 0;  ///< ordinary numbers times 2^exponent
  Kept kept = {};    ///< the elements that are not set to 0

  const BlockLayout& layout() const { return layout_of(format); }
  std::int64_t columns() const { return blocks * layout().length; }
  std::int64_t bytes_of_row() const { return blocks * layout().bytes; }

  /// (rows, columns), each a float
  std::vector<double> values() const;
  HostArguments arguments() const { return arguments_of(values()); }
  /// Other values for the same format, in rows of so many columns (0: as many as these).
  HostArguments arguments_of(const std::vector<double>& held, std::int64_t columns = 0) const;
};

std::ostream& operator<<(std::ostream& out, const Rows& rows);

/// The shrinks of what a fixed check walks: fewer blocks, fewer elements that are not 0.
std::vector<Rows> simpler_rows(const Rows& rows);

/// Draws rows of any format that values are encoded to, of the first `fillings` kinds of numbers.
Rows draw_rows(std::int64_t most_rows, std::int64_t most_elements_of_row, int fillings = row_number_kinds);

/// One row of every format with each of the first `fillings` kinds of numbers, of so many elements.
std::vector<Rows> rows_of_every_kind(std::int64_t elements, std::uint64_t seed,
                                     int fillings = row_number_kinds);

}  // namespace assay::validation
