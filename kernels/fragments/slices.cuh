#pragma once

// A warp's part of sixteen rows: brought stage by stage, and multiplied unit by unit.
#include <algorithm>
#include <utility>

#include "kernels/fragments/codes.cuh"
#include "kernels/fragments/scales.cuh"
#include "kernels/fragments/stages.cuh"

namespace assay::kernels::fragments {

template <BlockFormat Format>
constexpr int stage_count = Shape<Format>::pitch > 250 ? 2 : 3;

/// What a warp is to bring next: the stages of its slice, for the rows of one round after the other.
struct Walk {
  std::int64_t tile;  ///< 16 rows
  int stage = 0;      ///< of the slice
};

/// One warp's slice.
template <BlockFormat Format>
struct Slice {
  using Kind = Shape<Format>;
  Rows rows;
  int first_unit, units;  ///< of the row
  std::uint8_t* stages;   ///< of this warp
  int g, t;               ///< lane 4 g + t

  __device__ int stage_total() const { return (units + Kind::stage_units - 1) / Kind::stage_units; }
  __device__ std::int64_t begin_of(int stage) const {
    constexpr int unit_bytes = Kind::stage_bytes / Kind::stage_units;
    if constexpr (Shape<Format>::length == 256)
      return std::int64_t{first_unit / 8 + stage} * Shape<Format>::block_bytes;
    return (first_unit + std::int64_t{stage} * Kind::stage_units) * unit_bytes;
  }
  __device__ int bytes_of(int stage) const {
    const std::int64_t begin = begin_of(stage);
    const std::int64_t units_left = units - stage * Kind::stage_units;
    const std::int64_t bytes = units_left >= Kind::stage_units
                                   ? Kind::stage_bytes
                                   : units_left * Kind::stage_bytes / Kind::stage_units;
    return static_cast<int>(min(bytes, rows.bytes - begin));
  }
  __device__ std::uint8_t* place(int slot, int row) const {
    return stages + (slot * tile_rows + row) * Kind::pitch;
  }
  __device__ void bring_stage(const Walk& walk, int slot, const Faults& faults) const {
    const int bytes = bytes_of(walk.stage);
#pragma unroll
    for (int row = g; row < tile_rows; row += 8) {
      const std::uint8_t* const of_row = rows.at(walk.tile * tile_rows + row);
      bring<Kind::stage_bytes>(rows, of_row, of_row + begin_of(walk.stage), bytes, place(slot, row), t,
                               faults.edge_lost);
    }
  }
  /// Where a row's bytes begin in a stage.
  __device__ std::uint8_t* bytes_at(const Walk& walk, int slot, int row) const {
    const std::uint8_t* const from = rows.at(walk.tile * tile_rows + row) + begin_of(walk.stage);
    return place(slot, row) + reinterpret_cast<std::uintptr_t>(from) % 16;
  }
};

/// Totals of 16 rows and `Tiles` times eight tensor columns, as the tensor cores leave them.
template <int Tiles>
struct Totals {
  float of[Tiles][4];
};

/// Where a lane finds what its columns of activations are, from the first unit of the block on.
template <int Tiles>
struct Columns {
  const uint4* pairs[Tiles];
  const float* sums;
  int pairs_step, sums_step;  ///< from unit to unit
  int t;                      ///< of the lane
};

template <BlockFormat Format, int At, int Tiles>
__device__ inline void add_unit(Totals<Tiles>& totals, const Words (&row)[2], const Words (&lane)[2],
                                const Columns<Tiles>& columns, int unit, const Faults& faults) {
  using Kind = Shape<Format>;
  const Codes<Kind::parts> low = codes_of<Format, At>(row[0], lane[0], columns.t, faults);
  const Codes<Kind::parts> high = codes_of<Format, At>(row[1], lane[1], columns.t, faults);
  const Scales low_scales = scales_of<Format, At>(row[0], faults);
  const Scales high_scales = scales_of<Format, At>(row[1], faults);
  const auto add = [&](float(&total)[4], const float(&sums)[4], float low_factor, float high_factor) {
    total[0] = fmaf(low_factor, sums[0], total[0]);
    total[1] = fmaf(low_factor, sums[1], total[1]);
    total[2] = fmaf(high_factor, sums[2], total[2]);
    total[3] = fmaf(high_factor, sums[3], total[3]);
  };
#pragma unroll
  for (int tile = 0; tile < Tiles; ++tile) {
    const uint4 x = columns.pairs[tile][unit * columns.pairs_step];
    float sums[4] = {0, 0, 0, 0};
#pragma unroll
    for (int part = 0; part < Kind::parts; ++part)
      multiply(sums, low.pairs[part][0], high.pairs[part][0], low.pairs[part][1], high.pairs[part][1], x.x,
               x.y);
    if constexpr (Kind::sixteenths) {
      add(totals.of[tile], sums, low_scales.factor[0], high_scales.factor[0]);
      sums[0] = sums[1] = sums[2] = sums[3] = 0;
    }
#pragma unroll
    for (int part = 0; part < Kind::parts; ++part)
      multiply(sums, low.pairs[part][2], high.pairs[part][2], low.pairs[part][3], high.pairs[part][3], x.z,
               x.w);
    add(totals.of[tile], sums, low_scales.factor[1], high_scales.factor[1]);
    if constexpr (Kind::minimum) {
      const float* const of_x =
          columns.sums + (faults.sums_of_first_unit ? 0 : unit) * columns.sums_step + tile * 8;
#pragma unroll
      for (int half = 0; half < (Kind::sixteenths ? 2 : 1); ++half) {
        const auto two = *reinterpret_cast<const float2*>(of_x + half * Tiles * 8);
        const float of_sums[4] = {two.x, two.y, two.x, two.y};
        add(totals.of[tile], of_sums, low_scales.offset[half], high_scales.offset[half]);
      }
    }
  }
}

/// Adds `count` units of a stage, the first of which is `unit` of the block. `bytes`: where the lane's two
/// rows begin. Several are taken at once, so that what they wait for overlaps.
template <BlockFormat Format, int Tiles>
__device__ inline void add_units(Totals<Tiles>& totals, std::uint8_t* const (&bytes)[2],
                                 const Columns<Tiles>& columns, int unit, int count, const Faults& faults) {
  using Kind = Shape<Format>;
  constexpr int together = Kind::length == 256 ? 8 : Kind::stage_units < 4 ? Kind::stage_units : 4;
  constexpr int unit_bytes = Kind::stage_bytes / Kind::stage_units;
  const Words row[2] = {Words(bytes[0]), Words(bytes[1])};
  const Words lane[2] = {Words(bytes[0] + 4 * columns.t), Words(bytes[1] + 4 * columns.t)};
  int at = 0;
#pragma unroll 1
  for (; at + together <= count; at += together) {
    const Words rows_here[2] = {row[0].behind(at * unit_bytes), row[1].behind(at * unit_bytes)};
    const Words lanes_here[2] = {lane[0].behind(at * unit_bytes), lane[1].behind(at * unit_bytes)};
    [&]<int... At>(std::integer_sequence<int, At...>) {
      (add_unit<Format, At>(totals, rows_here, lanes_here, columns, unit + at + At, faults), ...);
    }
    (std::make_integer_sequence<int, together>());
  }
  if constexpr (Kind::length != 256) {
#pragma unroll 1
    for (; at < count; ++at) {
      const Words rows_here[2] = {Words(bytes[0] + at * unit_bytes), Words(bytes[1] + at * unit_bytes)};
      const Words lanes_here[2] = {Words(bytes[0] + at * unit_bytes + 4 * columns.t),
                                   Words(bytes[1] + at * unit_bytes + 4 * columns.t)};
      add_unit<Format, 0>(totals, rows_here, lanes_here, columns, unit + at, faults);
    }
  }
}

}  // namespace assay::kernels::fragments
