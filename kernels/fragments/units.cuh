#pragma once

// Thirty-two columns of a row of blocks as what the tensor cores multiply: codes in bfloat16, which holds
// integers of eight bits without rounding, and the numbers that their sums are scaled by. Four neighbouring
// lanes have eight codes each.
//
// A unit's columns reach the tensor cores in any order that x is put into as well: `column_of` says which.
#include <cstdint>

#include "engine/tensors/block_format.hpp"
#include "kernels/blocks/decode.hpp"
#include "kernels/fragments/faults.cuh"
#include "kernels/fragments/words.cuh"

namespace assay::kernels::fragments {

constexpr int unit_columns = 32;

/// What differs from format to format in how rows are walked.
template <BlockFormat Format>
struct Shape {
  static constexpr int length = layout_of(Format).length;  ///< elements of a block
  static constexpr int block_bytes = layout_of(Format).bytes;
  static constexpr bool plain = layout_of(Format).scale == BlockScale::none;
  /// Parts of eight bits that a weight is the sum of.
  static constexpr int parts = Format == BlockFormat::f32 ? 3 : Format == BlockFormat::f16 ? 2 : 1;
  /// Every sixteen columns have a scale of their own.
  static constexpr bool sixteenths =
      Format == BlockFormat::q2_k || Format == BlockFormat::q3_k || Format == BlockFormat::q6_k;
  static constexpr bool minimum = layout_of(Format).minimum_at >= 0;
  /// Units that a stage of shared memory holds: 136 to 292 bytes of a row.
  static constexpr int stage_units = Format == BlockFormat::f32 ? 2 : plain ? 4 : 8;
  static constexpr int stage_bytes = stage_units * unit_columns / length * block_bytes;
  /// Bytes of a row in a stage: its place within 16 and what is read beyond the end; an odd multiple of 16,
  /// so that eight rows lie in different banks.
  static constexpr int pitch = ((15 + stage_bytes + 4 + 15) / 16 | 1) * 16;
};

/// Column that lane t of four has in place `slot` of its eight.
template <BlockFormat Format>
__device__ constexpr int column_of(int t, int slot) {
  if (Format == BlockFormat::f32) return t + slot / 2 * 8 + slot % 2 * 4;
  if (Shape<Format>::plain) return 2 * t + slot / 2 * 8 + slot % 2;
  return slot / 4 * 16 + 4 * t + slot % 4 / 2 + slot % 2 * 2;
}

/// The eight codes of a lane, for each part of a weight.
template <int Parts>
struct Codes {
  Pair pairs[Parts][4];
};

/// What the sums of the first and of the second sixteen columns are multiplied by, and the sums of x.
struct Scales {
  float factor[2], offset[2];
};

__device__ inline float lower_half(std::uint32_t word) {
  return blocks::binary16(static_cast<std::uint16_t>(word));
}
__device__ inline float upper_half(std::uint32_t word) {
  return blocks::binary16(static_cast<std::uint16_t>(word >> 16));
}

}  // namespace assay::kernels::fragments
