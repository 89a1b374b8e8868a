#pragma once

// How a row of blocks is taken by the tensor cores. Sixteen rows are multiplied at a time; four lanes share a
// row, and each has columns of its own, with scales of its own. That is so because the tensor cores' eight
// columns of activations are more than a product with a few vectors needs: column 2 t + i has the activations
// that lane t's columns meet and zeros for those of the other lanes, so that lane t finds the sum of its own
// products in its own registers.
//
// A unit is the 32 columns of a lane that have a scale (or two), an octet the eight that a lane has in two
// multiplications, a stage what four lanes take of a row at once.
#include <cstdint>

#include "engine/tensors/block_format.hpp"
#include "kernels/blocks/decode.hpp"
#include "kernels/fragments/faults.cuh"
#include "kernels/fragments/words.cuh"

namespace assay::kernels::fragments {

/// What differs from format to format in how rows are walked.
template <BlockFormat Format>
struct Shape {
  static constexpr int length = layout_of(Format).length;  ///< elements of a block
  static constexpr int block_bytes = layout_of(Format).bytes;
  static constexpr bool plain = layout_of(Format).scale == BlockScale::none;
  /// Codes and f16 activations are multiplied as binary16, which holds integers of eleven bits. Elsewhere,
  /// and with f32 activations, numbers are cut into parts of eight bits, which bfloat16 holds without
  /// rounding.
  static constexpr bool in_halves = Format != BlockFormat::f32 && Format != BlockFormat::bf16;
  /// Parts that a weight is the sum of.
  template <bool Halves>
  static constexpr int parts = Halves                       ? 1
                               : Format == BlockFormat::f32 ? 3
                               : Format == BlockFormat::f16 ? 2
                                                            : 1;
  /// Every sixteen columns have a scale of their own.
  static constexpr bool sixteenths =
      Format == BlockFormat::q2_k || Format == BlockFormat::q3_k || Format == BlockFormat::q6_k;
  static constexpr bool minimum = layout_of(Format).minimum_at >= 0;
  /// Units of a lane in a stage.
  static constexpr int units = plain || Format == BlockFormat::q8_0 ? 1 : 2;
  /// Octets of a lane in a unit.
  static constexpr int octets = Format == BlockFormat::f32 ? 1 : plain ? 2 : 4;
  static constexpr int stage_octets = units * octets;
  static constexpr int stage_columns = 4 * 8 * stage_octets;
  static constexpr int stage_bytes = stage_columns / length * block_bytes;
  /// What is brought of a row at a time, a multiple of 16 for every format.
  static constexpr int chunk_bytes = 8 * stage_bytes;
  /// Bytes of a row in a slot, with what lies before it up to a multiple of 16, and what load_words reads
  /// beyond; an odd multiple of 16, so that eight rows lie in different banks.
  static constexpr int pitch = ((15 + chunk_bytes + 8 + 15) / 16 | 1) * 16;
  /// What a lane's bytes begin on a multiple of where rows and their stages do.
  static constexpr int natural = plain || Format == BlockFormat::q4_k || Format == BlockFormat::q5_k ? 16
                                 : length == 32 && block_bytes * units % 4 == 0                      ? 4
                                 : length == 256 && block_bytes % 4 == 0                             ? 4
                                                                                                     : 1;
};

/// The unit of a stage that is unit `unit` of lane t: lanes have units whose codes lie in the same bytes.
template <BlockFormat Format>
__host__ __device__ constexpr int unit_of(int t, int unit) {
  if (Format == BlockFormat::q6_k) return t / 2 * 4 + t % 2 + 2 * unit;
  return t * Shape<Format>::units + unit;
}

/// Column of a stage that lane t has in place i of an octet.
template <BlockFormat Format>
__host__ __device__ constexpr int column_of(int t, int octet, int i) {
  if (Format == BlockFormat::f32) return i / 4 * 16 + 4 * t + i % 4;  // 16 bytes, and 16 more
  if (Shape<Format>::plain) return 32 * octet + 8 * t + i;
  return unit_of<Format>(t, octet / 4) * 32 + i / 4 * 16 + octet % 4 * 4 + i % 4 / 2 + i % 2 * 2;
}

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
