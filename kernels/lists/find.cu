// The k-th neighbour of every point of every pair, where y, z and the source are one column each.
//
//   walk_lists      a warp takes 32 sources at one point. All of them walk the point's list of neighbours in
//   the plane
//                   (y, z), which bounds the joint distance from below, and stop when it exceeds every lane's
//                   k-th best. Distances are float and carry the place in the list in their last bits. What
//                   float cannot order for certain stays unresolved; so does a lane whose list ends too
//                   early. Tied data walk in double.
//   walk_sources    what is left, and the points in the tails of a source, which have many neighbours in the
//   plane and
//                   few along the source: lanes are neighbouring ranks and walk outwards along the source.
//
// A point's radius is the distance to its k-th neighbour in double, which the counts compute again from its
// row.
#include <math_constants.h>
#include <vector_types.h>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/lists/lists.hpp"

namespace assay::kernels::lists {

namespace {

constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kPointsOfWarp = 8;
constexpr int kSourceThreads = 128;
constexpr std::uint32_t kPlaceBits = 6;
constexpr std::uint32_t kPlaceMask = (1u << kPlaceBits) - 1u;
static_assert(kListLength <= 1 << kPlaceBits);

struct Faults {
#ifdef ASSAY_MUTANTS
  bool stops_early, no_recheck, wrong_place, nearest_left_out;
#else
  static constexpr bool stops_early = false, no_recheck = false, wrong_place = false,
                        nearest_left_out = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.network.cuda_walk_stops_early"), mutant("te.network.cuda_no_recheck"),
          mutant("te.network.cuda_wrong_place"), mutant("te.network.cuda_nearest_left_out")};
#else
  return {};
#endif
}

struct Task {
  Columns columns;
  Range range;
  Targets targets;
  spatial::ExclusionView exclusion;
  std::int32_t k;
  std::int32_t tail;  ///< ranks at either end that walk_sources takes
  std::uint32_t* found;
  Faults faults;

