#pragma once

// How a product is shared out among the warps of blocks and clusters, and what it needs of shared memory.
#include <algorithm>
#include <cstdint>

#include "kernels/fragments/slices.cuh"

namespace assay::kernels::fragments {

constexpr int slices = 16;
constexpr int warps = 16;
constexpr int sums_pitch = 20;  ///< of 16 sums of a tensor column: eight rows and four columns in all banks

/// How a call is shared out.
struct Plan {
  int blocks;       ///< of a cluster: 1, 2, 4 or 8
  int slice_units;  ///< units of a slice; the last slices may have fewer
  int units;        ///< of a row
  int block_units;  ///< of the slices of a block
  int sums_at;      ///< in shared memory: the sums of x, behind the activations, in bytes
  int joined_at;    ///< the slices' results
  int stages_at;    ///< the stages
  int bytes;        ///< in all
};

constexpr int most_shared_bytes = 227 * 1024;

/// The plan for `blocks` a cluster.
template <BlockFormat Format>
Plan plan_for(std::int64_t row_columns, int tensor_columns, int blocks) {
  using Kind = Shape<Format>;
  constexpr std::int64_t step = Shape<Format>::length == 256 ? 8 : 1;  // units that are not cut
  Plan plan{};
  plan.blocks = blocks;
  const std::int64_t units = (row_columns + unit_columns - 1) / unit_columns;
  const std::int64_t slice_units = (units + slices * step - 1) / (slices * step) * step;
  plan.units = static_cast<int>(units);
  plan.slice_units = static_cast<int>(slice_units);
  plan.block_units = static_cast<int>(std::min(units, slice_units * (slices / blocks)));
  const std::int64_t pairs = std::int64_t{plan.block_units} * tensor_columns * 4 * 16;
  const int padded = (tensor_columns + 7) / 8 * 8;
  const std::int64_t sums =
      Kind::minimum ? std::int64_t{plan.block_units} * padded * (Kind::sixteenths ? 2 : 1) * 4 : 0;
  const std::int64_t joined = slices * tensor_columns * sums_pitch * 4;
  const std::int64_t stages = warps * stage_count<Format> * tile_rows * Kind::pitch;
  const std::int64_t bytes = pairs + sums + joined + stages + 16;  // Words reads a little beyond
  if (bytes > most_shared_bytes) return {};
  plan.sums_at = static_cast<int>(pairs);
  plan.joined_at = static_cast<int>(pairs + sums);
  plan.stages_at = static_cast<int>((pairs + sums + joined + 15) / 16 * 16);
  plan.bytes = static_cast<int>(bytes);
  return plan;
}

}  // namespace assay::kernels::fragments
