// Long lists: the kLongListLength points nearest to each in (y, z). A warp looks outwards along z from its
// point and keeps what is below a limit; when its room is nearly full, it lowers the limit to
// about the length of the list.
#include <math_constants.h>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/lists/fill.hpp"
#include "kernels/lists/long_lists.hpp"
#include "kernels/lists/sort_keys.cuh"

namespace assay::kernels::lists {

namespace {

constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
constexpr int kWarps = 8;
constexpr std::int32_t kLength = kLongListLength;
constexpr std::int32_t kRoom = 2 * kLength;  ///< of a warp
constexpr int kHeld = kRoom / 32;            ///< of a lane
/// How many more than the list's entries a limit may let through.
constexpr std::int32_t kSlack = kLength / 4;
constexpr std::uint32_t kNone = 0x7F800001u;  // above the bits of infinity
/// Neighbours that the density of the plane is taken from.
constexpr std::int32_t kReached = 64;

/// What a warp keeps: the bits of distances, and places.
struct Room {
  std::uint32_t bits[kRoom], places[kRoom];
};

struct Kept {
  std::uint32_t bits[kHeld];
};

__device__ std::int32_t count_within(const Kept& kept, std::uint32_t distance) {
  std::int32_t count = 0;
#pragma unroll
  for (int j = 0; j < kHeld; ++j) count += kept.bits[j] <= distance;
  return static_cast<std::int32_t>(__reduce_add_sync(kWholeWarp, count));
}

/// Leaves at least kLength and at most `most` in the room and returns their number. `limit` becomes what
/// further entries must be below to be of interest.
__device__ std::int32_t narrow(Room& room, std::int32_t held, std::int32_t most, std::uint32_t& limit) {
  const auto lane = static_cast<std::int32_t>(threadIdx.x % 32);
  __syncwarp();
  Kept kept;
  std::uint32_t high = 0;
#pragma unroll
  for (int j = 0; j < kHeld; ++j) {
    kept.bits[j] = 32 * j + lane < held ? room.bits[32 * j + lane] : kNone;
    high = max(high, kept.bits[j] == kNone ? 0u : kept.bits[j]);
  }
  high = __reduce_max_sync(kWholeWarp, high);
  std::uint32_t low = 0;
  std::int32_t within = held;
  // Where more than half of the entries go, the limit is rarely below a sixteenth of the farthest.
  std::uint32_t middle = high - min(high, 4u << 23);
  while (within > most && low < high) {
    const std::int32_t count = count_within(kept, middle);
    if (count >= kLength) {
      high = middle;
      within = count;
    } else {
      low = middle + 1;
    }
    middle = low + (high - low) / 2;
  }
  // Too many at that distance itself: some are left out, and no more of them taken.
  std::int32_t ties = kRoom;
  limit = high + 1;
  if (within > most) {
    limit = high;
    ties = most - (high > 0 ? count_within(kept, high - 1) : 0);
  }
  std::int32_t stored = 0;
#pragma unroll
  for (int j = 0; j < kHeld; ++j) {
    // What is stored goes no farther than where it comes from, which this turn has read.
    const std::uint32_t place = room.places[32 * j + lane];
    const unsigned below = (1u << lane) - 1u, tied = __ballot_sync(kWholeWarp, kept.bits[j] == high);
    const bool taken = kept.bits[j] < high || (kept.bits[j] == high && __popc(tied & below) < ties);
    ties -= __popc(tied);
    const unsigned votes = __ballot_sync(kWholeWarp, taken);
    __syncwarp();  // a vote orders no memory
    if (taken) {
      const std::int32_t to = stored + __popc(votes & below);
      room.bits[to] = kept.bits[j];
      room.places[to] = place;
    }
    stored += __popc(votes);
    __syncwarp();
  }
  return stored;
}

__global__ void __launch_bounds__(32 * kWarps, 3)
    build(LongTarget target, std::int32_t first, std::int32_t count, spatial::ExclusionView exclusion,
          const double* scale_at, std::int32_t k, bool stops_early) {
  extern __shared__ __align__(16) unsigned char shared[];
  Room& room = reinterpret_cast<Room*>(shared)[threadIdx.x / 32];
  const auto warp = static_cast<std::int32_t>(threadIdx.x / 32),
             lane = static_cast<std::int32_t>(threadIdx.x % 32);
  const std::int32_t of = static_cast<std::int32_t>(blockIdx.x) * kWarps + warp, p = first + of, n = target.n;
  if (of >= count) return;
  const double *y = target.columns, *z = target.columns + n;
  const double own_y = y[p], own_z = z[p], scale = *scale_at;
  std::int32_t excluded_begin = 0, excluded_end = 0;
  exclusion.of(target.rows[p], excluded_begin, excluded_end);
  const bool only_itself = excluded_end - excluded_begin == 1;
  // a target far larger than the sources: the largest float, which is no neighbour for certain, not infinity
  const auto bits_of = [&](double distance) {
    return __float_as_uint(fminf(static_cast<float>(distance * scale), 0x1.fffffep127f));
  };
  std::int32_t held = 0;
  std::uint32_t limit = kNone;
  for (std::int32_t below = p - 1 - lane, above = p + 1 + lane;; below -= 32, above += 32) {
    std::uint32_t gap = kNone;  // of the nearer side
#pragma unroll
    for (int side = 0; side < 2; ++side) {
      const std::int32_t q = side == 0 ? below : above;
      const bool there = q >= 0 && q < n;
      std::uint32_t bits = kNone;
      if (there) {
        const double dz = fabs(z[q] - own_z), dy = fabs(y[q] - own_y);
        gap = min(gap, bits_of(dz));
        const std::int32_t row = only_itself ? -1 : target.rows[q];
        if (row < excluded_begin || row >= excluded_end) bits = bits_of(dy > dz ? dy : dz);
      }
      const bool taken = bits < limit;
      const unsigned votes = __ballot_sync(kWholeWarp, taken);
      const std::int32_t to = held + __popc(votes & ((1u << lane) - 1u));
      if (taken) {
        room.bits[to] = bits;
        room.places[to] = static_cast<std::uint32_t>(q);
      }
      held += __popc(votes);
    }
    if (held > kRoom - 64) held = narrow(room, held, kLength + kSlack, limit);
    // All that is farther out is beyond the limit too, or there is nothing.
    gap = __shfl_sync(kWholeWarp, gap, 31);
    if (gap >= limit || (stops_early && held >= kLength)) break;
  }
  if (held > kLength) held = narrow(room, held, kLength, limit);
  __syncwarp();
  constexpr int kKeys = kLength / 32;
  std::uint64_t keys[kKeys];
#pragma unroll
  for (int j = 0; j < kKeys; ++j) {
    const std::int32_t at = kKeys * lane + j;
    keys[j] =
        at < held ? static_cast<std::uint64_t>(room.bits[at]) << 32 | room.places[at] : ~std::uint64_t{0};
  }
  sort_keys(keys);
  std::uint32_t* list = target.lists + std::int64_t{of} * 2 * kLength;
  const bool repeats = (p > 0 && z[p - 1] == own_z) || (p + 1 < n && z[p + 1] == own_z);
#pragma unroll
  for (int j = 0; j < kKeys; ++j) {
    const std::int32_t place = kKeys * lane + j;
    const bool there = keys[j] != ~std::uint64_t{0};
    // past the last neighbour: the point itself at an infinite distance, which ends every walk
    const std::uint32_t q = there ? static_cast<std::uint32_t>(keys[j]) : static_cast<std::uint32_t>(p);
    const std::uint32_t distance = there ? static_cast<std::uint32_t>(keys[j] >> 32) : 0x7F800000u;
    list[place] = q | (fabs(y[q] - own_y) > fabs(z[q] - own_z) ? kAlongY : 0u);
    list[kLength + place] = distance;
    if (place == kReached - 1) {
      // the edge of a volume that holds k of as many as there are nearer
      const float edge = fminf(__uint_as_float(distance), 0x1p60f);
      target.reach[p] = repeats ? -1.0f
                                : cbrtf(kSearchedShare * static_cast<float>(k) /
                                        static_cast<float>(2 * kReached) * edge * edge);
    }
  }
}

}  // namespace

void build_long_lists(CUstream_st* stream, const LongTarget& target, std::int32_t first, std::int32_t count,
                      const spatial::ExclusionView& exclusion, const double* scale, std::int32_t k) {
  allow_shared(build);
  build<<<static_cast<unsigned>((count + kWarps - 1) / kWarps), 32 * kWarps, kWarps * sizeof(Room), stream>>>(
      target, first, count, exclusion, scale, k, mutant("te.network.cuda_long_list_ends_early"));
  detail::check(cudaGetLastError(), "lists: long lists: launch");
}

}  // namespace assay::kernels::lists