  __device__ std::uint32_t* found_of(std::int64_t target, std::int64_t column) const {
    return found + (target * range.some + column) * columns.n;
  }
};

__device__ double larger(double a, double b) {
  return a > b ? a : b;
}

/// Rows nearer than eps in the plane; the list holds all of them. Its distances are rounded, so those close
/// to eps are looked at again in double.
__device__ std::uint32_t count_plane(const uint2* list, const double* y, const double* z, std::int32_t i,
                                     double eps, float eps_guess) {
  if (!(eps_guess < 0x1p126f)) return kUnknownCount;
  const float below = eps_guess * (1.0f - 0x1p-20f), above = eps_guess * (1.0f + 0x1p-20f);
  std::int32_t low = 0, high = kListLength;
  while (low < high) {  // the first entry that is not below for certain
    const std::int32_t middle = (low + high) / 2;
    if (__uint_as_float(__ldg(&list[middle].y)) < below)
      low = middle + 1;
    else
      high = middle;
  }
  std::uint32_t count = static_cast<std::uint32_t>(low);
  for (std::int32_t p = low; p < kListLength; ++p) {
    const uint2 entry = __ldg(list + p);
    if (__uint_as_float(entry.y) > above) break;
    if (__uint_as_float(entry.y) == CUDART_INF_F) break;
    count += larger(fabs(y[i] - y[entry.x]), fabs(z[i] - z[entry.x])) < eps;
  }
  return count;
}

/// kCapacity smallest keys, rising. A key is the bits of a distance, the last of them replaced by a place.
template <int kCapacity>
__device__ void insert(std::uint32_t (&keys)[kCapacity], std::uint32_t key) {
#pragma unroll
  for (int j = kCapacity - 1; j > 0; --j) keys[j] = min(keys[j], max(keys[j - 1], key));
  keys[0] = min(keys[0], key);
}

/// One point with 32 sources, in float. kUnresolved where float does not know.
template <int kCapacity>
__device__ std::uint32_t walk_float(const Task& task, const uint2* list, const double* y, const double* z,
                                    std::int32_t i, std::int64_t column, bool active, double scale) {
  const float* guesses = task.columns.guess_by_row + column;
  const std::int64_t stride = task.columns.padded;
  const float own = __ldg(guesses + i * stride);
  std::uint32_t keys[kCapacity + 1];  // one more than k: is the next one clear of the k-th?
#pragma unroll
  for (int j = 0; j <= kCapacity; ++j) keys[j] = j < kCapacity - task.k ? 0u : 0x7F7FFFFFu;
  std::int32_t p = 0;
  float next = 0;
  constexpr int kStep = 4;
  for (; p < kListLength; p += kStep) {
    uint2 entries[kStep];
#pragma unroll
    for (int u = 0; u < kStep; u += 2) {
      const uint4 two = __ldg(reinterpret_cast<const uint4*>(list + p + u));
      entries[u] = make_uint2(two.x, two.y);
      entries[u + 1] = make_uint2(two.z, two.w);
    }
    next = __uint_as_float(entries[0].y);
    const float reach = __uint_as_float(keys[kCapacity - 1] | kPlaceMask);
    if (!__any_sync(kWholeWarp, active && next <= (task.faults.stops_early ? 0.5f * reach : reach))) break;
    float there[kStep];
#pragma unroll
    for (int u = 0; u < kStep; ++u)
      there[u] = __ldg(guesses + static_cast<std::int32_t>(entries[u].x) * stride);
#pragma unroll
    for (int u = 0; u < kStep; ++u) {
      const float d = fmaxf(fabsf(own - there[u]), __uint_as_float(entries[u].y));
      insert(keys, (__float_as_uint(d) & ~kPlaceMask) | static_cast<std::uint32_t>(p + u));
    }
  }
  if (!active) return kUnresolved;
  if (p >= kListLength) next = __uint_as_float(__ldg(&list[kListLength - 1].y));
  const std::uint32_t last = keys[kCapacity - 1];
  const float most = __uint_as_float(last | kPlaceMask);
  // What rounding may have moved a distance by, either way: 2^-24 of each coordinate, of their difference and
  // of the list's distance, and twice as much again.
  const float margin = 0x1p-21f * (fabsf(own) + most) + 0x1p-140f;
  const bool whole = last < 0x7F000000u;  // k distances that float can hold
  const bool closed = whole && (task.faults.stops_early ? next > 0.5f * most : next - most > margin);
  const bool clear = __uint_as_float(keys[kCapacity] & ~kPlaceMask) - most > margin;
  if (!whole || !closed || !(clear || task.faults.no_recheck)) return kUnresolved;
  // The k nearest are these for certain; which of them is the farthest, double says.
  const double* columns = task.columns.by_row + column;
  const double own_x = columns[i * stride];
  double eps = -1;
  std::uint32_t row = 0;
#pragma unroll
  for (int j = kCapacity - 1; j >= 0; --j) {
    if (j < kCapacity - task.k) break;
    if (__uint_as_float(last & ~kPlaceMask) - __uint_as_float(keys[j] | kPlaceMask) > margin) break;
    const std::uint32_t candidate =
        list[task.faults.wrong_place ? (keys[j] & kPlaceMask) / 2 : keys[j] & kPlaceMask].x;
    const double d = larger(fabs(own_x - columns[candidate * stride]),
                            larger(fabs(y[i] - y[candidate]), fabs(z[i] - z[candidate])));
    if (d > eps) {
      eps = d;
      row = candidate;
    }
  }
  const auto guess = static_cast<float>(eps * scale);
  return row | count_plane(list, y, z, i, eps, guess) << 16;
}

/// The same in double, for tied data.
template <int kCapacity>
__device__ std::uint32_t walk_double(const Task& task, const uint2* list, const double* y, const double* z,
                                     std::int32_t i, std::int64_t column, bool active, double scale) {
  const double* columns = task.columns.by_row + column;
  const std::int64_t stride = task.columns.padded;
  const double own = columns[i * stride], own_y = y[i], own_z = z[i];
  double values[kCapacity];
  std::uint32_t rows[kCapacity];
#pragma unroll
  for (int j = 0; j < kCapacity; ++j) {
    values[j] = j < kCapacity - task.k ? -1.0 : CUDART_INF;
    rows[j] = 0;
  }
  bool closed = false;
  for (std::int32_t p = 0; p < kListLength; ++p) {
    const uint2 entry = __ldg(list + p);
    const float shortest = __uint_as_float(entry.y) * (1.0f - 0x1p-22f);
    closed = static_cast<double>(shortest) > values[kCapacity - 1] * scale;
    if (!__any_sync(kWholeWarp, active && !closed)) break;
    if (__uint_as_float(entry.y) == CUDART_INF_F) continue;
    const double d = larger(fabs(own - columns[entry.x * stride]),
                            larger(fabs(own_y - __ldg(y + entry.x)), fabs(own_z - __ldg(z + entry.x))));
    if (!(d < values[kCapacity - 1])) continue;
#pragma unroll
    for (int j = kCapacity - 1; j > 0; --j) {
      const bool moves = d < values[j - 1], enters = d < values[j];
      values[j] = moves ? values[j - 1] : enters ? d : values[j];
      rows[j] = moves ? rows[j - 1] : enters ? entry.x : rows[j];
    }
    if (d < values[0]) {
      values[0] = d;
      rows[0] = entry.x;
    }
  }
  const double eps = values[kCapacity - 1];
  const float farthest = __uint_as_float(__ldg(&list[kListLength - 1].y)) * (1.0f - 0x1p-22f);
  closed = closed || static_cast<double>(farthest) > eps * scale;
  if (!active || !closed || eps == CUDART_INF) return kUnresolved;
  const auto guess = static_cast<float>(eps * scale);
  return rows[kCapacity - 1] | count_plane(list, y, z, i, eps, guess) << 16;
}

/// Warps of a block stand side by side along the points; blockIdx.y is the target, blockIdx.z the 32 columns.
template <int kCapacity>
__global__ void __launch_bounds__(kThreads) walk_lists(Task task) {
  __shared__ std::uint32_t results[kWarps][32][kPointsOfWarp + 1];
  const std::int32_t n = task.columns.n;
  const auto warp = static_cast<std::int32_t>(threadIdx.x / 32),
             lane = static_cast<std::int32_t>(threadIdx.x % 32);
  const std::int32_t first = (static_cast<std::int32_t>(blockIdx.x) * kWarps + warp) * kPointsOfWarp;
  if (first >= n) return;
  const std::int64_t target = blockIdx.y;
  const std::int64_t within = std::int64_t{blockIdx.z} * 32 + lane;  // of the range
  const bool there = within < task.range.some;
  const std::int64_t column = task.range.first + within;
  const double* y = task.targets.y + target * n;
  const double* z = task.targets.z + target * n;
  const double scale = *task.columns.scale;
  const bool tied =
      task.targets.tied[target] != 0 || __any_sync(kWholeWarp, there && task.columns.tied[column] != 0);
  const std::uint16_t* ranks = task.columns.ranks + (there ? column : task.range.first) * n;
  const std::int32_t end = min(first + kPointsOfWarp, n);
  for (std::int32_t i = first; i < end; ++i) {
    const std::int32_t rank = ranks[i];
    const bool active = there && rank >= task.tail && rank < n - task.tail;
    const uint2* list = task.targets.lists + (target * n + i) * kListLength;
    results[warp][lane][i - first] = tied ? walk_double<kCapacity>(task, list, y, z, i, column, active, scale)
                                          : walk_float<kCapacity>(task, list, y, z, i, column, active, scale);
  }
  __syncwarp();
  // eight points of a column side by side: whole sectors of memory
  for (std::int32_t item = lane; item < 32 * kPointsOfWarp; item += 32) {
    const std::int32_t of = item / kPointsOfWarp, place = item % kPointsOfWarp;
    const std::int64_t to = std::int64_t{blockIdx.z} * 32 + of;
    if (to < task.range.some && first + place < n)
      task.found_of(target, to)[first + place] = results[warp][of][place];
  }
}

/// kCapacity smallest distances with their rows.
template <int kCapacity>
struct Nearest {
  double values[kCapacity];
  std::uint32_t rows[kCapacity];

