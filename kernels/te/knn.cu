// te.knn on CUDA: every point against all points, tile by tile through shared memory (kernels/spatial/
// tiled_points.hpp), the best of each lane in registers.
//
//   k             held
//   up to 4, 8, 16, 32   as a sorted list of that many in the registers of each lane
//   more          32 at a time: each further pass over all points takes the 32 that come next after the last
//                 one found, in the order of (distance, row). No memory, no limit but k passes / 32.
//
// 1 to 32 lanes of a warp share a point, by the number of points; their lists are merged at the end by
// taking the least of the heads, k times. A lane meets its points in rising order of rows, so that a new one
// comes after its equals; between lanes the row decides.
//
// A point is let near the list if no coordinate is as far as the last of the list; only then its distance is
// formed. Lists that are not yet full hold NaN, to which nothing compares as greater or equal, so that even
// an infinite distance enters. Outcomes of comparisons on |a - b| alone: nothing for nvcc to fuse.
#include <climits>
#include <cstdint>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/spatial/exclusion_cuda.hpp"
#include "kernels/spatial/tiled_points.hpp"
#include "kernels/te/knn.hpp"

namespace assay::kernels::te {

namespace {

using spatial::DevicePoints;
using spatial::ExclusionView;

// Planted faults, handed to the kernel by value; constants in the usual build.
struct Faults {
#ifdef ASSAY_MUTANTS
  bool lost_tile, missing_barrier, unhandled_tail, ties_by_larger_row, dimension_ignored, repeats_last,
      float_distances, loses_ties, stale_floor;
#else
  static constexpr bool lost_tile = false, missing_barrier = false, unhandled_tail = false,
                        ties_by_larger_row = false, dimension_ignored = false, repeats_last = false,
                        float_distances = false, loses_ties = false, stale_floor = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.knn.cuda_lost_tile"),         mutant("te.knn.cuda_missing_barrier"),
          mutant("te.knn.cuda_unhandled_tail"),    mutant("te.knn.cuda_ties_by_larger_row"),
          mutant("te.knn.cuda_dimension_ignored"), mutant("te.knn.cuda_repeats_last"),
          mutant("te.knn.cuda_float_distances"),   mutant("te.knn.cuda_loses_ties"),
          mutant("te.knn.cuda_stale_floor")};
#else
  return {};
#endif
}

constexpr int threads = 128;
constexpr int most_in_registers = 32;
constexpr unsigned whole_warp = 0xFFFFFFFFu;

/// The K nearest so far of one lane, rising. Places not yet taken: NaN, the bits of which as an integer are
/// greater than those of any distance.
template <int K>
struct Nearest {
  double distances[K];
  int rows[K];

  __device__ void clear() {
#pragma unroll
    for (int m = 0; m < K; ++m) vacate(m);
  }
  __device__ double worst() const {
    return distances[K - 1];
  }

  /// Takes the place before the first that is farther or not taken.
  __device__ void offer(double distance, int row) {
    bool here = !(distance >= distances[K - 1]);
#pragma unroll
    for (int m = K - 1; m > 0; --m) {
      const bool before = !(distance >= distances[m - 1]);
      distances[m] = before ? distances[m - 1] : here ? distance : distances[m];
      rows[m] = before ? rows[m - 1] : here ? row : rows[m];
      here = before;
    }
    distances[0] = here ? distance : distances[0];
    rows[0] = here ? row : rows[0];
  }

  __device__ void pop() {
#pragma unroll
    for (int m = 0; m + 1 < K; ++m) {
      distances[m] = distances[m + 1];
      rows[m] = rows[m + 1];
    }
    vacate(K - 1);
  }

