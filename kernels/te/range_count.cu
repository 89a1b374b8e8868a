// te.range_count on CUDA: every point against all points, tile by tile through shared memory
// (kernels/spatial/ tiled_points.hpp). 1 to 32 lanes of a warp share a point, by the number of points, and
// add up their counts.
//
// A point is within the radius where every coordinate is: two operations a dimension, a difference and a
// comparison that takes the ones before along. Excluded rows are counted with all others and taken off
// afterwards, each by the same comparisons: they are few, and the loop over all points asks for no row
// number.
#include <cstdint>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/spatial/exclusion_cuda.hpp"
#include "kernels/spatial/tiled_points.hpp"
#include "kernels/te/range_count.hpp"

namespace assay::kernels::te {

namespace {

using spatial::DevicePoints;
using spatial::ExclusionView;

// Planted faults, handed to the kernel by value; constants in the usual build.
struct Faults {
#ifdef ASSAY_MUTANTS
  bool lost_tile, missing_barrier, lost_lane, subtract_always, radius_unchecked, unhandled_tail,
      dimension_ignored, float_radius;
#else
  static constexpr bool lost_tile = false, missing_barrier = false, lost_lane = false,
                        subtract_always = false, radius_unchecked = false, unhandled_tail = false,
                        dimension_ignored = false, float_radius = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.range_count.cuda_lost_tile"),
          mutant("te.range_count.cuda_missing_barrier"),
          mutant("te.range_count.cuda_lost_lane"),
          mutant("te.range_count.cuda_excluded_always_subtracted"),
          mutant("te.range_count.cuda_radius_unchecked"),
          mutant("te.range_count.cuda_unhandled_tail"),
          mutant("te.range_count.cuda_dimension_ignored"),
          mutant("te.range_count.cuda_float_radius")};
#else
  return {};
#endif
}

constexpr int threads = 128;
constexpr unsigned whole_warp = 0xFFFFFFFFu;

template <bool Strict, int D>
__global__ void __launch_bounds__(threads, 8)
    count_within(DevicePoints points, const double* radii, ExclusionView exclusion, int lanes,
                 std::int64_t* counts, volatile std::uint32_t* status, Faults faults) {
  extern __shared__ double2 room[];
  const int lane = static_cast<int>(threadIdx.x) & (lanes - 1);
  const int slot = static_cast<int>(threadIdx.x) / lanes;
  const int queries = threads / lanes;
  const std::int64_t first_query = std::int64_t{blockIdx.x} * queries;
  // Threads beyond the last point count for it as well: all have part in barriers and shuffles.
  const bool inside = first_query + slot < points.n;
  const std::int64_t row = inside ? first_query + slot : points.n - 1;
  const int ignored = faults.dimension_ignored && points.d > 1 ? 1 : 0;
  spatial::TiledPoints<D, threads> tiles(points, room, first_query, queries, row, slot, ignored);
  const double radius =
      faults.float_radius ? static_cast<double>(static_cast<float>(radii[row])) : radii[row];
  if (!(radius >= 0) && !faults.radius_unchecked)
    *status = static_cast<std::uint32_t>(DeviceStatus::value_out_of_range);
  const auto within = [radius](double difference) {
    return Strict ? difference < radius : difference <= radius;
  };

  int count = 0;
  const std::int64_t end =
      faults.lost_tile && points.n > tiles.size() ? (points.n - 1) / tiles.size() * tiles.size() : points.n;
  for (std::int64_t first = 0; first < end; first += tiles.size()) {
    // No difference from a NaN is within anything.
    tiles.bring(first, __longlong_as_double(0x7FFFFFFFFFFFFFFFll));
    if (!faults.missing_barrier) __syncthreads();
    const int held = static_cast<int>(points.n - first < tiles.size() ? points.n - first : tiles.size());
    const int counted = faults.unhandled_tail ? held / (4 * lanes) * (4 * lanes) : held;
    for (int step = 0; 2 * step < counted; step += 2 * lanes) {
      bool passes[4];
      tiles.test_four(passes, step + lane, lanes, within);
      count += (passes[0] ? 1 : 0) + (passes[1] ? 1 : 0) + (passes[2] ? 1 : 0) + (passes[3] ? 1 : 0);
    }
    __syncthreads();
  }

  std::int32_t excluded = 0, excluded_end = 0;
  exclusion.of(static_cast<std::int32_t>(row), excluded, excluded_end);
  for (std::int64_t other = std::int64_t{excluded} + lane; other < excluded_end; other += lanes)
    if (tiles.test_row(other, within) || faults.subtract_always) --count;

  if (faults.lost_lane && lanes > 1 && lane == lanes - 1) count = 0;
  for (int offset = lanes / 2; offset > 0; offset /= 2) count += __shfl_xor_sync(whole_warp, count, offset);
  if (inside && lane == 0) counts[row] = count;
}

struct Launch {
  cudaStream_t stream;
  DevicePoints points;
  const double* radii;
  ExclusionView exclusion;
  int lanes;
  std::int64_t* counts;
  std::uint32_t* status;
};

template <bool Strict, int D>
void launch(const Launch& call) {
  const auto kernel = count_within<Strict, D>;
  const int queries = threads / call.lanes;
  const std::size_t bytes = spatial::tile_bytes<D>(static_cast<int>(call.points.d), queries);
  if (bytes > std::size_t{48} << 10)
    detail::check(
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
        "cudaFuncSetAttribute");
  const auto blocks = static_cast<unsigned>((call.points.n + queries - 1) / queries);
  kernel<<<blocks, threads, bytes, call.stream>>>(call.points, call.radii, call.exclusion, call.lanes,
                                                  call.counts, call.status, selected_faults());
  detail::check(cudaGetLastError(), "te.range_count: launch");
}

}  // namespace

void range_count_cuda(CUstream_st* stream, spatial::Rows points, const double* radii,
                      std::span<const std::int64_t> trial_lengths, bool strict, std::int64_t theiler_window,
                      spatial::Search search, std::span<std::int32_t> bounds, std::int64_t* counts,
                      std::uint32_t* status) {
  if (mutant("te.range_count.cuda_not_strict")) strict = false;
  const spatial::ExclusionFaults faults{.window_exclusive = mutant("te.range_count.cuda_theiler_exclusive"),
                                        .ignore_trials = mutant("te.range_count.cuda_trial_boundary_ignored"),
                                        .admit_self = mutant("te.range_count.cuda_counts_self")};
  const Launch call{stream,
                    {points.data, points.n, points.d},
                    radii,
                    spatial::exclusion_cuda(stream, points.n, trial_lengths, theiler_window, faults, bounds),
                    spatial::lanes_for(points.n, points.d, search),
                    counts,
                    status};
  spatial::for_dimensions(points.d, [&]<int D>(spatial::Dimensions<D>) {
    strict ? launch<true, D>(call) : launch<false, D>(call);
  });
}

}  // namespace assay::kernels::te
