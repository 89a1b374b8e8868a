#pragma once

// The k-th neighbour of every point of every pair along its target's lists. A block keeps 32 sources in
// shared memory, a warp takes a point with all of them, a lane a source.
//
//   sift      every entry of a section of the list whose distance along the source is below a limit
//             sets a bit: three instructions an entry. The limit is a guess from how dense the points lie
//             there; from the second section on it is the k-th best so far, where that is less.
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
#include "kernels/lists/sift.cuh"

namespace assay::kernels::lists {

namespace walking {

inline constexpr int kPointsOfWarp = 8;
inline constexpr std::uint32_t kNoKey = 0x7F7FFFFFu;  // the largest float

struct Faults {
#ifdef ASSAY_MUTANTS
  bool stops_early, no_recheck, wrong_place, limit_trusted, limit_falls_too_far;
#else
  static constexpr bool stops_early = false, no_recheck = false, wrong_place = false, limit_trusted = false,
                        limit_falls_too_far = false;
#endif
};

inline Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.network.cuda_walk_stops_early"), mutant("te.network.cuda_no_recheck"),
          mutant("te.network.cuda_wrong_place"), mutant("te.network.cuda_limit_trusted"),
          mutant("te.network.cuda_limit_falls_too_far")};
#else
  return {};
#endif
}

struct Task {
  Columns columns;
  Range range;
  Targets targets;
  std::int32_t k;
  std::int32_t first, points;  ///< whose lists there are
  std::uint32_t* found;
  Faults faults;
};

/// Of the points of one target.
__host__ __device__ inline std::int32_t groups_of(const Task& task) {
  return (task.points + kPointsOfWarp - 1) / kPointsOfWarp;
}

