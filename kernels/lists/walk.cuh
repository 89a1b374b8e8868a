#pragma once

// The k-th neighbour of every point of every pair along its target's lists. A block keeps 32 sources in
// shared memory, a warp takes a point with all of them, a lane a source.
//
//   sift      every entry of a section of the list whose distance along the source is below a limit
//             sets a bit: three instructions an entry. The limit is a guess from how dense the points lie
//             there.
//   choose    each lane goes through its own bits, nearest in the plane first, and keeps the k + 1 smallest
//             joint distances, until the plane alone is farther. Distances are float and carry the place in
//             the list in their last bits. Where it is not, the next section is sifted.
//   decide    where the k-th is clear of the limit, of the rest of the list and of the next one by more than
//             rounding, it is the one. Where it is not clear of the limit, the lane tries again with a wider
//             one.
//
// What float cannot order for certain, and what the list is too short for, stays unresolved. Tied data are
// chosen from in double.
#include <cuda_pipeline.h>
#include <math_constants.h>
#include <vector_types.h>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/lists/fill.hpp"
#include "kernels/lists/lists.hpp"
#include "kernels/lists/nearest_keys.cuh"

namespace assay::kernels::lists {

namespace walking {

inline constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
inline constexpr int kPointsOfWarp = 8;
inline constexpr std::uint32_t kNoKey = 0x7F7FFFFFu;  // the largest float
static_assert(kSection == 64);                        // the bits of two words

struct Faults {
#ifdef ASSAY_MUTANTS
  bool stops_early, no_recheck, wrong_place, limit_trusted;
#else
  static constexpr bool stops_early = false, no_recheck = false, wrong_place = false, limit_trusted = false;
#endif
};

inline Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.network.cuda_walk_stops_early"), mutant("te.network.cuda_no_recheck"),
          mutant("te.network.cuda_wrong_place"), mutant("te.network.cuda_limit_trusted")};
#else
  return {};
#endif
}

struct Task {
  Columns columns;
  Range range;
  Targets targets;
  std::int32_t k, length;      ///< of the lists
  std::int32_t first, points;  ///< whose lists there are
  std::uint32_t* found;
  Faults faults;
};

/// What a warp has of its own: lists of up to kRoom entries, rows and then distances, as in memory.
template <int kRoom>
struct alignas(16) Staged {
  std::uint32_t lists[2][2 * kRoom];
  std::uint32_t results[32][kPointsOfWarp + 1];
};

/// One point and one source of a lane, with the list that the warp shares.
struct Point {
  const std::uint32_t* rows;  ///< of the list
  const float* gaps;          ///< its distances, rising
  std::int32_t i;
  const double *y, *z;    ///< of the target
  const double* columns;  ///< the source by row
  std::int64_t stride;
  double scale;

