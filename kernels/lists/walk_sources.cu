// The k-th neighbour of the points that walk_lists leaves: the tails of a source, which have many neighbours
// in the plane and few along the source, and what a list or float does not decide. A block has a target, a
// warp goes through sources of it.
//
//   crowds    of 32 ranks side by side several are left, as in the tails: a lane each; all look at the same
//             candidate, from their own ranks outwards.
//   single    a warp takes one point, its lanes the next 32 ranks to either side.
//   doubtful  what float cannot order for certain: the points that it finds no farther than the k-th, by more
//             than rounding, are compared in double.
//
// Float distances carry the candidate's place in their last bits.
#include <math_constants.h>
#include <vector_types.h>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/lists/lists.hpp"
#include "kernels/lists/rank_search.cuh"

namespace assay::kernels::lists {

namespace {

constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr std::uint32_t kNoKey = 0x7F7FFFFFu;  // the largest float
/// So many left of 32 ranks are a crowd.
constexpr int kCrowd = 6;
/// Sources of a warp, about: few enough that those with many points left find others to take the rest.
constexpr std::int64_t kSourcesOfWarp = 4;
/// Chunks of 32 candidates. A crowd's key holds the place of a candidate among all of them; where a warp
/// takes one point the lane that holds a key says the rest.
constexpr std::int32_t kChunks = kMostPoints / 32;
constexpr std::uint32_t kCrowdMask = 32 * kChunks - 1;
constexpr std::uint32_t kChunkMask = 2 * kChunks - 1;
/// Words of bits for the ranks of either half of a source.
constexpr std::int32_t kHalfWords = kMostPoints / 2 / 32;
static_assert(kHalfWords == 32);  // a lane each

struct Faults {
#ifdef ASSAY_MUTANTS
  bool no_recheck, nearest_left_out, tail_cut, doubtful_one_too_far;
#else
  static constexpr bool no_recheck = false, nearest_left_out = false, tail_cut = false,
                        doubtful_one_too_far = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.network.cuda_no_recheck"), mutant("te.network.cuda_nearest_left_out"),
          mutant("te.network.cuda_tail_cut"), mutant("te.network.cuda_doubtful_one_too_far")};
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
  std::int64_t parts;  ///< of the sources of a target, a block each
  std::uint32_t* found;
  Faults faults;
};

/// A pair, as its warp sees it.
struct Pair {
  const double* sorted;
  const float* guesses;  ///< sorted too
  const std::uint16_t* rows;
  const double *y, *z;
  const float2* plane;  ///< of each row, in shared memory
  std::int32_t n;

