#pragma once

// What a lane needs of a stage of a row, in registers.
#include "kernels/fragments/units.cuh"

namespace assay::kernels::fragments {

template <BlockFormat Format>
struct Lane {
  static constexpr bool long_block = Shape<Format>::length == 256;
  static constexpr int code_words = Shape<Format>::plain          ? 8
                                    : Format == BlockFormat::q8_k ? 16
                                    : long_block
                                        ? 8
                                        : (Shape<Format>::units * Shape<Format>::block_bytes + 3) / 4;
  static constexpr int head_words = Format == BlockFormat::q6_k     ? 3
                                    : Format == BlockFormat::q2_k   ? 2
                                    : Format == BlockFormat::iq4_xs ? 2
                                    : Format == BlockFormat::q8_k   ? 1
                                                                    : 4;
  std::uint32_t codes[code_words];  ///< whole blocks where these have 32 elements or one
  std::uint32_t more[8];            ///< bits that stand apart from their codes; shifted as the lane has them
  std::uint32_t heads[head_words];  ///< scales of long blocks
};

/// Lane t's part of a row's stage that begins at `row`. `aligned`: that is a multiple of Shape::natural.
template <BlockFormat Format>
__device__ inline Lane<Format> read_lane(const std::uint8_t* row, int t, bool aligned) {
  using Kind = Shape<Format>;
  constexpr int natural = Kind::natural;
  Lane<Format> lane;
  const int half = t / 2, side = t % 2;
  if constexpr (Kind::plain) {
    std::uint32_t four[4];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      load_words<natural>(row + 64 * i + 16 * t, aligned, four);
#pragma unroll
      for (int j = 0; j < 4; ++j) lane.codes[4 * i + j] = four[j];
    }
  } else if constexpr (Kind::length == 32) {
    load_words<natural>(row + t * Kind::units * Kind::block_bytes, aligned, lane.codes);
  } else if constexpr (Format == BlockFormat::q2_k) {
    load_words<natural>(row + 16 + 32 * half, aligned, lane.codes);
    std::uint32_t one[1];
    load_words<natural>(row + 4 * t, aligned, one);
    lane.heads[0] = one[0];
    load_words<natural>(row + 80, aligned, one);
    lane.heads[1] = one[0];
#pragma unroll
    for (std::uint32_t& word : lane.codes) word >>= 4 * side;
  } else if constexpr (Format == BlockFormat::q3_k) {
    load_words<natural>(row + 32 + 32 * half, aligned, lane.codes);
    load_words<natural>(row, aligned, lane.more);
    load_words<natural>(row + 96, aligned, lane.heads);
#pragma unroll
    for (std::uint32_t& word : lane.codes) word >>= 4 * side;
#pragma unroll
    for (std::uint32_t& word : lane.more) word >>= 2 * t;
  } else if constexpr (Format == BlockFormat::q4_k) {
    load_words<natural>(row + 16 + 32 * t, aligned, lane.codes);
    load_words<natural>(row, aligned, lane.heads);
  } else if constexpr (Format == BlockFormat::q5_k) {
    load_words<natural>(row + 48 + 32 * t, aligned, lane.codes);
    load_words<natural>(row + 16, aligned, lane.more);
    load_words<natural>(row, aligned, lane.heads);
#pragma unroll
    for (std::uint32_t& word : lane.more) word >>= 2 * t;
  } else if constexpr (Format == BlockFormat::q6_k) {
    load_words<natural>(row + 64 * half + 32 * side, aligned, lane.codes);
    load_words<natural>(row + 128 + 32 * half, aligned, lane.more);
    std::uint32_t two[2], one[1];
    load_words<natural>(row + 192 + 8 * half, aligned, two);
    load_words<natural>(row + 208 - 2, aligned, one);  // no byte behind the block is asked for
    lane.heads[0] = two[0] >> 16 * side;
    lane.heads[1] = two[1] >> 16 * side;
    lane.heads[2] = one[0] >> 16;
#pragma unroll
    for (std::uint32_t& word : lane.more) word >>= 2 * side;
  } else if constexpr (Format == BlockFormat::q8_k) {
    load_words<natural>(row + 4 + 64 * t, aligned, lane.codes);
    load_words<natural>(row, aligned, lane.heads);
  } else {
    static_assert(Format == BlockFormat::iq4_xs);
    load_words<natural>(row + 8 + 32 * t, aligned, lane.codes);
    load_words<natural>(row, aligned, lane.heads);
  }
  return lane;
}

/// What lies behind the first `left` bytes of the stage becomes 0, which is 0 in every format: it is not of
/// the row. Long blocks always end with their stage.
template <BlockFormat Format>
__device__ inline void clear_behind(Lane<Format>& lane, int left, int t) {
  using Kind = Shape<Format>;
  if constexpr (Kind::length < 256) {
#pragma unroll
    for (int i = 0; i < Lane<Format>::code_words; ++i) {
      const int at =
          Kind::plain ? 64 * (i / 4) + 16 * t + 4 * (i % 4) : t * Kind::units * Kind::block_bytes + 4 * i;
      // Not by what is left of the word: ptxas 13.0 takes max(0, min(4, 0)) == 4 for true.
      const int behind = at + 4 - left;
      lane.codes[i] &= behind <= 0 ? 0xFFFFFFFFu : behind >= 4 ? 0u : 0xFFFFFFFFu >> (8 * behind);
    }
  }
}

}  // namespace assay::kernels::fragments
