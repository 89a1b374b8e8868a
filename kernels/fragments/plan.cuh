#pragma once

// How a product is shared out among the warps of blocks, and what it needs of shared memory.
#include <algorithm>
#include <cstdint>

#include "kernels/fragments/activations.cuh"
#include "kernels/fragments/stages.cuh"

namespace assay::kernels::fragments {

constexpr int most_slices = 16;  ///< of a row
/// Warps of a block at most. With four pairs of columns of activations a lane has more than 128 registers'
/// worth.
constexpr int most_warps(int tiles) {
  return tiles == 4 ? 8 : 16;
}
constexpr int most_ahead = 3;

/// How the columns of a row are cut, which the number of columns alone decides.
struct Cut {
  int stages;        ///< of a row
  int slice_stages;  ///< of a slice; the last one may have fewer
  int slices;
};

template <BlockFormat Format>
Cut cut_of(std::int64_t columns) {
  constexpr std::int64_t of_stage = Shape<Format>::stage_columns;
  const auto stages = static_cast<int>((columns + of_stage - 1) / of_stage);
  constexpr int span = Shape<Format>::span;
  const int slice_stages = (stages + most_slices * span - 1) / (most_slices * span) * span;
  return {stages, slice_stages, (stages + slice_stages - 1) / slice_stages};
}

/// A run of slices of all rows, what one launch multiplies.
struct Plan {
  int first_stage, stages;  ///< of the slices
  int slice_stages, slices;
  bool first, last;  ///< of the runs of a row
  int group;         ///< tiles of 16 rows whose slices are joined at a time
  int warps;         ///< of a block
  int ahead;         ///< spans that a warp has on their way
  bool aligned;      ///< Rows::aligned
  bool in_fours;     ///< Activations::in_fours
  // Places in shared memory, in bytes: the octets at 0, then the sums of x, zeros, joined slices, slots.
  int sums_at, zeros_at, joined_at, slots_at;
  int bytes;  ///< in all
};

/// The plan for slices [first, first + count) and `tiles` pairs of columns of activations, with no bytes
/// where they do not fit `shared_bytes`.
template <BlockFormat Format, bool Halves>
Plan plan_for(const Cut& cut, const Activations& x, int tiles, int first, int count,
              std::int64_t shared_bytes) {
  using Kind = Shape<Format>;
  Plan plan{};
  plan.first_stage = first * cut.slice_stages;
  plan.stages = std::min(count * cut.slice_stages, cut.stages - plan.first_stage);
  plan.slice_stages = cut.slice_stages;
  plan.slices = count;
  plan.first = first == 0;
  plan.last = first + count == cut.slices;
  const int columns = x.batch * parts_of_x<Halves>;
  const std::int64_t octets = std::int64_t{plan.stages} * Kind::stage_octets * columns * 4 * 16;
  const std::int64_t sums =
      Kind::minimum ? std::int64_t{plan.stages} * 4 * Kind::units * (Kind::sixteenths ? 2 : 1) * 2 * tiles * 4
                    : 0;
  const int of_tile = count * x.batch * tile_rows * 4;
  plan.group = std::max(1, 4096 / of_tile);
  const std::int64_t slots_at = octets + sums + 16 + std::int64_t{2} * plan.group * of_tile;
  // Half the warps where all of them would not have a span to multiply and one on its way.
  constexpr std::int64_t of_warp = tile_rows * Kind::pitch;
  plan.warps = most_warps(tiles);
  if (slots_at + 2 * plan.warps * of_warp > shared_bytes) plan.warps /= 2;
  const std::int64_t slots =
      std::min<std::int64_t>((shared_bytes - slots_at) / (plan.warps * of_warp), most_ahead + 1);
  if (slots < 2) return {};
  plan.ahead = static_cast<int>(slots - 1);
  plan.sums_at = static_cast<int>(octets);
  plan.zeros_at = static_cast<int>(octets + sums);
  plan.joined_at = plan.zeros_at + 16;
  plan.slots_at = static_cast<int>(slots_at);
  plan.bytes = static_cast<int>(slots_at + slots * plan.warps * of_warp);
  return plan;
}

}  // namespace assay::kernels::fragments
