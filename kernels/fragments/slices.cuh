#pragma once

// A stage of sixteen rows multiplied by one warp.
#include <type_traits>
#include <utility>

#include "kernels/fragments/activations.cuh"
#include "kernels/fragments/codes.cuh"
#include "kernels/fragments/scales.cuh"

namespace assay::kernels::fragments {

/// Totals of rows g and g + 8 with the columns 2 i and 2 i + 1 of activations, i = 0 to Tiles - 1, over the
/// columns of the weights that lane 4 g + t has.
template <int Tiles>
struct Totals {
  float of[Tiles][4];
};

/// Where a lane finds what its columns of activations are, from the first stage of the block on. Lane 4 g + t
/// hands the tensor cores column 2 i + g % 2 for the weights of lane g / 2 of four; where that is not t,
/// zeros.
template <int Tiles>
struct Columns {
  const uint4* octets[Tiles];
  int step[Tiles];  ///< from octet to octet; 0: zeros
  const float* sums;
  int sums_step;  ///< from unit (or half of one) to the next
  int t;          ///< of the lane
};

template <int Tiles>
__device__ inline void add_scaled(Totals<Tiles>& totals, const float (&sums)[Tiles][4], float low,
                                  float high) {
#pragma unroll
  for (int tile = 0; tile < Tiles; ++tile)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      totals.of[tile][i] = fmaf(i < 2 ? low : high, sums[tile][i], totals.of[tile][i]);
}

/// Adds a unit of the lane's rows. `stage`: of the block.
template <BlockFormat Format, bool Halves, int Unit, int Tiles>
__device__ inline void add_unit(Totals<Tiles>& totals, const Lane<Format>& low, const Lane<Format>& high,
                                const Columns<Tiles>& columns, int stage, const Faults& faults) {
  using Kind = Shape<Format>;
  // The second sixteen columns have sums of their own, because they have a scale of their own or so that
  // fewer multiplications wait for one another.
  constexpr bool two_scales = Kind::sixteenths;
  float sums[2][Tiles][4] = {};
  [&]<int... Octet>(std::integer_sequence<int, Octet...>) {
    const auto add = [&]<int At>(std::integral_constant<int, At>) {
      const auto of_low = codes_of<Format, Halves, Unit, At>(low, faults);
      const auto of_high = codes_of<Format, Halves, Unit, At>(high, faults);
#pragma unroll
      for (int tile = 0; tile < Tiles; ++tile) {
        const uint4 x =
            columns
                .octets[tile][(stage * Kind::stage_octets + Unit * Kind::octets + At) * columns.step[tile]];
#pragma unroll
        for (int part = 0; part < Kind::template parts<Halves>; ++part) {
          multiply<Halves>(sums[0][tile], of_low.pairs[part][0], of_high.pairs[part][0],
                           of_low.pairs[part][1], of_high.pairs[part][1], x.x, x.y);
          multiply<Halves>(sums[1][tile], of_low.pairs[part][2], of_high.pairs[part][2],
                           of_low.pairs[part][3], of_high.pairs[part][3], x.z, x.w);
        }
      }
    };
    (add(std::integral_constant<int, Octet>()), ...);
  }
  (std::make_integer_sequence<int, Kind::octets>());
  const Scales of_low = scales_of<Format, Unit>(low, columns.t, faults);
  const Scales of_high = scales_of<Format, Unit>(high, columns.t, faults);
  if constexpr (!two_scales) {
#pragma unroll
    for (int tile = 0; tile < Tiles; ++tile)
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[0][tile][i] += sums[1][tile][i];
  }
  constexpr int sets = two_scales ? 2 : 1;
#pragma unroll
  for (int set = 0; set < sets; ++set)
    add_scaled<Tiles>(totals, sums[set], of_low.factor[set], of_high.factor[set]);
  if constexpr (Kind::minimum) {
    const int at = ((faults.sums_of_first_stage ? 0 : stage) * 4 + columns.t) * Kind::units + Unit;
#pragma unroll
    for (int set = 0; set < sets; ++set) {
      float of_x[Tiles][4];
#pragma unroll
      for (int tile = 0; tile < Tiles; ++tile) {
        const auto two =
            *reinterpret_cast<const float2*>(columns.sums + (at * sets + set) * columns.sums_step + 2 * tile);
        of_x[tile][0] = of_x[tile][2] = two.x;
        of_x[tile][1] = of_x[tile][3] = two.y;
      }
      add_scaled<Tiles>(totals, of_x, of_low.offset[set], of_high.offset[set]);
    }
  }
}

/// A lane's parts of a stage of its two rows.
template <BlockFormat Format>
struct Stage {
  Lane<Format> low, high;

  /// Of the stage that begins at `low` and `high` in shared memory, which has `left` bytes of its rows.
  __device__ static Stage read(const std::uint8_t* low, const std::uint8_t* high, int t, int left,
                               bool aligned, const Faults& faults) {
    Stage made{read_lane<Format>(low, t, aligned), read_lane<Format>(high, t, aligned)};
    if (left < Shape<Format>::stage_bytes && !faults.tail_not_cleared) {
      clear_behind(made.low, left, t);
      clear_behind(made.high, left, t);
    }
    return made;
  }
};

/// Adds what has been read of stage `stage` of the block.
template <BlockFormat Format, bool Halves, int Tiles>
__device__ inline void add_stage(Totals<Tiles>& totals, const Stage<Format>& of,
                                 const Columns<Tiles>& columns, int stage, const Faults& faults) {
  add_unit<Format, Halves, 0>(totals, of.low, of.high, columns, stage, faults);
  if constexpr (Shape<Format>::units == 2)
    add_unit<Format, Halves, 1>(totals, of.low, of.high, columns, stage, faults);
}

/// The results of rows g and g + 8 with vector `vector`: its parts' columns and the four lanes joined, in all
/// four of them.
template <bool Halves, int Tiles>
__device__ inline float2 joined(const Totals<Tiles>& totals, int vector, const Faults& faults) {
  float2 made = {0, 0};
#pragma unroll
  for (int column = 0; column < 2 * Tiles; ++column) {
    if (column / parts_of_x<Halves> != vector) continue;
    made.x += totals.of[column / 2][column % 2];
    made.y += totals.of[column / 2][column % 2 + 2];
  }
  if (faults.lanes_not_joined) return made;
#pragma unroll
  for (int distance = 1; distance < 4; distance *= 2) {
    made.x += __shfl_xor_sync(0xFFFFFFFFu, made.x, distance);
    made.y += __shfl_xor_sync(0xFFFFFFFFu, made.y, distance);
  }
  return made;
}

}  // namespace assay::kernels::fragments