inline constexpr int kPadding = 4;  ///< as much as is copied at a time
/// What a warp has of its own: lists of up to kRoom entries, rows and then distances. A place one past a list
/// may be read: it holds row 0.
template <int kRoom>
struct alignas(16) Staged {
  static constexpr int kPitch = kRoom + kPadding;
  std::uint32_t lists[2][2 * kPitch];
  std::uint32_t results[32][kPointsOfWarp + 1];
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

/// n_yz where the list tells it: all that are nearer in the plane than the k-th neighbour, at `place` and
/// farthest along `along`. Distances are rounded; those close to it are looked at again in double.
template <int kRoom>
__device__ std::uint32_t count_plane(const Point& point, std::int32_t place, std::uint32_t along,
                                     float distance, float margin) {
  const float below = distance - margin, above = distance + margin;
  std::int32_t low = 0;
#pragma unroll
  for (int half = kRoom / 2; half > 0; half /= 2)  // the first entry not below for certain
    if (point.gaps[low + half - 1] < below) low += half;
  low += point.gaps[low] < below;
  auto count = static_cast<std::uint32_t>(low);
  for (std::int32_t p = low; p < kRoom && point.gaps[p] <= above; ++p) {
    if (p == place && (along == 1 || along == 2)) continue;  // it is the distance itself
    count += point.in_plane(p) < point.joint(place);
  }
  return count;
}

/// Goes through the bits of a section in float, two entries at a time.
template <int kCapacity, int kRoom, class Source>
__device__ void choose(const Task& task, const Point& point, std::int32_t begin, const Source& source,
                       float own, std::uint32_t bits, bool whole, Chosen<kCapacity>& chosen) {
  constexpr std::uint32_t kPlaceMask = kRoom - 1;
  std::uint32_t(&keys)[kCapacity + 1] = chosen.keys;
  const auto key_of = [&](std::int32_t p, float gap) {
    const float d = fmaxf(fabsf(own - source[point.rows[p]]), gap);
    return bits == 0 ? kNoKey : (__float_as_uint(d) & ~kPlaceMask) | static_cast<std::uint32_t>(p);
  };
  float gap;
  while (true) {
    const std::int32_t p = first_place(bits, begin);
    gap = point.gaps[p];
    const float reach = __uint_as_float(keys[kCapacity - 1] | kPlaceMask);
    if (!__any_sync(kWholeWarp, bits != 0 && gap <= (task.faults.stops_early ? 0.5f * reach : reach))) break;
    const std::uint32_t one = key_of(p, gap);
    bits = after_place(bits, p);
    const std::int32_t q = first_place(bits, begin);
    const std::uint32_t other = key_of(q, point.gaps[q]);
    bits = after_place(bits, q);
    insert_two(keys, one, other);
  }
  if (bits != 0) chosen.passed = fminf(chosen.passed, gap);
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
  float most, margin, nearer = limit;
#pragma unroll 1
  for (std::int32_t begin = 0;; begin += kSection) {
    bool whole;
    const std::uint32_t bits = sift(point, begin, source, own, nearer, whole);
    choose<kCapacity, kRoom>(task, point, begin, source, own, bits, whole, chosen);
    most = __uint_as_float(keys[kCapacity - 1] | kPlaceMask);
    margin = margin_of(own, most);
    // What is farther than the k-th best by more than rounding is of no use, neither as the k-th nor to say
    // whether it is clear of the next one.
    nearer = fminf(nearer, task.faults.limit_falls_too_far ? 0.5f * most : most + 3 * margin);
    if (begin + kSection >= kRoom || !__any_sync(kWholeWarp, chosen.ahead < nearer)) break;
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
  word = found_word(row & ~kAlongY, along, count_plane<kRoom>(point, place, along, fmaxf(dx, gap), margin));
  return State::decided;
}

/// The same in double, for tied data.
template <int kCapacity, int kRoom, class Source>
__device__ State search_tied(const Task& task, const Point& point, const Source& source, float own,
                             float limit, std::uint32_t& word) {
  double values[kCapacity];
  std::uint32_t places[kCapacity];
#pragma unroll
  for (int j = 0; j < kCapacity; ++j) {
    values[j] = j < kCapacity - task.k ? -1.0 : CUDART_INF;
    places[j] = 0;
  }
  double bound, most, margin;
  float nearer = limit;
#pragma unroll 1
  for (std::int32_t begin = 0;; begin += kSection) {
    bool whole;
    std::uint32_t bits = sift(point, begin, source, own, nearer, whole);
    while (true) {
      const std::int32_t p = bits != 0 ? first_place(bits, begin) : begin + kSection - 1;
      bound = static_cast<double>(point.gaps[p] * (1.0f - 0x1p-22f));
      // an infinite distance stands for no neighbour
      const bool live = bits != 0 && bound < CUDART_INF && !(bound > values[kCapacity - 1] * point.scale);
      if (!__any_sync(kWholeWarp, live)) break;
      if (!live) continue;
      bits = after_place(bits, p);
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
    if (bits == 0 && !whole) bound = CUDART_INF;
    most = values[kCapacity - 1] * point.scale;
    margin = 0x1p-20 * (fabs(static_cast<double>(own)) + most) + 0x1p-140;
    nearer = fminf(nearer, static_cast<float>(most + 3 * margin));
    if (begin + kSection >= kRoom || !__any_sync(kWholeWarp, bound < nearer && !(bound > most))) break;
  }
  if (!(limit - most > margin)) return bound < limit ? State::given_up : State::open;
  if (!(bound > most)) return State::given_up;
  word = found_word(static_cast<std::uint32_t>(point.row(static_cast<std::int32_t>(places[kCapacity - 1]))),
                    kAlongAny, kUnknownCount);
  return State::decided;
}

/// A warp's groups of eight points, of all targets one after the other: `group` and every `step` from there
/// on below `last`. `block` is the 32 columns.
template <int kCapacity, int kRoom, class Source>
__device__ void walk_groups(const Task& task, Staged<kRoom>& staged, const Source& source, std::int32_t block,
                            std::int32_t group, std::int32_t step, std::int32_t last) {
  if (group >= last) return;
  const std::int32_t n = task.columns.n;
  const auto lane = static_cast<std::int32_t>(threadIdx.x % 32);
  const std::int64_t padded = task.columns.padded, within = std::int64_t{block} * 32 + lane;  // of the range
  const bool there = within < task.range.some;
  const std::int64_t column = task.range.first + within;
  const double scale = *task.columns.scale;
  const bool tied_column = there && task.columns.tied != nullptr && task.columns.tied[column] != 0;
  const bool any_tied_column = __any_sync(kWholeWarp, tied_column);
  const std::int32_t groups = groups_of(task);
  const auto first_of = [&](std::int32_t g) { return task.first + g % groups * kPointsOfWarp; };
  // The next point's list, spread and reach are on their way while this one is worked on.
  struct {
    const std::uint32_t* list;
    const float *spread, *reach;
  } next;
  const auto aim = [&](std::int32_t g) {
    const std::int64_t target = g / groups;
    const std::int32_t i = first_of(g);
    next = {task.targets.lists + (target * task.points + i - task.first) * 2 * kRoom + 4 * lane,
            task.columns.spread_by_row + i * padded + column, task.targets.reach + target * n + i};
  };
  int buffer = 0;
  float next_spread, next_reach;
  const auto fetch = [&] {
#pragma unroll
    for (int part = 0; part < 2 * kRoom; part += 128) {  // rows, then distances
      const std::int32_t at = part + 4 * lane;
      __pipeline_memcpy_async(&staged.lists[buffer][at < kRoom ? at : at + kPadding], next.list + part, 16);
    }
    __pipeline_commit();
    next_spread = there ? __ldg(next.spread) : -1.0f;
    next_reach = __ldg(next.reach);
    next.list += 2 * kRoom;
    next.spread += padded;
    ++next.reach;
  };
  aim(group);
  fetch();
  for (; group < last; group += step) {
    const std::int64_t target = group / groups;
    const std::int32_t first = first_of(group), end = min(first + kPointsOfWarp, task.first + task.points);
    const double *y = task.targets.y + target * n, *z = task.targets.z + target * n,
                 *x = task.columns.by_row + column;
    Point point{nullptr, nullptr, x + first * padded, y + first, z + first, y, z, x, padded, scale};
    const bool tied = any_tied_column || (task.targets.tied != nullptr && task.targets.tied[target] != 0);
    for (std::int32_t i = first; i < end; ++i) {
      __pipeline_wait_prior(0);
      __syncwarp();
      float limit = next_spread < 0 ? -1.0f : next_spread * next_reach;
      point.rows = staged.lists[buffer];
      point.gaps = reinterpret_cast<const float*>(point.rows + Staged<kRoom>::kPitch);
      buffer ^= 1;
      if (i + 1 == end && group + step < last) aim(group + step);
      if (i + 1 < end || group + step < last) fetch();
      const float own = source[static_cast<std::uint32_t>(i)];
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
        const State after = tied ? search_tied<kCapacity, kRoom>(task, point, source, own, limit, word)
                                 : search<kCapacity, kRoom>(task, point, source, own, limit, word);
        if (state == State::open) state = after;
        // then once more, as far as the list reaches
        limit = attempt == 0 ? 1.75f * limit : fmaxf(limit, 1.0001f * fminf(point.gaps[kRoom - 1], 0x1p100f));
      }
      staged.results[lane][i - first] = word;
      point.advance();
      __syncwarp();  // before the other buffer is filled again
    }
    // eight points of a column side by side: whole sectors of memory
    std::uint32_t* found = task.found + (target * task.range.some + std::int64_t{block} * 32) * n;
    for (std::int32_t item = lane; item < 32 * kPointsOfWarp; item += 32) {
      const std::int32_t of = item / kPointsOfWarp, place = item % kPointsOfWarp;
      if (std::int64_t{block} * 32 + of < task.range.some && first + place < end)
        found[std::int64_t{of} * n + first + place] = staged.results[of][place];
    }
    __syncwarp();
  }
}

/// kTile: the sources are in shared memory, and the groups of all columns are cut into as many pieces as
/// there are blocks, so that a block has sources of two columns' blocks now and then. Otherwise all blocks of
/// blockIdx.y go through its groups together: what is near in the plane then is near in memory.
template <int kCapacity, int kRoom, int kWarps, bool kTile>
__global__ void __launch_bounds__(32 * kWarps, kWarps <= 16 ? 2 : 1) walk(Task task) {
  extern __shared__ __align__(16) unsigned char shared[];
  const auto warp = static_cast<std::int32_t>(threadIdx.x / 32),
             lane = static_cast<std::int32_t>(threadIdx.x % 32);
  Staged<kRoom>& staged = reinterpret_cast<Staged<kRoom>*>(shared)[warp];
  for (std::uint32_t* word = staged.lists[0] + lane; word < staged.lists[2]; word += 32) *word = 0;
  __syncwarp();
  const float* guesses = task.columns.guess_by_row + task.range.first + lane;
  const auto all = static_cast<std::int32_t>(task.targets.count) * groups_of(task);
  if constexpr (kTile) {
    float* tile = reinterpret_cast<float*>(shared + kWarps * sizeof(Staged<kRoom>));
    const std::int64_t total = all * ((task.range.some + 31) / 32);
    const auto end = static_cast<std::int32_t>(total * (blockIdx.x + 1) / gridDim.x);
    auto begin = static_cast<std::int32_t>(total * blockIdx.x / gridDim.x);
    while (begin < end) {
      const std::int32_t block = begin / all, before = block * all, stop = min(end, before + all);
      __syncthreads();  // none needs the sources before these
      for (std::int32_t j = warp; j < task.columns.n; j += kWarps)
        tile[j * 32 + lane] = guesses[j * task.columns.padded + 32 * block];
      __syncthreads();
      walk_groups<kCapacity>(task, staged, Tile(tile + lane), block, begin - before + warp, kWarps,
                             stop - before);
      begin = stop;
    }
  } else {
    const auto block = static_cast<std::int32_t>(blockIdx.y);
    walk_groups<kCapacity>(task, staged, Column{guesses + 32 * block, task.columns.padded}, block,
                           static_cast<std::int32_t>(blockIdx.x) * kWarps + warp,
                           static_cast<std::int32_t>(gridDim.x) * kWarps, all);
  }
}

}  // namespace walking

}  // namespace assay::kernels::lists
