// The points whose list is too short, along their source: in its tails the neighbours in the plane are many
// and those along the source few. A warp a point, in float; what float does not decide stays open.
#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/lists/long_lists.hpp"
#include "kernels/lists/rank_search.cuh"

namespace assay::kernels::lists {

namespace {

constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
constexpr int kThreads = 128;
/// Chunks to either side that a warp looks through.
constexpr std::int32_t kChunks = 256;
constexpr std::uint32_t kChunkMask = 2 * kChunks - 1;

struct Faults {
#ifdef ASSAY_MUTANTS
  bool nearest_left_out, place_of_rank;
#else
  static constexpr bool nearest_left_out = false, place_of_rank = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.network.cuda_rest_nearest_left_out"), mutant("te.network.cuda_rest_place_of_rank")};
#else
  return {};
#endif
}

struct Task {
  LongSources sources;
  LongTarget target;
  LongPairs pairs;
  spatial::ExclusionView exclusion;
  std::int32_t k;
  Faults faults;
};

template <int kCapacity>
__device__ std::uint32_t search_point(const Task& task, std::int64_t column, std::int32_t p) {
  const std::int32_t n = task.target.n;
  const std::int64_t source = task.pairs.first + column;
  const double* sorted = task.sources.sorted + source * n;
  const std::int32_t* rows = task.sources.rows + source * n;
  const auto rank = static_cast<std::int32_t>(task.pairs.ranks[column * n + p]);
  const double scale = *task.sources.scale, own_x = sorted[rank] * scale;
  const std::int32_t i = task.target.rows[p];
  std::int32_t excluded_begin = 0, excluded_end = 0;
  task.exclusion.of(i, excluded_begin, excluded_end);
  const auto excluded = static_cast<std::uint32_t>(excluded_end - excluded_begin);
  // Distances along the source are rounded once: the point itself stands at 0.
  const auto guess_at = [&](std::int32_t r) {
    const float2 plane = task.target.plane[rows[r]];
    return Guess{static_cast<float>(sorted[r] * scale - own_x), plane.x, plane.y};
  };
  const Guess own = guess_at(rank);
  const auto look = [&](std::int32_t r, float& gap, bool& out) {
    const Guess at = guess_at(r);
    gap = fabsf(at.x);
    out = static_cast<std::uint32_t>(rows[r] - excluded_begin) < excluded;
    return fmaxf(gap, fmaxf(fabsf(at.y - own.y), fabsf(at.z - own.z)));
  };
  const Nearest nearest = nearest_along<kCapacity, kChunkMask>(
      n, rank, task.k, task.faults.nearest_left_out ? 1 : 0, kChunks, look);
  bool certain = false;
  const std::uint32_t along = along_nearest(own, guess_at(nearest.rank), nearest, false, certain);
  if (!certain) return kUnresolved;
  const std::int32_t place =
      task.faults.place_of_rank ? nearest.rank : task.target.places[rows[nearest.rank]];
  return found_word(static_cast<std::uint32_t>(place), along, kUnknownCount);
}

/// A warp has 32 places of one pair.
template <int kCapacity>
__global__ void __launch_bounds__(kThreads) search(Task task) {
  const std::int32_t n = task.target.n;
  const std::int64_t column = blockIdx.y;
  const auto p = static_cast<std::int32_t>(blockIdx.x * kThreads + threadIdx.x),
             lane = static_cast<std::int32_t>(threadIdx.x % 32);
  std::uint32_t* found = task.pairs.found + column * n;
  // Where values repeat, float has nothing to say.
  const bool open = p < n && found[p] == kUnresolved && task.target.reach[p] >= 0 &&
                    task.pairs.spread_by_place[p * task.pairs.padded + column] >= 0;
  std::uint32_t word = kUnresolved;
  for (unsigned votes = __ballot_sync(kWholeWarp, open); votes != 0; votes &= votes - 1) {
    const std::int32_t of = __ffs(static_cast<int>(votes)) - 1;
    const std::uint32_t other = search_point<kCapacity>(task, column, p - lane + of);
    if (lane == of) word = other;
  }
  if (word != kUnresolved) found[p] = word;
}

}  // namespace

void search_long_rest(CUstream_st* stream, const LongSources& sources, const LongTarget& target,
                      const LongPairs& pairs, const spatial::ExclusionView& exclusion, std::int32_t k) {
  const Task task{sources, target, pairs, exclusion, k, selected_faults()};
  const auto kernel = k > 4 ? search<8> : search<4>;
  kernel<<<dim3(static_cast<unsigned>((target.n + kThreads - 1) / kThreads),
                static_cast<unsigned>(pairs.count)),
           kThreads, 0, stream>>>(task);
  detail::check(cudaGetLastError(), "lists: rest: launch");
}

}  // namespace assay::kernels::lists
