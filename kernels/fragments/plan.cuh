#pragma once

// How a product is shared out among the warps of blocks, and what it needs of shared memory.
#include <algorithm>
#include <cstdint>

#include "kernels/copies/barrier.cuh"
#include "kernels/fragments/activations.cuh"
#include "kernels/fragments/pieces.cuh"

namespace assay::kernels::fragments {

/// Partial sums of a segment: the one of index p has its stages p, p + 16, p + 32 and so on.
constexpr int most_partials = 16;
/// Warps of a block that multiply. With four pairs of columns of activations a lane has more than 128
/// registers' worth: half as many, with two partial sums each.
__host__ __device__ constexpr int multiplying_warps(int tiles) {
  return tiles == 4 ? 8 : 16;
}
constexpr int bringing_warps = 4;
/// Of all warps that do not multiply: those, one that joins, and three that make up a group of four with it
/// and have nothing to do (copies/registers).
constexpr int other_warps = 8;
__host__ __device__ constexpr int block_threads(int tiles) {
  return (multiplying_warps(tiles) + other_warps) * 32;
}
/// Registers of a thread. All together take no more than the equal shares of the launch: of 65,536, rounded
/// down to multiples of 8.
constexpr int other_registers = 40;
__host__ __device__ constexpr int multiplying_registers(int tiles) {
  return tiles == 4 ? 208 : 96;
}
static_assert(16 * 96 + other_warps * other_registers <= 24 * 80);
static_assert(8 * 208 + other_warps * other_registers <= 16 * 128);
constexpr int most_slots = 16;
constexpr int most_buffers = 4;  ///< of partial sums, where there are few vectors

/// How a row is cut, which the number of its columns alone decides: the order of a sum depends on nothing
/// else. Segments are whole pairs of chunks, and so short that one of a vector fits in shared memory, of four
/// where they are f16.
struct Cut {
  int stages;          ///< of a row
  int segment_stages;  ///< of a segment; the last one may have fewer
  int segments;
};

template <BlockFormat Format>
Cut cut_of(std::int64_t columns) {
  constexpr int of_stage = Shape<Format>::stage_columns, most_columns = 16384;
  const auto stages = static_cast<int>((columns + of_stage - 1) / of_stage);
  constexpr int most = most_columns / of_stage;
  const int segments = (stages + most - 1) / most;
  const int even = (stages + segments - 1) / segments;
  const int segment_stages = (even + most_partials - 1) / most_partials * most_partials;
  return {stages, segment_stages, (stages + segment_stages - 1) / segment_stages};
}

/// A run of segments of all rows, what one launch multiplies.
struct Plan {
  int first_stage, stages;  ///< of the run
  int segment_stages, segments;
  int buffers;       ///< of partial sums, for as many segments
  bool first, last;  ///< of the runs of a row
  int slots;         ///< for chunks of 16 rows
  int tiles;         ///< of 16 rows
  bool aligned;      ///< Rows::aligned
  bool in_fours;     ///< Activations::in_fours
  // Places in shared memory, in bytes: the octets at 0, then the sums of x, zeros, barriers, partial sums,
  // slots.
  int sums_at, zeros_at, barriers_at, partials_at, slots_at;
  int bytes;  ///< in all

  __host__ __device__ int chunks() const { return (stages + chunk_stages - 1) / chunk_stages; }
};

/// What the barriers of a block are for.
struct Barriers {
  copies::Barrier *come, *used;      ///< of each slot: its chunk has come; it has been multiplied
  copies::Barrier *summed, *joined;  ///< of each buffer: its partial sums are there; they have been joined
};

/// The partial sums of a segment of a tile: (partial, vector, row) in one of the buffers.
struct Buffer {
  int at;
  unsigned parity;  ///< of the phases that concern this use of it

  __device__ static Buffer of(int tile, int segment, const Plan& plan) {
    const int use = tile * plan.segments + segment;
    return {use % plan.buffers, static_cast<unsigned>(use / plan.buffers) & 1u};
  }
  __device__ float* of_partial(float* partials, int partial, int batch) const {
    return partials + (at * most_partials + partial) * batch * tile_rows;
  }
};

/// Stages of a segment of the run.
__device__ inline int stages_of(int segment, const Plan& plan) {
  return min(plan.segment_stages, plan.stages - segment * plan.segment_stages);
}

/// The plan for segments [first, first + count) and `tiles` pairs of columns of activations, with no bytes
/// where they do not fit `shared_bytes`.
template <BlockFormat Format, bool Halves>
Plan plan_for(const Cut& cut, const Activations& x, int tiles, int first, int count,
              std::int64_t shared_bytes) {
  using Kind = Shape<Format>;
  Plan plan{};
  plan.first_stage = first * cut.segment_stages;
  plan.stages = std::min(count * cut.segment_stages, cut.stages - plan.first_stage);
  plan.segment_stages = cut.segment_stages;
  plan.segments = count;
  plan.first = first == 0;
  plan.last = first + count == cut.segments;
  const int columns = x.batch * parts_of_x<Halves>;
  const std::int64_t octets = std::int64_t{plan.stages} * Kind::stage_octets * columns * 4 * 16;
  const std::int64_t sums =
      Kind::minimum ? std::int64_t{plan.stages} * 4 * Kind::units * (Kind::sixteenths ? 2 : 1) * 2 * tiles * 4
                    : 0;
  const std::int64_t zeros_at = octets + sums, barriers_at = zeros_at + 16;
  const std::int64_t partials_at =
      barriers_at + (2 * most_slots + 2 * most_buffers) * sizeof(copies::Barrier);
  const std::int64_t of_buffer = std::int64_t{most_partials} * x.batch * tile_rows * 4;
  constexpr std::int64_t of_slot = tile_rows * Kind::pitch;
  std::int64_t slots_at = 0;
  const auto give_buffers = [&](int buffers) {
    plan.buffers = buffers;
    slots_at = partials_at + buffers * of_buffer;
    const std::int64_t left = std::max<std::int64_t>(shared_bytes - slots_at, 0);
    plan.slots = static_cast<int>(std::min<std::int64_t>(left / of_slot, most_slots));
    // Between two stages that a warp reads lie so many chunks at most: of a tile and what fills up its last
    // chunk, or of as many short tiles as there are buffers. With fewer slots a warp would take what came
    // into a slot before for what it waits for.
    const int warps = multiplying_warps(tiles);
    return plan.slots >= (plan.stages < warps ? buffers + 2 : warps / chunk_stages + 1);
  };
  if (!give_buffers(x.batch <= 2 ? most_buffers : 2) && !give_buffers(2)) return {};
  plan.sums_at = static_cast<int>(octets);
  plan.zeros_at = static_cast<int>(zeros_at);
  plan.barriers_at = static_cast<int>(barriers_at);
  plan.partials_at = static_cast<int>(partials_at);
  plan.slots_at = static_cast<int>(slots_at);
  plan.bytes = static_cast<int>(slots_at + plan.slots * of_slot);
  return plan;
}

}  // namespace assay::kernels::fragments
