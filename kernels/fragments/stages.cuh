#pragma once

// Spans of stages of sixteen rows brought to shared memory by one warp, 16 bytes at a time and ahead of their
// use.
#include <cuda_pipeline_primitives.h>

#include <cstdint>

#include "kernels/fragments/units.cuh"

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
  /// The low bits of the address of at().
  __device__ unsigned low_bits_at(std::int64_t row) const {
    return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(first)) +
           static_cast<unsigned>(row < count ? row : count - 1) * static_cast<unsigned>(stride);
  }
  /// Rows and their stages begin on multiples of Shape::natural bytes.
  template <BlockFormat Format>
  bool aligned() const {
    constexpr std::uintptr_t natural = Shape<Format>::natural;
    return (reinterpret_cast<std::uintptr_t>(first) | static_cast<std::uintptr_t>(stride)) % natural == 0;
  }
};

/// Begins to bring 16 bytes. The L2 cache is asked for the whole 128 around them: their neighbours follow.
__device__ inline void bring_piece(std::uint8_t* to, const std::uint8_t* from) {
  const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" ::"r"(address), "l"(from) : "memory");
}
/// The first `count` of 16 bytes, 0 to 16, and zeros. (The toolkit's primitive has to know the count while
/// compiling.)
__device__ inline void bring_part(std::uint8_t* to, const std::uint8_t* from, int count) {
  const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(count)
               : "memory");
}

/// Where bytes lie within the sector of memory that they begin in.
constexpr unsigned sector_bytes = 32;

/// Begins to bring a span of stages of a row, which begins at `from`, to `to` + (its address modulo 32), by
/// four lanes of which this one is the t-th; `to` lies on a multiple of 16. `left`: bytes from there to the
/// row's end. What a last span has beyond that becomes 0, which is 0 in every format, and is not read. At the
/// front the whole sector is: up to 31 bytes that belong to the row before, or lie before the first row in
/// the same sector, come along and are not used.
template <BlockFormat Format>
__device__ inline void bring(const std::uint8_t* from, int left, std::uint8_t* to, int t, Faults faults) {
  using Kind = Shape<Format>;
  const auto skew = static_cast<int>(reinterpret_cast<std::uintptr_t>(from) % sector_bytes);
  const std::uint8_t* const source = from - skew + 16 * t;
  std::uint8_t* const target = to + 16 * t;
  constexpr int steps = (Kind::pieces + 3) / 4;
  if (left >= Kind::span_bytes + 15) {
#pragma unroll
    for (int i = 0; i < steps; ++i)
      if (64 * (i + 1) <= Kind::span_bytes || 16 * (4 * i + t) < skew + Kind::span_bytes)
        bring_piece(target + 64 * i, source + 64 * i);
    return;
  }
  left += skew - 16 * t - (faults.lost_block ? Kind::block_bytes : 0);
  if (faults.tail_not_cleared) left = (left + 15) / 16 * 16;
#pragma unroll 1
  for (int i = 0; i < steps && 4 * i + t < Kind::pieces; ++i) {
    const int count = max(0, min(16, left - 64 * i));
    bring_part(target + 64 * i, count > 0 ? source + 64 * i : from - skew, count);
  }
}

/// Waits until all but the last `ahead` - 1 spans have come, 1 <= ahead <= 3.
__device__ inline void wait_for_span(int ahead) {
  if (ahead == 3)
    __pipeline_wait_prior(2);
  else if (ahead == 2)
    __pipeline_wait_prior(1);
  else
    __pipeline_wait_prior(0);
}

}  // namespace assay::kernels::fragments
