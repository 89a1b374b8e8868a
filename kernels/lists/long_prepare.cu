// What the search of many points reads: each source ranked once for all targets; each target's order along z,
// and some sources in that order.
#include <math_constants.h>
#include <algorithm>

#include "engine/runtime/with_cuda_check.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/lists/guide_build.cuh"
#include "kernels/lists/long_lists.hpp"
#include "kernels/lists/wavelet.hpp"
#include "kernels/windows/scale.hpp"

namespace assay::kernels::lists {

namespace {

constexpr int kThreads = 256;

unsigned blocks_for(std::int64_t count) {
  return static_cast<unsigned>(std::clamp<std::int64_t>((count + kThreads - 1) / kThreads, 1, 4096));
}

/// blockIdx.y + first is the source. A source's density at a point is taken over as many ranks as leave it
/// local.
__global__ void rank_sources(LongSources sources, std::int64_t first) {
  const std::int64_t source = first + blockIdx.y, at = source * sources.n;
  const std::int32_t n = sources.n, half = min(max(n / 256, 16), 1024);
  const double* sorted = sources.sorted + at;
  const double scale = *sources.scale;
  const auto thread = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x),
             step = static_cast<std::int32_t>(gridDim.x * blockDim.x);
  for (std::int32_t r = thread; r < n; r += step) {
    const std::int32_t row = sources.rows[at + r], low = max(r - half, 0), high = min(r + half, n - 1);
    const bool repeats = (r > 0 && sorted[r] == sorted[r - 1]) || (r + 1 < n && sorted[r] == sorted[r + 1]);
    const float room = guess(sorted[high], sorted[low], scale);
    sources.ranks[at + row] = r;
    sources.spreads[at + row] =
        repeats ? -1.0f : cbrtf(room * static_cast<float>(n) / static_cast<float>(high - low));
  }
  const Guide guide = guide_of(sorted, n, long_buckets(n));
  if (thread == 0) sources.guides[source] = guide;
  find_starts(sorted, n, guide, long_buckets(n), sources.starts + source * long_starts(n), long_starts(n),
              thread, step);
}

__global__ void place_rows(LongTarget target) {
  for (auto p = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x); p < target.n;
       p += static_cast<std::int32_t>(gridDim.x * blockDim.x))
    target.places[target.rows[p]] = p;
}

__global__ void order_target(LongTarget target, const double* scale) {
  const std::int32_t n = target.n, buckets = long_buckets(n);
  const double *y = target.columns, *z = target.columns + n;
  const double y_centre = target.y_sorted[n / 2], z_centre = z[n / 2];
  const auto thread = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x),
             step = static_cast<std::int32_t>(gridDim.x * blockDim.x);
  for (std::int32_t p = thread; p < n; p += step) {
    target.plane[target.rows[p]] = make_float2(guess(y[p], y_centre, *scale), guess(z[p], z_centre, *scale));
    target.y_ranks[target.places[target.y_rows[p]]] = static_cast<std::uint32_t>(p);
  }
  const Guide of_y = guide_of(target.y_sorted, n, buckets), of_z = guide_of(z, n, buckets);
  if (thread == 0) {
    target.guides[0] = of_y;
    target.guides[1] = of_z;
  }
  find_starts(target.y_sorted, n, of_y, buckets, target.starts, long_starts(n), thread, step);
  find_starts(z, n, of_z, buckets, target.starts + long_starts(n), long_starts(n), thread, step);
}

/// (count, n) by row to (n, padded) by place, 32 columns by 32 places a block; padding has no limit.
__global__ void lay_pairs(LongSources sources, LongTarget target, LongPairs pairs) {
  __shared__ double values[32][33];
  __shared__ float spreads[32][33];
  const std::int32_t n = target.n;
  const std::int64_t column = std::int64_t{blockIdx.y} * 32;
  const std::int32_t place = static_cast<std::int32_t>(blockIdx.x) * 32;
  const auto x = static_cast<std::int32_t>(threadIdx.x);
  for (auto j = static_cast<std::int32_t>(threadIdx.y); j < 32; j += 8) {
    const std::int64_t c = column + j;
    const bool there = c < pairs.count && place + x < n;
    const std::int64_t at = there ? (pairs.first + c) * n + target.rows[place + x] : 0;
    const double value = there ? sources.x[at] : CUDART_NAN;
    values[j][x] = value;
    spreads[j][x] = there ? sources.spreads[at] : -1.0f;
    if (!there) continue;
    pairs.x[c * n + place + x] = value;
    pairs.ranks[c * n + place + x] = static_cast<std::uint32_t>(sources.ranks[at]);
  }
  __syncthreads();
  const std::int64_t c = column + x;
  const double centre = c < pairs.count ? sources.sorted[(pairs.first + c) * n + n / 2] : 0.0;
  for (auto j = static_cast<std::int32_t>(threadIdx.y); j < 32; j += 8) {
    if (place + j >= n) continue;
    const std::int64_t to = (place + j) * pairs.padded + c;
    pairs.by_place[to] = values[x][j];
    pairs.guess_by_place[to] = guess(values[x][j], centre, *sources.scale);
    pairs.spread_by_place[to] = spreads[x][j];
  }
}

}  // namespace

void prepare_long_sources(CUstream_st* stream, Workspace& workspace, const LongSources& sources) {
  const windows::Values all[] = {{sources.x, sources.count * sources.n}};
  windows::find_scale(stream, workspace, all, sources.scale);
  constexpr std::int64_t kMostRows = 65'535;  // of a grid
  for (std::int64_t first = 0; first < sources.count; first += kMostRows)
    rank_sources<<<dim3(std::min(blocks_for(sources.n), 64u),
                        static_cast<unsigned>(std::min(kMostRows, sources.count - first))),
                   kThreads, 0, stream>>>(sources, first);
  detail::check(cudaGetLastError(), "lists: sources: launch");
}

void prepare_long_target(CUstream_st* stream, const LongTarget& target, const double* scale) {
  place_rows<<<blocks_for(target.n), kThreads, 0, stream>>>(target);
  order_target<<<blocks_for(target.n), kThreads, 0, stream>>>(target, scale);
  detail::check(cudaGetLastError(), "lists: target: launch");
  build_wavelets(stream, target.y_ranks, 1, target.n, target.spare, target.wavelet);
}

void prepare_long_pairs(CUstream_st* stream, const LongSources& sources, const LongTarget& target,
                        const LongPairs& pairs) {
  lay_pairs<<<dim3(static_cast<unsigned>((target.n + 31) / 32), static_cast<unsigned>(pairs.padded / 32)),
              dim3(32, 8), 0, stream>>>(sources, target, pairs);
  detail::check(cudaGetLastError(), "lists: pairs: launch");
  build_wavelets(stream, pairs.ranks, pairs.count, target.n, pairs.spare, pairs.wavelets);
}

}  // namespace assay::kernels::lists