  __device__ Guess guess_at(std::int32_t rank) const {
    const float2 at = plane[rows[rank]];
    return {guesses[rank], at.x, at.y};
  }
};

/// What a warp has of its own in shared memory.
struct Scratch {
  float4 candidates[32];  ///< guesses, and the bits of a place or a row
  /// Ranks that are left, a bit each: those of the lower half, then those of the upper one from its end on,
  /// so that either tail begins a word.
  std::uint32_t left[2 * kHalfWords];
  std::int32_t firsts[kChunks];  ///< the ranks that chunks begin at
  std::uint16_t near[32];
};

/// What a search in float says of a point: its word where that is certain, and a distance that k others do
/// not exceed, or -1.
struct Answer {
  std::uint32_t word = kUnresolved;
  float most = -1;
};

__device__ Answer decide(const Task& task, const Pair& pair, std::int32_t rank, const Nearest& nearest) {
  bool certain = false;
  const std::uint32_t along = along_nearest(pair.guess_at(rank), pair.guess_at(nearest.rank), nearest,
                                            task.faults.no_recheck, certain);
  Answer answer;
  if (certain) answer.word = found_word(pair.rows[nearest.rank], along, kUnknownCount);
  if (nearest.most < 0x1p127f && nearest.bound > nearest.most) answer.most = nearest.most;
  return answer;
}

/// The points at 32 ranks from `start` on, a lane each: this lane's is `rank`, where it is `wanted`.
template <int kCapacity>
__device__ Answer search_crowd(const Task& task, const Pair& pair, Scratch& scratch, std::int32_t start,
                               std::int32_t rank, bool wanted) {
  const std::int32_t n = pair.n, lane = static_cast<std::int32_t>(threadIdx.x % 32);
  rank = min(max(rank, 0), n - 1);
  const Guess own = pair.guess_at(rank);
  std::int32_t excluded_begin = 0, excluded_end = 0;
  task.exclusion.of(pair.rows[rank], excluded_begin, excluded_end);
  const auto excluded = static_cast<std::uint32_t>(excluded_end - excluded_begin);
  std::uint32_t keys[kCapacity + 1];
#pragma unroll
  for (int j = 0; j <= kCapacity; ++j) keys[j] = wanted && j >= kCapacity - task.k ? kNoKey : 0u;

  // 32 ranks, of which this lane brings one; those beyond the source are infinitely far.
  struct Chunk {
    std::int32_t first;
    std::uint32_t row;
    float x;
  };
  const auto fetch = [&](std::int32_t first) {
    const std::int32_t r = first + lane;
    const bool there = r >= 0 && r < n;
    return Chunk{first, there ? pair.rows[r] : 0u, there ? pair.guesses[r] : CUDART_INF_F};
  };
  std::int32_t chunks = 0;
  const auto look = [&](const Chunk& chunk, auto any_excluded) {
    constexpr bool kAnyExcluded = decltype(any_excluded)::value;
    const std::uint32_t place = static_cast<std::uint32_t>(32 * chunks);
    const float2 at = pair.plane[chunk.row];
    __syncwarp();  // the chunk before has been looked at
    scratch.candidates[lane] =
        make_float4(chunk.x, at.x, at.y,
                    __uint_as_float(kAnyExcluded ? chunk.row : place + static_cast<std::uint32_t>(lane)));
    if (lane == 0) scratch.firsts[chunks] = chunk.first;
    __syncwarp();
    constexpr int kStep = 4;
#pragma unroll 1
    for (int u = 0; u < 32; u += kStep) {
      std::uint32_t each[kStep];
#pragma unroll
      for (int v = 0; v < kStep; ++v) {
        const float4 to = scratch.candidates[u + v];
        const float d = fmaxf(fabsf(to.x - own.x), fmaxf(fabsf(to.y - own.y), fabsf(to.z - own.z)));
        const std::uint32_t last =
            kAnyExcluded ? place + static_cast<std::uint32_t>(u + v) : __float_as_uint(to.w);
        each[v] = (__float_as_uint(d) & ~kCrowdMask) | last;
        if (kAnyExcluded && __float_as_uint(to.w) - static_cast<std::uint32_t>(excluded_begin) < excluded)
          each[v] = kNoKey;
      }
      const std::uint32_t least = min(min(each[0], each[1]), min(each[2], each[3]));
      if (!__any_sync(kWholeWarp, least < keys[kCapacity])) continue;
      insert_two(keys, each[0], each[1]);
      insert_two(keys, each[2], each[3]);
    }
    ++chunks;
  };

  constexpr int kLast = kCapacity - 1;
  // The next ones to either side are on their way while one is looked at.
  Chunk next = fetch(start), up = fetch(start + 32), down = fetch(start - 32);
  float bound;
  bool upwards = false;
  while (true) {
    // Without a window only a point itself is none of its neighbours, and that is among the first.
    if (task.exclusion.window != 0 || chunks == 0)
      look(next, std::true_type{});
    else
      look(next, std::false_type{});
    const float nearest_below = __shfl_sync(kWholeWarp, down.x, 31),
                above = __shfl_sync(kWholeWarp, up.x, 0) - own.x,
                below = nearest_below < CUDART_INF_F ? own.x - nearest_below : CUDART_INF_F;
    bound = task.faults.tail_cut ? CUDART_INF_F : fminf(above, below);
    const float most = most_of(keys[kLast], kCrowdMask);
    const bool more_above = __any_sync(kWholeWarp, wanted && above <= most),
               more_below = __any_sync(kWholeWarp, wanted && below <= most);
    if (!(more_above || more_below) || task.faults.tail_cut || chunks == kChunks) break;
    upwards = more_above && !(more_below && upwards);
    next = upwards ? up : down;
    if (upwards)
      up = fetch(up.first + 32);
    else
      down = fetch(down.first - 32);
  }
  const auto place = static_cast<std::int32_t>(keys[kLast] & kCrowdMask);
  const std::int32_t at = scratch.firsts[min(place / 32, chunks - 1)] + place % 32;
  // below k = kCapacity the keys before the first are 0
  return decide(task, pair, rank,
                {kCapacity > 1 && task.k > 1 ? most_of(keys[kLast - 1], kCrowdMask) : -1.0f,
                 least_of(keys[kLast], kCrowdMask), most_of(keys[kLast], kCrowdMask),
                 least_of(keys[kLast + 1], kCrowdMask), bound, min(max(at, 0), n - 1)});
}

/// The point at a rank, by a whole warp.
template <int kCapacity>
__device__ Answer search_by_warp(const Task& task, const Pair& pair, std::int32_t rank) {
  const Guess own = pair.guess_at(rank);
  std::int32_t excluded_begin = 0, excluded_end = 0;
  task.exclusion.of(pair.rows[rank], excluded_begin, excluded_end);
  const auto excluded = static_cast<std::uint32_t>(excluded_end - excluded_begin);
  const auto look = [&](std::int32_t r, float& gap, bool& out) {
    const std::int32_t j = pair.rows[r];
    const float2 at = pair.plane[j];
    gap = fabsf(pair.guesses[r] - own.x);
    out = static_cast<std::uint32_t>(j - excluded_begin) < excluded;
    return fmaxf(gap, fmaxf(fabsf(at.x - own.y), fabsf(at.y - own.z)));
  };
  const std::int32_t first = task.faults.nearest_left_out ? 1 : 0;
  return decide(task, pair, rank,
                nearest_along<kCapacity, kChunkMask>(pair.n, rank, task.k, first, kChunks, look));
}

/// The same in double, where k others are no farther than `most` in float: the word, or kUnresolved where too
/// many are about as near.
__device__ std::uint32_t search_in_double(const Task& task, const Pair& pair, Scratch& scratch,
                                          std::int32_t rank, float most) {
  const std::int32_t n = pair.n, i = pair.rows[rank], lane = static_cast<std::int32_t>(threadIdx.x % 32);
  const Guess own = pair.guess_at(rank);
  std::int32_t excluded_begin = 0, excluded_end = 0;
  task.exclusion.of(i, excluded_begin, excluded_end);
  const auto excluded = static_cast<std::uint32_t>(excluded_end - excluded_begin);
  // Either distance, that of the k-th and that of one no farther, may be off by a margin.
  const float limit = most + 3 * margin_of(own, most);
  std::int32_t many = 0;
  bool lower = true, upper = true;
  for (std::int32_t step = 1 + lane; lower || upper; step += 32)
#pragma unroll
    for (int side = 0; side < 2; ++side) {
      bool& live = side == 0 ? lower : upper;
      if (!live) continue;
      const std::int32_t r = side == 0 ? rank - step : rank + step;
      bool near = r >= 0 && r < n && fabsf(pair.guesses[r] - own.x) <= limit;
      live = __all_sync(kWholeWarp, near);
      if (near) {
        const Guess at = pair.guess_at(r);
        near = fmaxf(fabsf(at.y - own.y), fabsf(at.z - own.z)) <= limit &&
               !(static_cast<std::uint32_t>(pair.rows[r] - excluded_begin) < excluded);
      }
      const unsigned votes = __ballot_sync(kWholeWarp, near);
      const std::int32_t place = many + __popc(votes & ((1u << lane) - 1u));
      if (near && place < 32) scratch.near[place] = static_cast<std::uint16_t>(r);
      many += __popc(votes);
    }
  const std::int32_t before = task.k - (task.faults.doubtful_one_too_far && many > task.k ? 0 : 1);
  if (many > 32 || many < task.k) return kUnresolved;
  __syncwarp();
  const std::int32_t r = lane < many ? scratch.near[lane] : rank, j = pair.rows[r];
  const double d = larger(fabs(pair.sorted[rank] - pair.sorted[r]),
                          larger(fabs(pair.y[i] - pair.y[j]), fabs(pair.z[i] - pair.z[j])));
  std::int32_t nearer = 0;
  for (std::int32_t other = 0; other < many; ++other) {
    const double its = __shfl_sync(kWholeWarp, d, other);
    nearer += its < d || (its == d && other < lane);
  }
  const unsigned chosen = __ballot_sync(kWholeWarp, lane < many && nearer == before);
  const std::int32_t row = __shfl_sync(kWholeWarp, j, __ffs(static_cast<int>(chosen)) - 1);
  __syncwarp();
  return found_word(static_cast<std::uint32_t>(row), kAlongAny, kUnknownCount);
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
__global__ void __launch_bounds__(kThreads, 8) search(Task task) {
  extern __shared__ __align__(16) unsigned char shared[];
  __shared__ Scratch all_scratch[kWarps];
  const std::int32_t n = task.columns.n;
  auto* plane = reinterpret_cast<float2*>(shared);
  const std::int64_t target = blockIdx.x / task.parts, part = blockIdx.x % task.parts;
  const auto lane = static_cast<std::int32_t>(threadIdx.x % 32),
             warp = static_cast<std::int32_t>(threadIdx.x / 32);
  for (auto j = static_cast<std::int32_t>(threadIdx.x); j < n; j += kThreads)
    plane[j] = __ldg(task.targets.plane + target * n + j);
  __syncthreads();
  Scratch& scratch = all_scratch[warp];

  for (std::int64_t within = part * kWarps + warp; within < task.range.some; within += task.parts * kWarps) {
    const std::int64_t column = task.range.first + within;
    std::uint32_t* found = task.found + (target * task.range.some + within) * n;
    const std::uint16_t* ranks = task.columns.ranks + column * n;
    const Pair pair{task.columns.sorted + column * n,
                    task.columns.guess_sorted + column * n,
                    task.columns.rows + column * n,
                    task.targets.y + target * n,
                    task.targets.z + target * n,
                    plane,
                    n};
    for (std::int32_t w = lane; w < 2 * kHalfWords; w += 32) scratch.left[w] = 0;
    __syncwarp();
    // Ranks are read for all points: to wait for one load and then for another takes longer.
    constexpr std::int32_t kAtOnce = 8;
    for (std::int32_t first = lane; first < n; first += 32 * kAtOnce) {
      std::uint32_t held[kAtOnce], at[kAtOnce];
#pragma unroll
      for (std::int32_t u = 0; u < kAtOnce; ++u) {
        const bool there = first + 32 * u < n;
        held[u] = there ? found[first + 32 * u] : ~kUnresolved;
        at[u] = there ? ranks[first + 32 * u] : 0u;
      }
#pragma unroll
      for (std::int32_t u = 0; u < kAtOnce; ++u)
        if (held[u] == kUnresolved) {
          const auto count = static_cast<std::uint32_t>(n);
          const std::uint32_t bit = at[u] < count / 2 ? at[u] : 32 * kHalfWords + count - 1 - at[u];
          atomicOr(&scratch.left[bit / 32], 1u << (bit % 32));
        }
    }
    __syncwarp();
    std::uint64_t words = __ballot_sync(kWholeWarp, scratch.left[lane] != 0) |
                          std::uint64_t{__ballot_sync(kWholeWarp, scratch.left[kHalfWords + lane] != 0)}
                              << kHalfWords;
    for (; words != 0; words &= words - 1) {
      const std::int32_t w = __ffsll(static_cast<long long>(words)) - 1, depth = 32 * (w % kHalfWords);
      const bool lower = w < kHalfWords;
      const std::uint32_t bits = scratch.left[w];
      const auto rank_of = [&](std::int32_t l) { return lower ? depth + l : n - 1 - depth - l; };
      bool open = (bits >> lane & 1u) != 0, ties = false;
      Answer answer;
      if (__popc(bits) >= kCrowd)
        answer =
            search_crowd<kCapacity>(task, pair, scratch, lower ? depth : n - 32 - depth, rank_of(lane), open);
      if (open && answer.word != kUnresolved) {
        found[pair.rows[rank_of(lane)]] = answer.word;
        open = false;
      }
      for (std::uint32_t rest = __ballot_sync(kWholeWarp, open); rest != 0; rest &= rest - 1) {
        const std::int32_t chosen = __ffs(static_cast<int>(rest)) - 1, rank = rank_of(chosen);
        Answer of{kUnresolved, __shfl_sync(kWholeWarp, answer.most, chosen)};
        if (of.most < 0) of = search_by_warp<kCapacity>(task, pair, rank);
        if (of.word == kUnresolved && of.most >= 0)
          of.word = search_in_double(task, pair, scratch, rank, of.most);
        if (lane != chosen) continue;
        if (of.word == kUnresolved)
          ties = true;
        else
          found[pair.rows[rank]] = of.word;
      }
      if (ties)
        found[pair.rows[rank_of(lane)]] =
            found_word(search_outwards<kCapacity>(task, pair, rank_of(lane)), kAlongAny, kUnknownCount);
      __syncwarp();
    }
  }
}

template <int kCapacity>
void launch(CUstream_st* stream, Task task) {
  const std::size_t bytes = static_cast<std::size_t>(task.columns.n) * sizeof(float2);
  const auto kernel = search<kCapacity>;
  task.parts = (task.range.some + kSourcesOfWarp * kWarps - 1) / (kSourcesOfWarp * kWarps);
  kernel<<<static_cast<unsigned>(task.targets.count * task.parts), kThreads, bytes, stream>>>(task);
  detail::check(cudaGetLastError(), "lists: search: launch");
}

}  // namespace

void walk_sources(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
                  std::int32_t k, const spatial::ExclusionView& exclusion, std::uint32_t* found) {
  const Task task{columns, range, targets, exclusion, k, 1, found, selected_faults()};
  if (k > 4)
    launch<8>(stream, task);
  else
    launch<4>(stream, task);
}

}  // namespace assay::kernels::lists
