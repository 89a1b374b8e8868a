#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <vector>

#include "engine/arguments.hpp"
#include "engine/runtime/philox.hpp"
#include "engine/tensors/block_format.hpp"
#include "validation/kept.hpp"

namespace assay::validation {

/// What the bytes of blocks are. "Scales" are the numbers that stand at BlockLayout::scale_at and minimum_at;
/// those of parts of a block are among the other bytes.
enum class Contents : std::uint8_t {
  random,          ///< any bits: every scale, infinities and NaN among them
  ordinary,        ///< random, with scales from 2^-10 to 2^-6
  special_scales,  ///< random, with scales of 0, subnormal, of the largest, infinite, NaN
  every_scale,     ///< random, with scales that go through all binary16
  every_byte,      ///< byte p of block k is k + 37 p, with scales of 1 and 3/4
  single_bits,     ///< 00, FF or A5 with one bit turned round, with scales of 1 and 3/4
  counted,         ///< 16-bit numbers that count up
  trained,         ///< ordinary; F32, F16 and BF16: numbers from -1 to 1
  grid             ///< random, with scales of 1 and minima of 3/4; F32, F16 and BF16: integers from -8 to 8
};
/// Blocks of one call: what is drawn and shrunk.
struct Blocks {
  BlockFormat format = BlockFormat::q4_0;
  std::int64_t rows = 1;
  std::int64_t blocks = 1;  ///< of a row
  Contents contents = Contents::random;
  std::uint64_t seed = 0;
  Kept kept = {};  ///< the bytes that are not set to 0

  const BlockLayout& layout() const { return layout_of(format); }
  std::int64_t columns() const { return blocks * layout().length; }
  std::int64_t bytes_of_row() const { return blocks * layout().bytes; }
  std::int64_t bytes() const { return rows * bytes_of_row(); }

  /// (rows, bytes of a row), each from 0 to 255
  std::vector<double> values() const;
  Tensor tensor() const;
  HostArguments arguments() const { return arguments_of(tensor()); }
  /// Other bytes of the same format, as many rows and columns as they are.
  HostArguments arguments_of(Tensor tensor) const;

 private:
  void put_scales(double* block, std::int64_t index, Philox& random) const;
  void put_number(double* block, Philox& random) const;
};

std::ostream& operator<<(std::ostream& out, const Blocks& blocks);

/// The shrinks of what a fixed check walks: fewer blocks, fewer bytes that are not 0.
std::vector<Blocks> simpler_blocks(const Blocks& blocks);

/// Draws blocks of any format, of contents from the list or, where it is empty, of all that are random.
Blocks draw_blocks(std::int64_t most_rows, std::int64_t most_elements_of_row, std::vector<Contents> of = {});

/// One row of blocks of every format, as many as `count` says.
std::vector<Blocks> blocks_of_every_format(Contents contents, std::uint64_t seed,
                                           const std::function<std::int64_t(const BlockLayout&)>& count);

}  // namespace assay::validation
