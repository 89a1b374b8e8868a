#pragma once

// Pieces of sixteen rows brought to shared memory: of each row the same chunk of stages.
#include <algorithm>
#include <cstdint>

#include "kernels/copies/sixteens.cuh"
#include "kernels/fragments/units.cuh"

namespace assay::kernels::fragments {

constexpr int tile_rows = 16;
constexpr int chunk_stages = 8;

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
  /// Where the row begins between two multiples of 16.
  __device__ unsigned skew_at(std::int64_t row) const {
    return (static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(first)) +
            static_cast<unsigned>(row < count ? row : count - 1) * static_cast<unsigned>(stride)) %
           16;
  }
  /// Rows and their stages begin on multiples of Shape::natural bytes.
  template <BlockFormat Format>
  bool aligned() const {
    constexpr std::uintptr_t natural = Shape<Format>::natural;
    return (reinterpret_cast<std::uintptr_t>(first) | static_cast<std::uintptr_t>(stride)) % natural == 0;
  }
};

/// The chunks of stages of one row, one after the other. They are brought in pieces of 16 bytes from
/// multiples of 16: up to 15 bytes on either side, which belong to the rows before and after or to what lies
/// between them, come along and are not used. Only behind the last row there may be nothing (and behind rows
/// that lie closer together).
template <BlockFormat Format>
struct RowChunks {
  const std::uint8_t* from;  ///< a multiple of 16, `skew` bytes before the chunk
  int skew;
  int left;    ///< bytes from there to where the stages end or the row does
  int behind;  ///< bytes behind those that may be read, 15 at most

  /// From byte `begin` of the row on; `bytes` of it, or what it has.
  __device__ static RowChunks begin(const Rows& rows, std::int64_t row, std::int64_t begin,
                                    std::int64_t bytes) {
    const std::uint8_t* const first = rows.at(row) + begin;
    const int skew = static_cast<int>(reinterpret_cast<std::uintptr_t>(first) % 16);
    const std::int64_t of_row = rows.bytes - begin, taken = min(bytes, of_row);
    const bool followed = row + 1 < rows.count && rows.stride >= 16;
    return {first - skew, skew, skew + static_cast<int>(taken),
            followed ? 15 : static_cast<int>(min(of_row - taken, std::int64_t{15}))};
  }
  __device__ void next() {
    from += Shape<Format>::chunk_bytes;
    left -= Shape<Format>::chunk_bytes;
  }
  /// Where the chunk ends, from `from` on.
  __device__ int end() const { return min(left, skew + Shape<Format>::chunk_bytes); }
  __device__ int pieces() const { return min((end() + 15) / 16, (left + behind) / 16); }
};

}  // namespace assay::kernels::fragments
