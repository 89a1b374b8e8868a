#pragma once

// What the sums of a unit of columns are scaled by (units.cuh).
#include "kernels/fragments/lanes.cuh"

namespace assay::kernels::fragments {

/// Scales and minima of the two units of lane t in the first two bytes of a word each, of Q4_K and Q5_K.
struct SixBits {
  std::uint32_t scales, minima;
};
__device__ inline SixBits six_bits_of(const std::uint32_t (&heads)[4], int t) {
  const int shift = t % 2 * 16;
  const std::uint32_t scales = heads[1] >> shift, minima = heads[2] >> shift, halves = heads[3] >> shift;
  if (t < 2) return {scales & 0x3F3Fu, minima & 0x3F3Fu};
  return {masked(halves, 0x0F0Fu, scales >> 2 & 0x3030u),
          masked(halves >> 4, 0x0F0Fu, minima >> 2 & 0x3030u)};
}

/// Scales of unit `Unit` of lane t.
template <BlockFormat Format, int Unit>
__device__ inline Scales scales_of(const Lane<Format>& lane, int t, Faults faults) {
  constexpr int block = Unit * Shape<Format>::block_bytes;  // of formats of 32
  Scales made{{1, 1}, {0, 0}};
  if constexpr (Shape<Format>::plain) {
    return made;
  } else if constexpr (Format == BlockFormat::q4_1 || Format == BlockFormat::q5_1) {
    const std::uint32_t both = word_at<block>(lane.codes);
    made.factor[0] = lower_half(both);
    made.offset[0] = upper_half(both);
  } else if constexpr (Format == BlockFormat::q2_k) {
    const std::uint32_t scales = lane.heads[0] & 0x0F0F0F0Fu, minima = lane.heads[0] >> 4 & 0x0F0F0F0Fu;
    const float d = lower_half(lane.heads[1]), m = upper_half(lane.heads[1]);
    made.factor[0] = d * float_of_byte<2 * Unit>(scales);
    made.factor[1] = d * float_of_byte<2 * Unit + 1>(scales);
    made.offset[0] = -(m * float_of_byte<2 * Unit>(minima));
    made.offset[1] = -(m * float_of_byte<2 * Unit + 1>(minima));
  } else if constexpr (Format == BlockFormat::q3_k) {
    // The halves of the scales of all four sixteens of a lane lie in one word, and their high bits too.
    const std::uint32_t low = (t % 2 == 0 ? lane.heads[0] : lane.heads[1]) >> 4 * (t / 2);
    const std::uint32_t high = lane.heads[2] >> 2 * t;
    const std::uint32_t scales = masked(low, 0x0F0F0F0Fu, (high & 0x03030303u) << 4);
    const float d = lower_half(lane.heads[3]);
    made.factor[0] = d * (float_of_byte<2 * Unit>(scales) - 32);
    made.factor[1] = d * (float_of_byte<2 * Unit + 1>(scales) - 32);
  } else if constexpr (Format == BlockFormat::q4_k || Format == BlockFormat::q5_k) {
    const SixBits of = six_bits_of(lane.heads, t);
    made.factor[0] = lower_half(lane.heads[0]) * float_of_byte<Unit>(of.scales);
    made.offset[0] = -(upper_half(lane.heads[0]) * float_of_byte<Unit>(of.minima));
  } else if constexpr (Format == BlockFormat::q6_k) {
    const float d = lower_half(lane.heads[2]);
    const std::uint32_t scales = lane.heads[Unit] ^ 0x8080u;  // of -128 to 127, 128 more
    made.factor[0] = d * (float_of_byte<0>(scales) - 128);
    made.factor[1] = d * (float_of_byte<1>(scales) - 128);
  } else if constexpr (Format == BlockFormat::q8_k) {
    made.factor[0] = __uint_as_float(lane.heads[0]);
  } else if constexpr (Format == BlockFormat::iq4_xs) {
    const int at = 2 * t + Unit;
    const std::uint32_t scale = (lane.heads[1] >> 4 * at & 15) | (lane.heads[0] >> (16 + 2 * at) & 3) << 4;
    made.factor[0] = lower_half(lane.heads[0]) * (float_of_byte<0>(scale) - 32);
  } else if constexpr (Format == BlockFormat::mxfp4) {
    made.factor[0] = blocks::half_of_power(word_at<block>(lane.codes) & 0xFF);
  } else {
    made.factor[0] = lower_half(word_at<block>(lane.codes));
  }
  if constexpr (!Shape<Format>::sixteenths) made.factor[1] = made.factor[0];
  if (faults.first_scale_for_both) made.factor[1] = made.factor[0];
  if (faults.minimum_missing) made.offset[0] = made.offset[1] = 0;
  if (faults.minimum_added) made.offset[0] = -made.offset[0], made.offset[1] = -made.offset[1];
  return made;
}

}  // namespace assay::kernels::fragments