  __device__ std::int32_t row(std::int32_t place) const {
    return static_cast<std::int32_t>(rows[place] & ~kAlongY);
  }
  __device__ double in_plane(std::int32_t place) const {
    const std::int32_t j = row(place);
    return larger(fabs(y[i] - __ldg(y + j)), fabs(z[i] - __ldg(z + j)));
  }
  __device__ double joint(std::int32_t place) const {
    return larger(fabs(columns[i * stride] - columns[row(place) * stride]), in_plane(place));
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

/// How a lane stands.
enum class State : std::uint8_t { open, decided, given_up };

/// What a lane knows of its search of one point within a limit.
template <int kCapacity>
struct Chosen {
  std::uint32_t keys[kCapacity + 1];  ///< one more than k: is the next one clear of the k-th?
  float passed;                       ///< how far in the plane what was passed over is at least
  float ahead;                        ///< and what later sections hold within the limit
};

/// Entries of a list, the first in the highest bit.
struct Bits {
  std::uint32_t first = 0, second = 0;
};

/// Which entries' distance along the source is below the limit, in the section that begins at `begin`;
/// `whole`: all of it was looked at, and what was not is beyond every lane's limit.
template <class Source>
__device__ Bits sift(const Point& point, std::int32_t begin, const Source& source, float own, float limit,
                     bool& whole) {
  const int widest = __reduce_max_sync(kWholeWarp, __float_as_int(limit));
  Bits all;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    std::uint32_t bits = 0;
    int p = 0;
#pragma unroll 1
    for (; p < 32; p += 16) {
      const std::int32_t first = begin + 32 * half + p;
      if (__float_as_int(point.gaps[first]) > widest) break;
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
    whole = p == 32;
    (half == 0 ? all.first : all.second) = p == 0 ? 0 : bits << (32 - p);
    if (!whole) break;
  }
  return all;
}

/// Takes one entry after the other out of the bits of a section.
struct Taker {
  std::uint32_t now, later;
  std::int32_t base;
  std::int32_t last;  ///< where the second word's entries begin
  __device__ Taker(Bits bits, std::int32_t begin)
      : now(bits.first), later(bits.second), base(begin), last(begin + 32) {
    turn();
  }
  __device__ bool empty() const { return now == 0; }
  /// Past its last entry a lane stays at the end of the section.
  __device__ std::int32_t place() const { return empty() ? last + 31 : base + __clz(static_cast<int>(now)); }
  __device__ void drop(std::int32_t place) {
    now &= ~(0x80000000u >> (place & 31));
    turn();
  }

 private:
  __device__ void turn() {
    if (now == 0 && base != last) {
      now = later;
      base = last;
    }
  }
};

/// n_yz where the list tells it: all that are nearer in the plane than the k-th neighbour, at `place` and
/// farthest along `along`. Distances are rounded; those close to it are looked at again in double.
__device__ inline std::uint32_t count_plane(const Point& point, std::int32_t length, std::int32_t place,
                                            std::uint32_t along, float distance, float margin) {
  const float below = distance - margin, above = distance + margin;
  std::int32_t low = 0;
  for (std::int32_t half = length / 2; half > 0; half /= 2)  // the first entry not below for certain
    if (point.gaps[low + half - 1] < below) low += half;
  low += point.gaps[low] < below;
  auto count = static_cast<std::uint32_t>(low);
  for (std::int32_t p = low; p < length && point.gaps[p] <= above; ++p) {
    if (p == place && (along == 1 || along == 2)) continue;  // it is the distance itself
    count += point.in_plane(p) < point.joint(place);
  }
  return count;
}

/// Goes through a section in float.
template <int kCapacity, int kRoom, class Source>
__device__ void choose(const Task& task, const Point& point, std::int32_t begin, const Source& source,
                       float own, Bits bits, bool whole, Chosen<kCapacity>& chosen) {
  constexpr std::uint32_t kPlaceMask = kRoom - 1;
  std::uint32_t(&keys)[kCapacity + 1] = chosen.keys;
  Taker taker(bits, begin);
  const auto key_of = [&](std::int32_t p, float gap) {
    const float d = fmaxf(fabsf(own - source[point.rows[p]]), gap);
    return taker.empty() ? kNoKey : (__float_as_uint(d) & ~kPlaceMask) | static_cast<std::uint32_t>(p);
  };
  float gap;
  while (true) {
    const std::int32_t p = taker.place();
    gap = point.gaps[p];
    const float reach = __uint_as_float(keys[kCapacity - 1] | kPlaceMask);
    if (!__any_sync(kWholeWarp, !taker.empty() && gap <= (task.faults.stops_early ? 0.5f * reach : reach)))
      break;
    const std::uint32_t one = key_of(p, gap);
    taker.drop(p);
    const std::int32_t q = taker.place();
    const std::uint32_t other = key_of(q, point.gaps[q]);
    taker.drop(q);
    insert(keys, one);
    insert(keys, other);
  }
  if (!taker.empty()) chosen.passed = fminf(chosen.passed, gap);
  chosen.ahead = whole ? point.gaps[begin + kSection - 1] : CUDART_INF_F;
}

/// What rounding may have moved a distance by, either way: 2^-24 of each coordinate, of their difference and
/// of the list's distance, and twice as much again.
__device__ inline float margin_of(float own, float most) {
  return 0x1p-21f * (fabsf(own) + most) + 0x1p-140f;
}

/// Searches the lists of a point in float. `word` holds what was found where the state is `decided`.
template <int kCapacity, int kRoom, class Source>
__device__ State search(const Task& task, const Point& point, const Source& source, float own, float limit,
                        std::uint32_t& word) {
  constexpr std::uint32_t kPlaceMask = kRoom - 1;
  Chosen<kCapacity> chosen;
  std::uint32_t(&keys)[kCapacity + 1] = chosen.keys;
#pragma unroll
  for (int j = 0; j <= kCapacity; ++j) keys[j] = j < kCapacity - task.k ? 0u : kNoKey;
  chosen.passed = CUDART_INF_F;
  float most, margin;
#pragma unroll 1
  for (std::int32_t begin = 0;; begin += kSection) {
    bool whole;
    const Bits bits = sift(point, begin, source, own, limit, whole);
    choose<kCapacity, kRoom>(task, point, begin, source, own, bits, whole, chosen);
    most = __uint_as_float(keys[kCapacity - 1] | kPlaceMask);
    margin = margin_of(own, most);
    // Another section, where what is ahead may be nearer than a lane's k-th.
    if (begin + kSection >= task.length ||
        !__any_sync(kWholeWarp, chosen.ahead < limit && !(chosen.ahead - most > margin)))
      break;
  }
  const float bound = task.faults.stops_early ? CUDART_INF_F : fminf(chosen.passed, chosen.ahead);
  const std::uint32_t last = keys[kCapacity - 1];
  if (!task.faults.limit_trusted && !(limit - most > margin))
    return chosen.ahead < limit ? State::given_up : State::open;
  if (last >= 0x7F000000u || !(bound - most > margin)) return State::given_up;
  const bool clear = __uint_as_float(keys[kCapacity] & ~kPlaceMask) - most > margin;
  if (!clear && !task.faults.no_recheck) return State::given_up;
  // The k nearest are these for certain; where float does not know which of them is the farthest, double
  // says.
  auto place = static_cast<std::int32_t>(last & kPlaceMask);
  double farthest = -1;
#pragma unroll
  for (int j = kCapacity - 2; j >= 0; --j) {
    if (j < kCapacity - task.k) break;
    if (__uint_as_float(last & ~kPlaceMask) - __uint_as_float(keys[j] | kPlaceMask) > margin) break;
    if (farthest < 0) farthest = point.joint(place);
    const auto other = static_cast<std::int32_t>(keys[j] & kPlaceMask);
    const double d = point.joint(other);
    if (d > farthest) {
      farthest = d;
      place = other;
    }
  }
  if (task.faults.wrong_place) place /= 2;
  const std::uint32_t row = point.rows[place];
  const float gap = point.gaps[place], dx = fabsf(own - source[row]);
  const std::uint32_t along = dx - gap > margin   ? 0u
                              : gap - dx > margin ? (row & kAlongY ? 1u : 2u)
                                                  : kAlongAny;
  word = found_word(row & ~kAlongY, along,
                    count_plane(point, task.length, place, along, fmaxf(dx, gap), margin));
  return State::decided;
}

/// The same in double, for tied data.
template <int kCapacity, class Source>
__device__ State search_tied(const Task& task, const Point& point, const Source& source, float own,
                             float limit, std::uint32_t& word) {
  double values[kCapacity];
  std::uint32_t places[kCapacity];
#pragma unroll
  for (int j = 0; j < kCapacity; ++j) {
    values[j] = j < kCapacity - task.k ? -1.0 : CUDART_INF;
    places[j] = 0;
  }
  double bound;
#pragma unroll 1
  for (std::int32_t begin = 0;; begin += kSection) {
    bool whole;
    Taker taker(sift(point, begin, source, own, limit, whole), begin);
    while (true) {
      const std::int32_t p = taker.place();
      bound = static_cast<double>(point.gaps[p] * (1.0f - 0x1p-22f));
      // an infinite distance stands for no neighbour
      const bool live =
          !taker.empty() && bound < CUDART_INF && !(bound > values[kCapacity - 1] * point.scale);
      if (!__any_sync(kWholeWarp, live)) break;
      if (!live) continue;
      taker.drop(p);
      const double d = point.joint(p);
#pragma unroll
      for (int j = kCapacity - 1; j > 0; --j) {
        const bool moves = d < values[j - 1], enters = d < values[j];
        values[j] = moves ? values[j - 1] : enters ? d : values[j];
        places[j] = moves ? places[j - 1] : enters ? static_cast<std::uint32_t>(p) : places[j];
      }
      if (d < values[0]) {
        values[0] = d;
        places[0] = static_cast<std::uint32_t>(p);
      }
    }
    if (taker.empty() && !whole) bound = CUDART_INF;
    if (begin + kSection >= task.length ||
        !__any_sync(kWholeWarp, bound < limit && !(bound > values[kCapacity - 1] * point.scale)))
      break;
  }
  const double most = values[kCapacity - 1] * point.scale;
  const double margin = 0x1p-20 * (fabs(static_cast<double>(own)) + most) + 0x1p-140;
  if (!(limit - most > margin)) return bound < limit ? State::given_up : State::open;
  if (!(bound > most)) return State::given_up;
  word = found_word(static_cast<std::uint32_t>(point.row(static_cast<std::int32_t>(places[kCapacity - 1]))),
                    kAlongAny, kUnknownCount);
  return State::decided;
}

/// blockIdx.x is a part of the points of all targets, eight at a time; blockIdx.y the 32 columns. kTile: the
/// sources are in shared memory.
template <int kCapacity, int kRoom, int kWarps, bool kTile>
__global__ void __launch_bounds__(32 * kWarps, kWarps <= 16 ? 2 : 1) walk(Task task) {
  extern __shared__ __align__(16) unsigned char shared[];
  const std::int32_t n = task.columns.n;
  const auto warp = static_cast<std::int32_t>(threadIdx.x / 32),
             lane = static_cast<std::int32_t>(threadIdx.x % 32);
  Staged<kRoom>& staged = reinterpret_cast<Staged<kRoom>*>(shared)[warp];
  const std::int64_t padded = task.columns.padded;
  const std::int64_t within = std::int64_t{blockIdx.y} * 32 + lane;  // of the range
  const bool there = within < task.range.some;
  const std::int64_t column = task.range.first + within;
  const float* guesses = task.columns.guess_by_row + column;
  float* tile = reinterpret_cast<float*>(shared + kWarps * sizeof(Staged<kRoom>));
  if constexpr (kTile) {
    for (std::int32_t j = warp; j < n; j += kWarps) tile[j * 32 + lane] = guesses[j * padded];
    __syncthreads();
  }
  const auto source = [&] {
    if constexpr (kTile)
      return Tile(tile + lane);
    else
      return Column{guesses, padded};
  }();
  const double scale = *task.columns.scale;
  const bool tied_column = there && task.columns.tied != nullptr && task.columns.tied[column] != 0;
  const bool any_tied_column = __any_sync(kWholeWarp, tied_column);

  const std::int64_t groups = (task.points + kPointsOfWarp - 1) / kPointsOfWarp;
  const std::int64_t all = task.targets.count * groups, step = std::int64_t{gridDim.x} * kWarps;
  std::int64_t group = std::int64_t{blockIdx.x} * kWarps + warp;
  if (group >= all) return;
  const auto first_of = [&](std::int64_t g) {
    return task.first + static_cast<std::int32_t>(g % groups) * kPointsOfWarp;
  };
  // The next point's list and spread are on their way while this one is worked on.
  int buffer = 0;
  const auto fetch = [&](std::int64_t target, std::int32_t i) {
    const std::uint32_t* list = task.targets.lists + (target * task.points + i - task.first) * 2 * kRoom;
#pragma unroll
    for (int part = 0; part < 2 * kRoom; part += 128)  // rows, then distances
      if (kRoom > 128 || 4 * lane < task.length)
        __pipeline_memcpy_async(&staged.lists[buffer][part + 4 * lane], list + part + 4 * lane, 16);
    __pipeline_commit();
    return there ? __ldg(task.columns.spread_by_row + i * padded + column) : -1.0f;
  };
  float next_spread = fetch(group / groups, first_of(group));
  for (; group < all; group += step) {
    const std::int64_t target = group / groups;
    const std::int32_t first = first_of(group), end = min(first + kPointsOfWarp, task.first + task.points);
    Point point{nullptr,
                nullptr,
                0,
                task.targets.y + target * n,
                task.targets.z + target * n,
                task.columns.by_row + column,
                padded,
                scale};
    const bool tied = any_tied_column || (task.targets.tied != nullptr && task.targets.tied[target] != 0);
    for (std::int32_t i = first; i < end; ++i) {
      __pipeline_wait_prior(0);
      __syncwarp();
      const float spread = next_spread;
      point.rows = staged.lists[buffer];
      point.gaps = reinterpret_cast<const float*>(point.rows + kRoom);
      point.i = i;
      buffer ^= 1;
      if (i + 1 < end)
        next_spread = fetch(target, i + 1);
      else if (group + step < all)
        next_spread = fetch((group + step) / groups, first_of(group + step));
      const float own = source[static_cast<std::uint32_t>(i)];
      float limit = spread < 0 ? -1.0f : spread * __ldg(task.targets.reach + target * n + i);
      if constexpr (kRoom > kListLength) {
        // Where the list would have to reach twice as far it is of no use; else the limit need not be beyond
        // it.
        const float last = point.gaps[kRoom - 1];
        limit = limit > 2 * last ? -1.0f : fminf(limit, 1.0001f * last);
      }
      State state = limit < 0 ? State::given_up : State::open;
      std::uint32_t word = kUnresolved;
      for (int attempt = 0; attempt < 3 && __any_sync(kWholeWarp, state == State::open); ++attempt) {
        if (state != State::open) limit = -1.0f;
        const State after = tied ? search_tied<kCapacity>(task, point, source, own, limit, word)
                                 : search<kCapacity, kRoom>(task, point, source, own, limit, word);
        if (state == State::open) state = after;
        // then once more, as far as the list reaches
        limit = attempt == 0 ? 1.75f * limit
                             : fmaxf(limit, 1.0001f * fminf(point.gaps[task.length - 1], 0x1p100f));
      }
      staged.results[lane][i - first] = word;
      __syncwarp();  // before the other buffer is filled again
    }
    // eight points of a column side by side: whole sectors of memory
    std::uint32_t* found = task.found + (target * task.range.some + std::int64_t{blockIdx.y} * 32) * n;
    for (std::int32_t item = lane; item < 32 * kPointsOfWarp; item += 32) {
      const std::int32_t of = item / kPointsOfWarp, place = item % kPointsOfWarp;
      if (std::int64_t{blockIdx.y} * 32 + of < task.range.some && first + place < end)
        found[std::int64_t{of} * n + first + place] = staged.results[of][place];
    }
    __syncwarp();
  }
}

}  // namespace walking

}  // namespace assay::kernels::lists