  __device__ explicit Nearest(std::int32_t k) {
#pragma unroll
    for (int j = 0; j < kCapacity; ++j) {
      values[j] = j < kCapacity - k ? -1.0 : CUDART_INF;
      rows[j] = 0;
    }
  }
  __device__ double largest() const {
    return values[kCapacity - 1];
  }
  __device__ void offer(double d, std::uint32_t row) {
    if (!(d < values[kCapacity - 1])) return;
#pragma unroll
    for (int j = kCapacity - 1; j > 0; --j) {
      const bool moves = d < values[j - 1], enters = d < values[j];
      values[j] = moves ? values[j - 1] : enters ? d : values[j];
      rows[j] = moves ? rows[j - 1] : enters ? row : rows[j];
    }
    if (d < values[0]) {
      values[0] = d;
      rows[0] = row;
    }
  }
};

/// The row of the k-th neighbour of the point at a rank, in double.
template <int kCapacity>
__device__ std::uint32_t walk_source_double(const Task& task, const double* sorted, const std::uint16_t* rows,
                                            const double* y, const double* z, std::int32_t rank) {
  const std::int32_t n = task.columns.n, i = rows[rank];
  const double own = sorted[rank], own_y = y[i], own_z = z[i];
  std::int32_t excluded_begin = 0, excluded_end = 0;
  task.exclusion.of(i, excluded_begin, excluded_end);
  Nearest<kCapacity> nearest(task.k);
  const auto offer = [&](std::int32_t r, double dx) {
    const std::int32_t j = rows[r];
    if (j >= excluded_begin && j < excluded_end) return;
    nearest.offer(larger(dx, larger(fabs(own_y - y[j]), fabs(own_z - z[j]))), static_cast<std::uint32_t>(j));
  };
  bool lower = rank > 0, upper = rank + 1 < n;
  for (std::int32_t step = 1; lower || upper; ++step) {
    if (lower) {
      lower = rank - step >= 0;
      if (lower) {
        const double dx = own - sorted[rank - step];
        lower = dx < nearest.largest();
        if (lower) offer(rank - step, dx);
      }
    }
    if (upper) {
      upper = rank + step < n;
      if (upper) {
        const double dx = sorted[rank + step] - own;
        upper = dx < nearest.largest();
        if (upper) offer(rank + step, dx);
      }
    }
  }
  return nearest.rows[kCapacity - 1];
}

/// The same in float, all lanes in step; the place in a key is the step and the side. kUnresolved where float
/// does not know.
template <int kCapacity>
__device__ std::uint32_t walk_source_float(const Task& task, const float* guesses, const double* sorted,
                                           const std::uint16_t* rows, const float2* plane, const double* y,
                                           const double* z, std::int32_t rank) {
  constexpr std::int32_t kSteps = 128;  // to either side
  constexpr std::uint32_t kMask = 2 * kSteps - 1;
  const std::int32_t n = task.columns.n, i = rows[rank];
  const float own = guesses[rank];
  const float2 guess = plane[i];
  std::int32_t excluded_begin = 0, excluded_end = 0;
  task.exclusion.of(i, excluded_begin, excluded_end);
  const auto excluded = static_cast<std::uint32_t>(excluded_end - excluded_begin);
  std::uint32_t keys[kCapacity + 1];
#pragma unroll
  for (int j = 0; j <= kCapacity; ++j) keys[j] = j < kCapacity - task.k ? 0u : 0x7F7FFFFFu;
  float lower_gap = 0, upper_gap = 0;  // along the source, of the last candidates
  const auto look = [&](std::int32_t r, bool there, std::uint32_t place, float& gap) {
    const std::int32_t held = there ? r : rank;
    gap = there ? fabsf(guesses[held] - own) : CUDART_INF_F;
    const std::int32_t j = rows[held];
    const float2 at = plane[j];
    const float d = fmaxf(gap, fmaxf(fabsf(at.x - guess.x), fabsf(at.y - guess.y)));
    const bool out = static_cast<std::uint32_t>(j - excluded_begin) < excluded;
    insert(keys, out ? 0x7F7FFFFFu : (__float_as_uint(d) & ~kMask) | place);
  };
  std::int32_t step = task.faults.nearest_left_out ? 2 : 1;
  for (; step <= kSteps; ++step) {
    const std::uint32_t place = static_cast<std::uint32_t>(step - 1) * 2;
    look(rank - step, rank - step >= 0, place, lower_gap);
    look(rank + step, rank + step < n, place + 1, upper_gap);
    if (fminf(lower_gap, upper_gap) > __uint_as_float(keys[kCapacity - 1] | kMask)) break;
  }
  const std::uint32_t last = keys[kCapacity - 1];
  const float most = __uint_as_float(last | kMask);
  const float margin =
      0x1p-21f * (fmaxf(fabsf(own), fmaxf(fabsf(guess.x), fabsf(guess.y))) + most) + 0x1p-140f;
  const bool whole = last < 0x7F000000u;
  const bool closed = fminf(lower_gap, upper_gap) - most > margin;
  const bool clear = __uint_as_float(keys[kCapacity] & ~kMask) - most > margin;
  if (!whole || !closed || !(clear || task.faults.no_recheck)) return kUnresolved;
  const double own_x = sorted[rank], own_y = y[i], own_z = z[i];
  double eps = -1;
  std::uint32_t row = 0;
#pragma unroll
  for (int j = kCapacity - 1; j >= 0; --j) {
    if (j < kCapacity - task.k) break;
    if (__uint_as_float(last & ~kMask) - __uint_as_float(keys[j] | kMask) > margin) break;
    const std::uint32_t place = keys[j] & kMask;
    const std::int32_t away = static_cast<std::int32_t>(place / 2) + 1;
    const std::int32_t r = place % 2 == 0 ? rank - away : rank + away;
    const std::int32_t candidate = rows[r];
    const double d =
        larger(fabs(own_x - sorted[r]), larger(fabs(own_y - y[candidate]), fabs(own_z - z[candidate])));
    if (d > eps) {
      eps = d;
      row = static_cast<std::uint32_t>(candidate);
    }
  }
  return row;
}

/// A block a pair: a thread a point that is left, along its source outwards, neighbouring ranks side by side.
template <int kCapacity>
__global__ void __launch_bounds__(kSourceThreads) walk_sources(Task task) {
  extern __shared__ float2 plane[];  // (y, z) of each row
  const std::int32_t n = task.columns.n;
  auto* left = reinterpret_cast<std::uint16_t*>(plane + n);  // ranks of the points that are left, rising
  std::uint16_t* again = left + n;                           // those that float does not decide
  __shared__ std::int32_t warp_counts[kSourceThreads / 32];
  __shared__ std::int32_t again_count;
  if (threadIdx.x == 0) again_count = 0;
  const std::int64_t target = blockIdx.x / task.range.some, within = blockIdx.x % task.range.some;
  const std::int64_t column = task.range.first + within;
  const double* sorted = task.columns.sorted + column * n;
  const std::uint16_t* rows = task.columns.rows + column * n;
  const double* y = task.targets.y + target * n;
  const double* z = task.targets.z + target * n;
  const double scale = *task.columns.scale;
  const double y_centre = task.targets.y_sorted[target * n + n / 2],
               z_centre = task.targets.z_sorted[target * n + n / 2];
  std::uint32_t* found = task.found_of(target, within);
  const auto thread = static_cast<std::int32_t>(threadIdx.x), lane = thread % 32, warp = thread / 32;
  for (std::int32_t j = thread; j < n; j += kSourceThreads)
    plane[j] = make_float2(static_cast<float>(y[j] * scale - y_centre * scale),
                           static_cast<float>(z[j] * scale - z_centre * scale));
  std::int32_t many = 0;
  for (std::int32_t first = 0; first < n; first += kSourceThreads) {
    const std::int32_t rank = first + thread;
    const bool open = rank < n && found[rows[rank]] == kUnresolved;
    const unsigned votes = __ballot_sync(kWholeWarp, open);
    if (lane == 0) warp_counts[warp] = __popc(votes);
    __syncthreads();
    std::int32_t place = many + __popc(votes & ((1u << lane) - 1u));
    for (std::int32_t w = 0; w < kSourceThreads / 32; ++w) {
      if (w < warp) place += warp_counts[w];
      many += warp_counts[w];
    }
    if (open) left[place] = static_cast<std::uint16_t>(rank);
    __syncthreads();
  }
  const float* guesses = task.columns.guess_sorted + column * n;
  const bool tied = task.targets.tied[target] != 0 || task.columns.tied[column] != 0;
  for (std::int32_t item = thread; item < many; item += kSourceThreads) {
    const std::int32_t rank = left[item];
    const std::uint32_t row =
        tied ? kUnresolved : walk_source_float<kCapacity>(task, guesses, sorted, rows, plane, y, z, rank);
    if (row == kUnresolved)
      again[atomicAdd(&again_count, 1)] = static_cast<std::uint16_t>(rank);
    else
      found[rows[rank]] = row | kUnknownCount << 16;
  }
  __syncthreads();
  const std::int32_t doubtful = again_count;
  for (std::int32_t item = thread; item < doubtful; item += kSourceThreads) {
    const std::int32_t rank = again[item];
    found[rows[rank]] = walk_source_double<kCapacity>(task, sorted, rows, y, z, rank) | kUnknownCount << 16;
  }
}

template <int kCapacity>
void launch(CUstream_st* stream, const Task& task) {
  const std::int32_t n = task.columns.n;
  const auto targets = static_cast<unsigned>(task.targets.count);
  const auto pairs = static_cast<unsigned>(task.targets.count * task.range.some);
  constexpr std::int32_t kPointsOfBlock = kWarps * kPointsOfWarp;
  walk_lists<kCapacity><<<dim3(static_cast<unsigned>((n + kPointsOfBlock - 1) / kPointsOfBlock), targets,
                               static_cast<unsigned>((task.range.some + 31) / 32)),
                          kThreads, 0, stream>>>(task);
  const std::size_t bytes = static_cast<std::size_t>(n) * (sizeof(float2) + 2 * sizeof(std::uint16_t));
  walk_sources<kCapacity><<<pairs, kSourceThreads, bytes, stream>>>(task);
  detail::check(cudaGetLastError(), "lists: search: launch");
}

}  // namespace

void find_neighbours(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
                     std::int32_t k, const spatial::ExclusionView& exclusion, std::uint32_t* found) {
  const std::int32_t tail = columns.n >= 8 * kTail ? kTail : 0;
  const Task task{columns, range, targets, exclusion, k, tail, found, selected_faults()};
  if (k > 4)
    launch<8>(stream, task);
  else
    launch<4>(stream, task);
}

}  // namespace assay::kernels::lists