 private:
  __device__ void vacate(int m) {
    distances[m] = __longlong_as_double(LLONG_MAX);
    rows[m] = INT_MAX;
  }
};

/// The least head of the lists of `lanes` lanes; every lane of the warp takes part.
struct Head {
  long long bits;  ///< of a distance, which is not negative: they order as the distances do
  int row;
};

__device__ Head least_head(Head head, int lanes, bool larger_row) {
  for (int offset = lanes / 2; offset > 0; offset /= 2) {
    const Head other{__shfl_xor_sync(whole_warp, head.bits, offset),
                     __shfl_xor_sync(whole_warp, head.row, offset)};
    const bool first = larger_row ? other.row > head.row : other.row < head.row;
    if (other.bits < head.bits || (other.bits == head.bits && first)) head = other;
  }
  return head;
}

template <int K>
constexpr int blocks_at_once = K <= 4    ? 8
                               : K <= 16 ? 5
                                         : 3;

template <int K, int D>
__global__ void __launch_bounds__(threads, blocks_at_once<K>)
    find_nearest(DevicePoints points, ExclusionView exclusion, int lanes, std::int64_t k, double* distances,
                 std::int64_t* indices, Faults faults) {
  extern __shared__ double2 room[];
  const int lane = static_cast<int>(threadIdx.x) & (lanes - 1);
  const int slot = static_cast<int>(threadIdx.x) / lanes;
  const int queries = threads / lanes;
  const std::int64_t first_query = std::int64_t{blockIdx.x} * queries;
  // Threads beyond the last point search for it as well: all have part in barriers and shuffles.
  const bool inside = first_query + slot < points.n;
  const std::int64_t row = inside ? first_query + slot : points.n - 1;
  const int ignored = faults.dimension_ignored && points.d > 1 ? 1 : 0;
  spatial::TiledPoints<D, threads> tiles(points, room, first_query, queries, row, slot, ignored);
  std::int32_t excluded = 0, excluded_end = 0;
  exclusion.of(static_cast<std::int32_t>(row), excluded, excluded_end);
  const auto excluded_rows = static_cast<std::uint32_t>(excluded_end - excluded);

  // A list as long as registers hold is filled again and again: what comes before this was found already.
  double floor = -1;
  int floor_row = -1;
  for (std::int64_t found = 0; found < k; found += K) {
    Nearest<K> nearest;
    nearest.clear();
    const std::int64_t end =
        faults.lost_tile && points.n > tiles.size() ? (points.n - 1) / tiles.size() * tiles.size() : points.n;
    for (std::int64_t first = 0; first < end; first += tiles.size()) {
      tiles.bring(first, __longlong_as_double(0x7FF0000000000000ll));
      if (!faults.missing_barrier) __syncthreads();
      const int held = static_cast<int>(points.n - first < tiles.size() ? points.n - first : tiles.size());
      const int pairs = faults.unhandled_tail ? held / (4 * lanes) * (2 * lanes) : (held + 1) / 2;
      for (int step = 0; step < pairs; step += 2 * lanes) {
        const int pair = step + lane;
        const double worst = nearest.worst();
        bool passes[4];
        tiles.test_four(passes, pair, lanes, [worst](double difference) { return !(difference >= worst); });
        unsigned which =
            (passes[0] ? 1u : 0u) | (passes[1] ? 2u : 0u) | (passes[2] ? 4u : 0u) | (passes[3] ? 8u : 0u);
        for (; which != 0; which &= which - 1) {
          const int place = tiles.place(pair, lanes, __ffs(static_cast<int>(which)) - 1);
          const std::int64_t candidate = first + place;
          if (candidate >= points.n) continue;
          if (static_cast<std::uint32_t>(candidate - excluded) < excluded_rows) continue;
          double distance = tiles.distance(place);
          if (faults.float_distances) distance = static_cast<double>(static_cast<float>(distance));
          if (distance >= nearest.worst()) continue;
          if constexpr (K == most_in_registers) {
            const bool after = faults.repeats_last ? candidate >= floor_row : candidate > floor_row;
            if (!(distance > floor || (distance == floor && after && !faults.loses_ties))) continue;
          }
          nearest.offer(distance, static_cast<int>(candidate));
        }
      }
      __syncthreads();
    }

    const int here = static_cast<int>(k - found < K ? k - found : K);
    const std::int64_t out = row * k + found;
    if (lanes == 1) {
#pragma unroll
      for (int m = 0; m < K; ++m) {
        if (inside && m < here) {
          distances[out + m] = nearest.distances[m];
          indices[out + m] = nearest.rows[m];
        }
      }
      if (!faults.stale_floor) {
        floor = nearest.distances[K - 1];
        floor_row = nearest.rows[K - 1];
      }
      continue;
    }
    for (int m = 0; m < here; ++m) {
      const Head head = least_head({__double_as_longlong(nearest.distances[0]), nearest.rows[0]}, lanes,
                                   faults.ties_by_larger_row);
      if (nearest.rows[0] == head.row) nearest.pop();
      floor = __longlong_as_double(head.bits);
      floor_row = head.row;
      if (inside && lane == m % lanes) {
        distances[out + m] = floor;
        indices[out + m] = floor_row;
      }
    }
  }
}

struct Launch {
  cudaStream_t stream;
  DevicePoints points;
  ExclusionView exclusion;
  int lanes;
  std::int64_t k;
  double* distances;
  std::int64_t* indices;
};

template <int K, int D>
void launch(const Launch& call) {
  const auto kernel = find_nearest<K, D>;
  const int queries = threads / call.lanes;
  const std::size_t bytes = spatial::tile_bytes<D>(static_cast<int>(call.points.d), queries);
  if (bytes > std::size_t{48} << 10)
    detail::check(
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
        "cudaFuncSetAttribute");
  const auto blocks = static_cast<unsigned>((call.points.n + queries - 1) / queries);
  kernel<<<blocks, threads, bytes, call.stream>>>(call.points, call.exclusion, call.lanes, call.k,
                                                  call.distances, call.indices, selected_faults());
  detail::check(cudaGetLastError(), "te.knn: launch");
}

template <int D>
void launch_for(const Launch& call) {
  if (call.k <= 4) return launch<4, D>(call);
  if (call.k <= 8) return launch<8, D>(call);
  if (call.k <= 16) return launch<16, D>(call);
  launch<most_in_registers, D>(call);
}

}  // namespace

void knn_cuda(CUstream_st* stream, spatial::Rows points, std::span<const std::int64_t> trial_lengths,
              std::int64_t k, std::int64_t theiler_window, spatial::Search search,
              std::span<std::int32_t> bounds, double* distances, std::int64_t* indices) {
  const spatial::ExclusionFaults faults{.window_exclusive = mutant("te.knn.cuda_theiler_exclusive"),
                                        .ignore_trials = mutant("te.knn.cuda_trial_boundary_ignored"),
                                        .admit_self = mutant("te.knn.cuda_includes_self")};
  const Launch call{stream,
                    {points.data, points.n, points.d},
                    spatial::exclusion_cuda(stream, points.n, trial_lengths, theiler_window, faults, bounds),
                    spatial::lanes_for(points.n, points.d, search),
                    k,
                    distances,
                    indices};
  spatial::for_dimensions(points.d, [&]<int D>(spatial::Dimensions<D>) { launch_for<D>(call); });
}

}  // namespace assay::kernels::te
