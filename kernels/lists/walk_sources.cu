// The k-th neighbour of the points that walk_lists leaves, a block a pair.
//
//   tails     points in the tails of a source have many neighbours in the plane and few along the
//             source. A warp takes 32 of them, a lane each; all look at the same candidate, from the end of
//             the source inwards.
//   the rest  few as a rule: a warp takes one, its lanes the next 32 ranks to either side.
//
// Distances are float and carry the candidate's place in their last bits; what float cannot order for certain
// is searched in double, a lane a point, and so are tied data.
#include <math_constants.h>
#include <vector_types.h>

#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/lists/lists.hpp"
#include "kernels/lists/rank_search.cuh"

namespace assay::kernels::lists {

namespace {

constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
constexpr int kThreads = 64;
constexpr int kWarps = kThreads / 32;
constexpr std::uint32_t kNoKey = 0x7F7FFFFFu;  // the largest float
/// Candidates from an end that the tails may look at.
constexpr std::int32_t kReach = 160;
constexpr std::uint32_t kTailMask = 255;  ///< of a candidate's place
/// Of a chunk of 32 ranks: the lane that holds a key says the rest.
constexpr std::int32_t kChunks = kMostPoints / 32;
constexpr std::uint32_t kChunkMask = 2 * kChunks - 1;
static_assert(kReach <= 256 && kReach % 4 == 0 && kTail % 32 == 0);

struct Faults {
#ifdef ASSAY_MUTANTS
  bool no_recheck, nearest_left_out, tail_cut;
#else
  static constexpr bool no_recheck = false, nearest_left_out = false, tail_cut = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.network.cuda_no_recheck"), mutant("te.network.cuda_nearest_left_out"),
          mutant("te.network.cuda_tail_cut")};
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
  std::int32_t tail;
  std::uint32_t* found;
  Faults faults;
};

/// A pair, as its block sees it.
struct Pair {
  const double* sorted;
  const float* guesses;  ///< sorted too
  const std::uint16_t* rows;
  const double *y, *z;
  const float2* plane;  ///< of each row
  std::int32_t n;
};

/// What float says of the point at `rank`, or kUnresolved.
__device__ std::uint32_t decide(const Task& task, const Pair& pair, std::int32_t rank,
                                const Nearest& nearest) {
  const auto guess_at = [&](std::int32_t r) {
    const float2 plane = pair.plane[pair.rows[r]];
    return Guess{pair.guesses[r], plane.x, plane.y};
  };
  bool certain = false;
  const std::uint32_t along =
      along_nearest(guess_at(rank), guess_at(nearest.rank), nearest, task.faults.no_recheck, certain);
  return certain ? found_word(pair.rows[nearest.rank], along, kUnknownCount) : kUnresolved;
}

/// The point `depth` ranks from an end, among the `reach` candidates from that end on, all lanes in step.
template <int kCapacity>
__device__ std::uint32_t search_tail(const Task& task, const Pair& pair, const float4* candidates,
                                     std::int32_t reach, std::int32_t depth, bool from_above) {
  const auto rank_of = [&](std::int32_t d) { return from_above ? pair.n - 1 - d : d; };
  const std::int32_t rank = rank_of(depth), i = pair.rows[rank];
  const float4 own = candidates[depth];
  std::int32_t excluded_begin = 0, excluded_end = 0;
  task.exclusion.of(i, excluded_begin, excluded_end);
  const auto excluded = static_cast<std::uint32_t>(excluded_end - excluded_begin);
  std::uint32_t keys[kCapacity + 1];
#pragma unroll
  for (int j = 0; j <= kCapacity; ++j) keys[j] = j < kCapacity - task.k ? 0u : kNoKey;
  const std::int32_t deepest = depth | 31;
  float gap = 0;
  std::int32_t c = 0;
  constexpr std::int32_t kStep = 4;
  for (; c < reach; c += kStep) {
    // beyond the deepest lane, the candidates' gaps rise for all
    if (c > deepest &&
        (task.faults.tail_cut || !__any_sync(kWholeWarp, gap <= most_of(keys[kCapacity - 1], kTailMask))))
      break;
#pragma unroll
    for (std::int32_t u = 0; u < kStep; ++u) {
      const float4 at = candidates[c + u];
      gap = fabsf(at.x - own.x);
      const float d = fmaxf(gap, fmaxf(fabsf(at.y - own.y), fabsf(at.z - own.z)));
      const bool out = __float_as_uint(at.w) - static_cast<std::uint32_t>(excluded_begin) < excluded;
      insert(keys, out ? kNoKey : (__float_as_uint(d) & ~kTailMask) | static_cast<std::uint32_t>(c + u));
    }
  }
  const float bound = c >= pair.n ? CUDART_INF_F : task.faults.tail_cut && c > deepest ? CUDART_INF_F : gap;
  constexpr int kLast = kCapacity - 1;
  const std::int32_t chosen = rank_of(min(static_cast<std::int32_t>(keys[kLast] & kTailMask), pair.n - 1));
  // below k = kCapacity the keys before the first are 0
  return decide(task, pair, rank,
                {kCapacity > 1 && task.k > 1 ? most_of(keys[kLast - 1], kTailMask) : -1.0f,
                 least_of(keys[kLast], kTailMask), most_of(keys[kLast], kTailMask),
                 least_of(keys[kLast + 1], kTailMask), bound, chosen});
}

/// The point at a rank, by a whole warp.
template <int kCapacity>
__device__ std::uint32_t search_by_warp(const Task& task, const Pair& pair, std::int32_t rank) {
  const std::int32_t i = pair.rows[rank];
  const float own = pair.guesses[rank];
  const float2 guess = pair.plane[i];
  std::int32_t excluded_begin = 0, excluded_end = 0;
  task.exclusion.of(i, excluded_begin, excluded_end);
  const auto excluded = static_cast<std::uint32_t>(excluded_end - excluded_begin);
  const auto look = [&](std::int32_t r, float& gap, bool& out) {
    const std::int32_t j = pair.rows[r];
    const float2 at = pair.plane[j];
    gap = fabsf(pair.guesses[r] - own);
    out = static_cast<std::uint32_t>(j - excluded_begin) < excluded;
    return fmaxf(gap, fmaxf(fabsf(at.x - guess.x), fabsf(at.y - guess.y)));
  };
  const std::int32_t first = task.faults.nearest_left_out ? 1 : 0;
  return decide(task, pair, rank,
                nearest_along<kCapacity, kChunkMask>(pair.n, rank, task.k, first, kChunks, look));
}

/// The row of the k-th neighbour of the point at a rank, in double, from there outwards.
template <int kCapacity>
__device__ std::uint32_t search_outwards(const Task& task, const Pair& pair, std::int32_t rank) {
  const std::int32_t n = pair.n, i = pair.rows[rank];
  const double own = pair.sorted[rank], own_y = pair.y[i], own_z = pair.z[i];
  std::int32_t excluded_begin = 0, excluded_end = 0;
  task.exclusion.of(i, excluded_begin, excluded_end);
  double values[kCapacity];
  std::uint32_t rows[kCapacity];
#pragma unroll
  for (int j = 0; j < kCapacity; ++j) {
    values[j] = j < kCapacity - task.k ? -1.0 : CUDART_INF;
    rows[j] = 0;
  }
  // Whether candidates beyond this one may still be nearer.
  const auto offer = [&](std::int32_t r, double dx) {
    if (!(dx < values[kCapacity - 1])) return false;
    const std::int32_t j = pair.rows[r];
    if (j >= excluded_begin && j < excluded_end) return true;
    const double d = larger(dx, larger(fabs(own_y - pair.y[j]), fabs(own_z - pair.z[j])));
    if (!(d < values[kCapacity - 1])) return true;
#pragma unroll
    for (int m = kCapacity - 1; m > 0; --m) {
      const bool moves = d < values[m - 1], enters = d < values[m];
      values[m] = moves ? values[m - 1] : enters ? d : values[m];
      rows[m] = moves ? rows[m - 1] : enters ? static_cast<std::uint32_t>(j) : rows[m];
    }
    if (d < values[0]) {
      values[0] = d;
      rows[0] = static_cast<std::uint32_t>(j);
    }
    return true;
  };
  bool lower = rank > 0, upper = rank + 1 < n;
  for (std::int32_t step = 1; lower || upper; ++step) {
    lower = lower && rank - step >= 0;
    if (lower) lower = offer(rank - step, own - pair.sorted[rank - step]);
    upper = upper && rank + step < n;
    if (upper) upper = offer(rank + step, pair.sorted[rank + step] - own);
  }
  return rows[kCapacity - 1];
}

template <int kCapacity>
__global__ void __launch_bounds__(kThreads) search(Task task) {
  extern __shared__ __align__(16) unsigned char shared[];
  const std::int32_t n = task.columns.n, tail = task.tail, reach = tail > 0 ? min(kReach, n) / 4 * 4 : 0;
  auto* candidates = reinterpret_cast<float4*>(shared);  // from the lower end, then from the upper one
  auto* plane = reinterpret_cast<float2*>(candidates + 2 * reach);
  auto* left = reinterpret_cast<std::uint16_t*>(plane + n);  // ranks of the points that are left
  std::uint16_t* doubtful = left + n;                        // those that float does not decide
  __shared__ std::int32_t left_count, doubtful_count, warp_counts[kWarps];
  if (threadIdx.x == 0) left_count = doubtful_count = 0;
  const std::int64_t target = blockIdx.x / task.range.some, within = blockIdx.x % task.range.some;
  const std::int64_t column = task.range.first + within;
  std::uint32_t* found = task.found + (target * task.range.some + within) * n;
  const auto thread = static_cast<std::int32_t>(threadIdx.x), lane = thread % 32, warp = thread / 32;
  const Pair pair{task.columns.sorted + column * n,
                  task.columns.guess_sorted + column * n,
                  task.columns.rows + column * n,
                  task.targets.y + target * n,
                  task.targets.z + target * n,
                  plane,
                  n};
  const bool tied = task.targets.tied[target] != 0 || task.columns.tied[column] != 0;
  if (tail == 0) {
    bool any = false;
    for (std::int32_t i = thread; i < n; i += kThreads) any |= found[i] == kUnresolved;
    if (!__syncthreads_or(any)) return;
  }
  for (std::int32_t j = thread; j < n; j += kThreads) plane[j] = __ldg(task.targets.plane + target * n + j);
  __syncthreads();
  if (reach > 0 && !tied) {
    for (std::int32_t item = thread; item < 2 * reach; item += kThreads) {
      const std::int32_t rank = item < reach ? item : n - 1 - (item - reach);
      const std::int32_t row = pair.rows[rank];
      candidates[item] = make_float4(pair.guesses[rank], plane[row].x, plane[row].y,
                                     __uint_as_float(static_cast<std::uint32_t>(row)));
    }
    __syncthreads();
    for (std::int32_t item = warp; item < 2 * tail / 32; item += kWarps) {
      const bool from_above = item % 2 != 0;
      const std::int32_t depth = item / 2 * 32 + lane;
      const std::uint32_t word =
          search_tail<kCapacity>(task, pair, candidates + (from_above ? reach : 0), reach, depth, from_above);
      if (word != kUnresolved) found[pair.rows[from_above ? n - 1 - depth : depth]] = word;
    }
    __syncthreads();
  }
  if (!tied) {
    for (std::int32_t i = thread; i < n; i += kThreads)
      if (found[i] == kUnresolved) left[atomicAdd(&left_count, 1)] = task.columns.ranks[column * n + i];
    __syncthreads();
    for (std::int32_t item = warp; item < left_count; item += kWarps) {
      const std::int32_t rank = left[item];
      const std::uint32_t word = search_by_warp<kCapacity>(task, pair, rank);
      if (lane != 0) continue;
      if (word == kUnresolved)
        doubtful[atomicAdd(&doubtful_count, 1)] = static_cast<std::uint16_t>(rank);
      else
        found[pair.rows[rank]] = word;
    }
  } else {
    // Many, and in double at once: by rising rank, so that neighbouring lanes walk about as far.
    for (std::int32_t first = 0; first < n; first += kThreads) {
      const std::int32_t rank = first + thread;
      const bool open = rank < n && found[pair.rows[rank]] == kUnresolved;
      const unsigned votes = __ballot_sync(kWholeWarp, open);
      if (lane == 0) warp_counts[warp] = __popc(votes);
      __syncthreads();
      std::int32_t place = doubtful_count + __popc(votes & ((1u << lane) - 1u));
      std::int32_t all = 0;
      for (std::int32_t w = 0; w < kWarps; ++w) {
        if (w < warp) place += warp_counts[w];
        all += warp_counts[w];
      }
      if (open) doubtful[place] = static_cast<std::uint16_t>(rank);
      __syncthreads();
      if (thread == 0) doubtful_count += all;
      __syncthreads();
    }
  }
  __syncthreads();
  const std::int32_t rest = doubtful_count;
  for (std::int32_t item = thread; item < rest; item += kThreads) {
    const std::int32_t rank = doubtful[item];
    found[pair.rows[rank]] =
        found_word(search_outwards<kCapacity>(task, pair, rank), kAlongAny, kUnknownCount);
  }
}

template <int kCapacity>
void launch(CUstream_st* stream, const Task& task) {
  const auto n = static_cast<std::size_t>(task.columns.n);
  const std::size_t reach = task.tail > 0 ? std::min<std::size_t>(kReach, n) / 4 * 4 : 0;
  const std::size_t bytes = 2 * reach * sizeof(float4) + n * (sizeof(float2) + 2 * sizeof(std::uint16_t));
  search<kCapacity>
      <<<static_cast<unsigned>(task.targets.count * task.range.some), kThreads, bytes, stream>>>(task);
  detail::check(cudaGetLastError(), "lists: search: launch");
}

}  // namespace

void walk_sources(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
                  std::int32_t k, const spatial::ExclusionView& exclusion, std::uint32_t* found) {
  const Task task{columns, range, targets, exclusion, k, tail_of(columns.n), found, selected_faults()};
  if (k > 4)
    launch<8>(stream, task);
  else
    launch<4>(stream, task);
}

}  // namespace assay::kernels::lists
