#pragma once

// Parts of sixteen rows brought to shared memory by one warp, 16 bytes at a time and ahead of their use.
#include <cuda_pipeline_primitives.h>

#include <cstdint>

namespace assay::kernels::fragments {

constexpr int tile_rows = 16;

/// Rows of blocks in device memory.
struct Rows {
  const std::uint8_t* first;
  std::int64_t stride;  ///< in bytes
  std::int64_t count;
  std::int64_t bytes;  ///< of a row

  /// A row, or the last one for those behind it, whose results nobody keeps.
  __device__ const std::uint8_t* at(std::int64_t row) const {
    return first + (row < count ? row : count - 1) * stride;
  }
};

/// Bytes of the pieces of 16 that are not the caller's as a whole, one by one.
__device__ inline void bring_bytes(const std::uint8_t* aligned, int piece, const std::uint8_t* from,
                                   int count, std::uint8_t* to) {
#pragma unroll 1
  for (int i = 16 * piece; i < 16 * piece + 16; ++i)
    if (aligned + i >= from && aligned + i < from + count) to[i] = aligned[i];
}

/// Begins to bring `count` bytes, at most `Most`, from `from` on to `to` + (address of `from` modulo 16), by
/// four lanes of which this one is the t-th. `to` lies on a multiple of 16. Bytes around them come along
/// where they belong to the rows, so that nothing is read which is not the caller's.
template <int Most>
__device__ inline void bring(const Rows& rows, const std::uint8_t* row, const std::uint8_t* from, int count,
                             std::uint8_t* to, int t, bool edge_lost) {
  const bool joined = rows.stride == rows.bytes;
  const std::uint8_t* const begin = joined ? rows.first : row;
  const std::uint8_t* const end = joined ? rows.first + rows.count * rows.bytes : row + rows.bytes;
  const int skew = static_cast<int>(reinterpret_cast<std::uintptr_t>(from) % 16);
  const std::uint8_t* const aligned = from - skew;
  const int pieces = (skew + count + 15) / 16;
  const int first = aligned < begin ? 1 : 0;
  const int last = aligned + pieces * 16 > end ? pieces - 1 : pieces;
#pragma unroll
  for (int i = 0; i < (15 + Most + 15) / 16; i += 4)
    if (i + t >= first && i + t < last)
      __pipeline_memcpy_async(to + 16 * (i + t), aligned + 16 * (i + t), 16);
  if (first == 0 && last == pieces) return;
  if (edge_lost || t != 0) return;
  if (first == 1) bring_bytes(aligned, 0, from, count, to);
  if (last < pieces) bring_bytes(aligned, pieces - 1, from, count, to);
}

}  // namespace assay::kernels::fragments
