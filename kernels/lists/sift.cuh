#pragma once

// What a walk reads of a point and of a lane's source, and the first step of it: which entries of the point's
// list are near enough along the source (walk.cuh).
#include <vector_types.h>

#include <cstdint>

#include "kernels/lists/lists.hpp"
#include "kernels/lists/nearest_keys.cuh"

namespace assay::kernels::lists::walking {

inline constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
/// Entries of a list that are sifted at a time, the bits of a word.
inline constexpr std::int32_t kSection = 32;
static_assert(kShortList % kSection == 0 && kListLength % kSection == 0);

/// One point and one source of a lane, with the list that the warp shares.
struct Point {
  const std::uint32_t* rows;  ///< of the list
  const float* gaps;          ///< its distances, rising
  const double *own_x, *own_y, *own_z;
  const double *y, *z;    ///< of the target
  const double* columns;  ///< the source by row
  std::int64_t stride;
  double scale;

  __device__ std::int32_t row(std::int32_t place) const {
    return static_cast<std::int32_t>(rows[place] & ~kAlongY);
  }
  __device__ double in_plane(std::int32_t place) const {
    const std::int32_t j = row(place);
    return larger(fabs(*own_y - __ldg(y + j)), fabs(*own_z - __ldg(z + j)));
  }
  __device__ double joint(std::int32_t place) const {
    return larger(fabs(*own_x - columns[row(place) * stride]), in_plane(place));
  }
  /// On to the next row, whose list is elsewhere.
  __device__ void advance() {
    own_x += stride;
    ++own_y;
    ++own_z;
  }
};

/// A lane's source in shared memory, 32 sources side by side a row: one instruction makes an address.
struct Tile {
  std::uint32_t base;
  __device__ explicit Tile(const float* first)
      : base(static_cast<std::uint32_t>(__cvta_generic_to_shared(first))) {}
  /// `row` may carry kAlongY.
  __device__ float operator[](std::uint32_t row) const {
    float value;
    asm("ld.shared.f32 %0, [%1];" : "=f"(value) : "r"(base + (row << 7)));
    return value;
  }
};

/// The same in global memory, where the sources are too long.
struct Column {
  const float* first;
  std::int64_t pitch;
  __device__ float operator[](std::uint32_t row) const { return __ldg(first + (row & ~kAlongY) * pitch); }
};

/// Which entries' distance along the source is below the limit, in the section that begins at `begin`, the
/// first in the highest bit; `whole`: all of it was looked at, and what was not is beyond every lane's limit.
template <class Source>
__device__ std::uint32_t sift(const Point& point, std::int32_t begin, const Source& source, float own,
                              float limit, bool& whole) {
  const int widest = __reduce_max_sync(kWholeWarp, __float_as_int(limit));
  std::uint32_t bits = 0;
  whole = false;
#pragma unroll
  for (int p = 0; p < kSection; p += 16) {
    const std::int32_t first = begin + p;
    if (__float_as_int(point.gaps[first]) > widest) return p == 0 ? 0 : bits << (kSection - p);
#pragma unroll
    for (int u = 0; u < 16; u += 4) {
      const uint4 rows = *reinterpret_cast<const uint4*>(point.rows + first + u);
      const std::uint32_t each[4] = {rows.x, rows.y, rows.z, rows.w};
      float excess[4];
#pragma unroll
      for (int v = 0; v < 4; ++v) excess[v] = fabsf(own - source[each[v]]) - limit;
#pragma unroll
      for (int v = 0; v < 4; ++v)  // the sign
        bits = __funnelshift_l(__float_as_uint(excess[v]), bits, 1);
    }
  }
  whole = true;
  return bits;
}

/// The place of the first of the bits of a section; one past the section where there is none.
__device__ inline std::int32_t first_place(std::uint32_t bits, std::int32_t begin) {
  return begin + __clz(static_cast<int>(bits));
}
/// The bits without those up to a place of the section.
__device__ inline std::uint32_t after_place(std::uint32_t bits, std::int32_t place) {
  return bits & (0x7FFFFFFFu >> (place & 31));
}

}  // namespace assay::kernels::lists::walking
