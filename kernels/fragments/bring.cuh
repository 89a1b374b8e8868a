#pragma once

// How the tiles of a block come to shared memory: a ring of slots for chunks of stages of sixteen rows,
// filled by warps that do nothing else, as far ahead of those that multiply as there are slots.
#include <cstdint>

#include "kernels/copies/chained.cuh"
#include "kernels/fragments/pieces.cuh"
#include "kernels/fragments/plan.cuh"

namespace assay::kernels::fragments {

/// Tile `tile` of those that a block has: one of every block in turn.
__device__ inline std::int64_t tile_of_block(int tile) {
  return blockIdx.x + std::int64_t{tile} * gridDim.x;
}

/// Where a row's bytes of the run begin.
template <BlockFormat Format>
__device__ std::int64_t begin_bytes(const Plan& plan) {
  return std::int64_t{plan.first_stage} * Shape<Format>::stage_bytes;
}

/// The chunks of the block's tiles, one after the other, of which each bringing warp has four rows, and eight
/// of its lanes each of these.
template <BlockFormat Format>
struct Bringer {
  const Rows& rows;
  const Plan& plan;
  int row_of_tile, lane;  ///< one of eight
  int tile, chunk;
  RowChunks<Format> chunks;

  __device__ void begin_tile(int next) {
    tile = next;
    chunk = 0;
    chunks = RowChunks<Format>::begin(rows, tile_of_block(tile) * tile_rows + row_of_tile,
                                      begin_bytes<Format>(plan),
                                      std::int64_t{plan.stages} * Shape<Format>::stage_bytes);
  }
  __device__ void next() {
    chunks.next();
    if (++chunk == plan.chunks()) begin_tile(tile + 1);
  }
  __device__ void ask() const {
    for (int piece = 8 * lane; piece < chunks.pieces(); piece += 64)
      copies::ask_for(chunks.from + 16 * piece);
  }
  __device__ void bring(std::uint8_t* slot, copies::Barrier& barrier) const {
    std::uint8_t* const to = slot + row_of_tile * Shape<Format>::pitch + 16 * lane;
    const std::uint8_t* const from = chunks.from + 16 * lane;
    const int left = chunks.pieces() - lane;
#pragma unroll
    for (int piece = 0; piece < Shape<Format>::pitch / 16; piece += 8)
      if (piece < left) copies::bring_sixteen(to + 16 * piece, from + 16 * piece);
    for (int byte = 16 * chunks.pieces() + lane; byte < chunks.end(); byte += 8)
      slot[row_of_tile * Shape<Format>::pitch + byte] = chunks.from[byte];
    copies::arrive_behind_copies(barrier);
  }
};

/// Begins to bring what a bringing warp brings of all tiles as soon as it may: `ready` returns when the block
/// has its barriers.
template <BlockFormat Format, class Ready>
__device__ void bring_all(const Rows& rows, const Plan& plan, const Barriers& barriers, std::uint8_t* slots,
                          int tiles, int warp, Ready ready) {
  constexpr int most_asked = 3;  // chunks; about what memory gives until the kernel before has ended
  const int lane = static_cast<int>(threadIdx.x % 32);
  Bringer<Format> bringer{rows, plan, 4 * warp + lane / 8, lane % 8};
  bringer.begin_tile(0);
  for (int ahead = 0; ahead < most_asked && bringer.tile < tiles; ++ahead, bringer.next()) bringer.ask();
  ready();
  copies::wait_for_kernel_before();
  bringer.begin_tile(0);
  unsigned parity = 1;  // nothing has been brought into the slots: they count as used
  for (int slot = 0; bringer.tile < tiles; bringer.next()) {
    copies::wait(barriers.used[slot], parity);
    bringer.bring(slots + slot * tile_rows * Shape<Format>::pitch, barriers.come[slot]);
    if (++slot < plan.slots) continue;
    slot = 0;
    parity ^= 1;
  }
}

/// Where a warp is in the chunks of its block.
struct Place {
  int chunk = 0, slot = 0;
  unsigned parity = 0;  ///< of the phase in which it comes

  __device__ void go_to(int next, int slots) {
    for (slot += next - chunk; slot >= slots; slot -= slots) parity ^= 1;
    chunk = next;
  }
};

}  // namespace assay::kernels::fragments
