#pragma once

// What the sums of a unit of columns are scaled by (units.cuh).
#include "kernels/fragments/units.cuh"

namespace assay::kernels::fragments {

/// Scales of unit `At` of a stage.
template <BlockFormat Format, int At>
__device__ inline Scales scales_of(const Words& row, Faults faults) {
  constexpr int block = At * unit_columns / Shape<Format>::length * Shape<Format>::block_bytes;
  constexpr int unit = Shape<Format>::length == 256 ? At % 8 : 0;
  Scales made{{1, 1}, {0, 0}};
  if constexpr (Shape<Format>::plain) {
    return made;
  } else if constexpr (Format == BlockFormat::q4_1 || Format == BlockFormat::q5_1) {
    const std::uint32_t both = row.word<block>();
    made.factor[0] = lower_half(both);
    made.offset[0] = upper_half(both);
  } else if constexpr (Format == BlockFormat::q2_k) {
    const std::uint32_t both = row.word<block + 80>();
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const std::uint32_t scale = i == 0 ? row.byte<block + 2 * unit>() : row.byte<block + 2 * unit + 1>();
      made.factor[i] = lower_half(both) * static_cast<float>(scale & 15);
      made.offset[i] = -(upper_half(both) * static_cast<float>(scale >> 4));
    }
  } else if constexpr (Format == BlockFormat::q3_k) {
    const float d = lower_half(row.word<block + 108>());
    constexpr int j = 2 * unit;  // and the next: their halves and quarters are at the same bits
    const std::uint32_t low = row.byte<block + 96 + j % 8>() | row.byte<block + 96 + j % 8 + 1>() << 16;
    const std::uint32_t high = row.byte<block + 104 + j % 4>() | row.byte<block + 104 + j % 4 + 1>() << 16;
    const std::uint32_t scales = (low >> 4 * (j / 8) & 0x000F000Fu) | (high >> 2 * (j / 4) & 0x00030003u)
                                                                          << 4;
    made.factor[0] = d * static_cast<float>(static_cast<int>(scales & 63) - 32);
    made.factor[1] = d * static_cast<float>(static_cast<int>(scales >> 16) - 32);
  } else if constexpr (Format == BlockFormat::q4_k || Format == BlockFormat::q5_k) {
    const std::uint32_t both = row.word<block>();
    const std::uint32_t scales = row.word<block + 4>(), minima = row.word<block + 8>();
    std::uint32_t scale, minimum;
    if constexpr (unit < 4) {
      scale = scales >> 8 * unit & 63;
      minimum = minima >> 8 * unit & 63;
    } else {
      constexpr int j = 8 * (unit - 4);
      const std::uint32_t halves = row.word<block + 12>();
      scale = (halves >> j & 15) | (scales >> (j + 2) & 0x30u);
      minimum = (halves >> (j + 4) & 15) | (minima >> (j + 2) & 0x30u);
    }
    made.factor[0] = lower_half(both) * static_cast<float>(scale);
    made.offset[0] = -(upper_half(both) * static_cast<float>(minimum));
  } else if constexpr (Format == BlockFormat::q6_k) {
    const float d = lower_half(row.word<block + 208>());
    made.factor[0] = d * static_cast<float>(static_cast<std::int8_t>(row.byte<block + 192 + 2 * unit>()));
    made.factor[1] = d * static_cast<float>(static_cast<std::int8_t>(row.byte<block + 193 + 2 * unit>()));
  } else if constexpr (Format == BlockFormat::q8_k) {
    made.factor[0] = __uint_as_float(row.word<block>());
  } else if constexpr (Format == BlockFormat::iq4_xs) {
    const std::uint32_t high = row.word<block>() >> 16, low = row.word<block + 4>();
    const std::uint32_t scale = (low >> 4 * unit & 15) | (high >> 2 * unit & 3) << 4;
    made.factor[0] = lower_half(row.word<block>()) * static_cast<float>(static_cast<int>(scale) - 32);
  } else if constexpr (Format == BlockFormat::mxfp4) {
    made.factor[0] = blocks::half_of_power(row.byte<block>());
  } else {
    made.factor[0] = lower_half(row.word<block>());
  }
  if constexpr (!Shape<Format>::sixteenths) made.factor[1] = made.factor[0];
  if (faults.first_scale_for_both) made.factor[1] = made.factor[0];
  if (faults.minimum_missing) made.offset[0] = made.offset[1] = 0;
  if (faults.minimum_added) made.offset[0] = -made.offset[0], made.offset[1] = -made.offset[1];
  return made;
}

}  // namespace assay::kernels::fragments
