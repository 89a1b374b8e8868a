#pragma once

// The k-th neighbour of a point along its source, from its rank outwards, in float: device code that the
// searches of short and of long lists share.
#include <math_constants.h>

#include <cstdint>

#include "kernels/lists/lists.hpp"
#include "kernels/lists/nearest_keys.cuh"

namespace assay::kernels::lists {

/// A point as guesses, centred and scaled.
struct Guess {
  float x, y, z;
};

/// What a search knows of the k-th neighbour: it lies between `least` and `most`, the one before it below
/// `before`, the next one beyond `next`, and all that was not looked at beyond `bound`.
struct Nearest {
  float before, least, most, next, bound;
  std::int32_t rank;
};

__device__ inline float least_of(std::uint32_t key, std::uint32_t mask) {
  return __uint_as_float(key & ~mask);
}
__device__ inline float most_of(std::uint32_t key, std::uint32_t mask) {
  return __uint_as_float(key | mask);
}

/// What rounding may have moved a distance of up to `most` by, either way: 2^-24 of each coordinate, of their
/// difference and of the distance, and twice as much again.
__device__ inline float margin_of(const Guess& own, float most) {
  return 0x1p-21f * (fmaxf(fabsf(own.x), fmaxf(fabsf(own.y), fabsf(own.z))) + most) + 0x1p-140f;
}

/// Along which coordinate the k-th neighbour, at `to`, is farthest, or kAlongAny; `certain`: it is the k-th,
/// whatever rounding did.
__device__ inline std::uint32_t along_nearest(const Guess& own, const Guess& to, const Nearest& nearest,
                                              bool no_recheck, bool& certain) {
  const float margin = margin_of(own, nearest.most);
  const bool closed = nearest.bound - nearest.most > margin;
  const bool clear = nearest.next - nearest.most > margin && nearest.least - nearest.before > margin;
  certain = nearest.most < 0x1p127f && closed && (clear || no_recheck);
  const float dx = fabsf(to.x - own.x), dy = fabsf(to.y - own.y), dz = fabsf(to.z - own.z);
  return dx - fmaxf(dy, dz) > margin   ? 0u
         : dy - fmaxf(dx, dz) > margin ? 1u
         : dz - fmaxf(dx, dy) > margin ? 2u
                                       : kAlongAny;
}

/// By a whole warp, in chunks [first, end) of 32 ranks, one below and one above in turn. `look(rank, gap,
/// out)` gives the joint distance of the point at a rank, its distance along the source in `gap`, and whether
/// it is no neighbour in `out`. kMask holds the bits of a chunk, two times its number and one for those
/// above.
template <int kCapacity, std::uint32_t kMask, class Look>
__device__ Nearest nearest_along(std::int32_t n, std::int32_t rank, std::int32_t k, std::int32_t first,
                                 std::int32_t end, const Look& look) {
  constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
  constexpr std::uint32_t kNoKey = 0x7F7FFFFFu;  // the largest float
  const auto lane = static_cast<std::int32_t>(threadIdx.x % 32);
  std::uint32_t keys[kCapacity + 1];
#pragma unroll
  for (int j = 0; j <= kCapacity; ++j) keys[j] = kNoKey;
  float bound = 0;
  const auto take = [&](std::int32_t r, std::uint32_t chunk) {
    const bool there = r >= 0 && r < n;
    float gap = 0;
    bool out = false;
    const float d = look(there ? r : rank, gap, out);
    insert(keys, out || !there ? kNoKey : (__float_as_uint(d) & ~kMask) | chunk);
    return there ? gap : CUDART_INF_F;
  };
  for (std::int32_t m = first; m < end && 32 * m < n; ++m) {
    const float lower = take(rank - 1 - 32 * m - lane, 2 * static_cast<std::uint32_t>(m));
    const float upper = take(rank + 1 + 32 * m + lane, 2 * static_cast<std::uint32_t>(m) + 1);
    // All beyond the chunks is farther than their last, a lane's own gap only grows; k + 1 lanes with
    // something nearer are enough.
    bound = __uint_as_float(__reduce_max_sync(kWholeWarp, __float_as_uint(fminf(lower, upper))));
    if (__popc(__ballot_sync(kWholeWarp, most_of(keys[0], kMask) < bound)) > k) break;
  }
  std::uint32_t before = 0, last = 0, chosen = 0;
  for (std::int32_t round = 0; round < k; ++round) {
    before = last;
    last = __reduce_min_sync(kWholeWarp, keys[0]);
    const auto owner =
        static_cast<std::uint32_t>(__ffs(static_cast<int>(__ballot_sync(kWholeWarp, keys[0] == last))) - 1);
    chosen = owner;
    if (static_cast<std::uint32_t>(lane) == owner) {
#pragma unroll
      for (int j = 0; j < kCapacity; ++j) keys[j] = keys[j + 1];
      keys[kCapacity] = kNoKey;
    }
  }
  const std::uint32_t next = __reduce_min_sync(kWholeWarp, keys[0]), chunk = last & kMask;
  const std::int32_t away = 1 + 32 * static_cast<std::int32_t>(chunk / 2) + static_cast<std::int32_t>(chosen);
  const std::int32_t at = chunk % 2 == 0 ? rank - away : rank + away;
  return {k > 1 ? most_of(before, kMask) : -1.0f,
          least_of(last, kMask),
          most_of(last, kMask),
          least_of(next, kMask),
          bound,
          min(max(at, 0), n - 1)};
}

}  // namespace assay::kernels::lists
