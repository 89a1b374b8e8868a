// What the searches of a network read: each source transposed, sorted and ranked once for all targets, each
// target's sorted coordinates, its neighbour lists in (y, z) and its counts over the plane of (y, z) once for
// all sources.
#include <math_constants.h>
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/lists/guide_build.cuh"
#include "kernels/lists/lists.hpp"
#include "kernels/lists/prefix_bits.cuh"
#include "kernels/lists/sort_keys.cuh"
#include "kernels/windows/scale.hpp"

namespace assay::kernels::lists {

namespace {

constexpr int kThreads = 256;
constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
/// A column is called tied when more than one in this many neighbours in its order are equal.
constexpr std::int32_t kTiedShare = 16;
/// Neighbours in the plane that its density is taken from.
constexpr std::int32_t kReached = 16;

/// A block a column: guesses and spreads in order, rows and ranks, guides, and whether it is tied.
__global__ void __launch_bounds__(kThreads) order_columns(Columns columns, const std::int32_t* order) {
  const std::int32_t n = columns.n;
  const std::int64_t column = blockIdx.x, first = column * n;
  const double* sorted = columns.sorted + first;
  const double centre = sorted[n / 2];
  const auto thread = static_cast<std::int32_t>(threadIdx.x);
  std::int32_t equal = 0;
  for (std::int32_t r = thread; r < n; r += kThreads) {
    const double value = sorted[r];
    columns.guess_sorted[first + r] = guess(value, centre, *columns.scale);
    const std::int32_t row = order[first + r];
    columns.rows[first + r] = static_cast<std::uint16_t>(row);
    columns.ranks[first + row] = static_cast<std::uint16_t>(r);
    equal += r > 0 && value == sorted[r - 1];
  }
  const std::int32_t all = __syncthreads_count(equal > 0);
  const bool tied = all * kTiedShare > min(n, kThreads);
  if (thread == 0) {
    columns.tied[column] = tied ? 1 : 0;
    columns.guides[column] = guide_of(sorted, n, guide_buckets(n));
  }
  find_starts(sorted, n, guide_of(sorted, n, guide_buckets(n)), guide_buckets(n),
              columns.starts + column * guide_starts(n), guide_starts(n), thread, kThreads);
  // How thin the points lie at each, over as many ranks as leave it local; over more where values repeat.
  const std::int32_t half = tied ? max(n / 16, 1) : min(16, max(n / 16, 1)), tail = tail_of(n);
  for (std::int32_t r = thread; r < n; r += kThreads) {
    const std::int32_t low = max(r - half, 0), high = min(r + half, n - 1);
    const float room = columns.guess_sorted[first + high] - columns.guess_sorted[first + low];
    const float spread = cbrtf(room * static_cast<float>(n) / static_cast<float>(high - low));
    columns.spread_by_row[columns.rows[first + r] * columns.padded + column] =
        r < tail || r >= n - tail ? -1.0f : spread;
  }
}

/// A block an axis of a target.
__global__ void __launch_bounds__(kThreads)
    order_axis(Axis axis, const std::int32_t* order, std::int32_t n, std::uint8_t* tied) {
  const std::int64_t target = blockIdx.x, first = target * n;
  const double* sorted = axis.sorted + first;
  std::int32_t equal = 0;
  for (auto r = static_cast<std::int32_t>(threadIdx.x); r < n; r += kThreads) {
    axis.ranks[first + order[first + r]] = static_cast<std::uint16_t>(r);
    equal += r > 0 && sorted[r] == sorted[r - 1];
  }
  const std::int32_t all = __syncthreads_count(equal > 0);
  if (threadIdx.x == 0) {
    if (tied != nullptr) tied[target] = all * kTiedShare > min(n, kThreads) ? 1 : 0;
    axis.guides[target] = guide_of(sorted, n, guide_buckets(n));
  }
  find_starts(sorted, n, guide_of(sorted, n, guide_buckets(n)), guide_buckets(n),
              axis.starts + target * guide_starts(n), guide_starts(n), static_cast<std::int32_t>(threadIdx.x),
              kThreads);
}

/// y and z as guesses, and where the points in the order of y stand along z.
__global__ void __launch_bounds__(kThreads)
    lay_plane(Targets targets, const std::int32_t* y_order, const double* scale) {
  const std::int32_t n = targets.n;
  const std::int64_t first = std::int64_t{blockIdx.x} * n;
  const double y_centre = targets.in_y.sorted[first + n / 2], z_centre = targets.in_z.sorted[first + n / 2];
  std::uint16_t* positions = targets.plane_positions + blockIdx.x * std::int64_t{octets(n)};
  for (auto i = static_cast<std::int32_t>(threadIdx.x); i < octets(n); i += kThreads) {
    if (i >= n) {
      positions[i] = kNoPosition;
      continue;
    }
    targets.plane[first + i] = make_float2(guess(targets.y[first + i], y_centre, *scale),
                                           guess(targets.z[first + i], z_centre, *scale));
    positions[i] = targets.in_z.ranks[first + y_order[first + i]];
  }
}

/// (count, n) to (n, padded) in double and as guesses; padding is NaN, which no comparison holds for.
__global__ void transpose(Columns columns) {
  __shared__ double tile[32][33];
  const std::int64_t column = std::int64_t{blockIdx.y} * 32;
  const std::int32_t row = static_cast<std::int32_t>(blockIdx.x) * 32;
  for (std::int32_t j = static_cast<std::int32_t>(threadIdx.y); j < 32; j += 8) {
    const std::int64_t c = column + j;
    const std::int32_t i = row + static_cast<std::int32_t>(threadIdx.x);
    tile[j][threadIdx.x] = c < columns.count && i < columns.n ? columns.x[c * columns.n + i] : CUDART_NAN;
  }
  __syncthreads();
  const std::int64_t c = column + threadIdx.x;
  const double centre = c < columns.count ? columns.sorted[c * columns.n + columns.n / 2] : 0.0;
  for (std::int32_t j = static_cast<std::int32_t>(threadIdx.y); j < 32; j += 8) {
    const std::int32_t i = row + j;
    if (i >= columns.n) continue;
    const double value = tile[threadIdx.x][j];
    columns.by_row[i * columns.padded + c] = value;
    columns.guess_by_row[i * columns.padded + c] = guess(value, centre, *columns.scale);
  }
}

/// A warp a point: its kLength nearest in (y, z) by distance, then row. Distances are double's, rounded
/// to float, which keeps their order. kPer distances a lane.
template <int kPer, int kLength>
__global__ void __launch_bounds__(kThreads)
    build_lists(Targets targets, spatial::ExclusionView exclusion, const double* scale, std::int32_t k,
                bool loses_last) {
  constexpr int kKeys = kLength / 32;  // of a lane
  __shared__ std::uint64_t found[kThreads / 32][kLength];
  const std::int32_t n = targets.n;
  const std::int32_t warp = static_cast<std::int32_t>(threadIdx.x / 32),
                     lane = static_cast<std::int32_t>(threadIdx.x % 32);
  const std::int64_t target = blockIdx.y;
  const std::int32_t i = static_cast<std::int32_t>(blockIdx.x) * (kThreads / 32) + warp;
  if (i >= n) return;
  const double* y = targets.y + target * n;
  const double* z = targets.z + target * n;
  const double own_y = y[i], own_z = z[i];
  std::int32_t excluded_begin = 0, excluded_end = 0;
  exclusion.of(i, excluded_begin, excluded_end);
  constexpr std::uint32_t kNone = 0x7F800001u;  // above the bits of infinity
  std::uint32_t bits[kPer];
#pragma unroll
  for (int q = 0; q < kPer; ++q) {
    const std::int32_t j = q * 32 + lane;
    bits[q] = kNone;
    if (j < n && (j < excluded_begin || j >= excluded_end)) {
      const double dy = fabs(y[j] - own_y), dz = fabs(z[j] - own_z);
      // a target far larger than the sources: the largest float, which is no neighbour for certain, not
      // infinity
      bits[q] = __float_as_uint(fminf(static_cast<float>((dy > dz ? dy : dz) * *scale), 0x1.fffffep127f));
    }
  }
  const auto at_most = [&](std::uint32_t threshold) {
    std::int32_t count = 0;
#pragma unroll
    for (int q = 0; q < kPer; ++q) count += bits[q] <= threshold;
    return static_cast<std::int32_t>(__reduce_add_sync(kWholeWarp, count));
  };
  // A threshold that kLength distances do not exceed; where ties allow none, the least that more do not.
  std::uint32_t low = kNone, high = 0;
#pragma unroll
  for (int q = 0; q < kPer; ++q) {
    low = min(low, bits[q]);
    high = max(high, bits[q] == kNone ? 0u : bits[q]);
  }
  low = __reduce_min_sync(kWholeWarp, low);
  high = __reduce_max_sync(kWholeWarp, high);
  std::int32_t within = at_most(high);
  while (within > kLength && low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const std::int32_t count = at_most(middle);
    if (count >= kLength) {
      high = middle;
      within = count;
    } else {
      low = middle + 1;
    }
  }
  std::uint64_t* into = found[warp];
#pragma unroll
  for (int j = 0; j < kKeys; ++j) into[kKeys * lane + j] = ~std::uint64_t{0};
  __syncwarp();
  // below the threshold first, so that among too many at it some are left out
  std::int32_t held = 0;
  for (int pass = within > kLength ? 0 : 1; pass < 2; ++pass)
#pragma unroll
    for (int q = 0; q < kPer; ++q) {
      const bool taken = within > kLength ? (pass == 0 ? bits[q] < high : bits[q] == high) : bits[q] <= high;
      const unsigned votes = __ballot_sync(kWholeWarp, taken);
      const std::int32_t place = held + __popc(votes & ((1u << lane) - 1u));
      if (taken && place < kLength)
        into[place] = static_cast<std::uint64_t>(bits[q]) << 32 | static_cast<std::uint32_t>(q * 32 + lane);
      held += __popc(votes);
    }
  __syncwarp();
  std::uint64_t keys[kKeys];
#pragma unroll
  for (int j = 0; j < kKeys; ++j) keys[j] = into[kKeys * lane + j];
  sort_keys(keys);
  std::uint32_t* list = targets.lists + (target * n + i) * 2 * kLength;
#pragma unroll
  for (int j = 0; j < kKeys; ++j) {
    const std::int32_t place = kKeys * lane + j;
    const bool there = keys[j] != ~std::uint64_t{0};
    // past the last neighbour: the point itself at an infinite distance, which ends every walk
    auto row = there ? static_cast<std::uint32_t>(keys[j]) : static_cast<std::uint32_t>(i);
    const auto distance = there ? static_cast<std::uint32_t>(keys[j] >> 32) : 0x7F800000u;
    if (loses_last && place == kLength / 8) row = static_cast<std::uint32_t>(i);
    list[place] = row | (fabs(y[row] - own_y) > fabs(z[row] - own_z) ? kAlongY : 0u);
    list[kLength + place] = distance;
    // The kReached nearest tell how dense the plane is there; the edge of a volume that holds k of them.
    const std::int32_t reached = min(kReached, n / 8 + 1);
    if (place == reached - 1) {
      const float edge = fminf(__uint_as_float(distance), 0x1p60f);
      targets.reach[target * n + i] =
          cbrtf(kSearchedShare * static_cast<float>(k) / static_cast<float>(2 * reached) * edge * edge);
    }
  }
}

/// A block a target.
__global__ void __launch_bounds__(kThreads) build_planes(Targets targets, const std::int32_t* y_order) {
  const std::int32_t n = targets.n, rows = prefix_rows(n), words = prefix_words(n);
  const std::int64_t target = blockIdx.x;
  const std::int32_t* order = y_order + target * n;
  const std::uint16_t* z_ranks = targets.in_z.ranks + target * n;
  build_prefix_bits<kThreads>(
      targets.plane_bits + target * rows * words, targets.plane_counts + target * rows * words, n, rows,
      words, static_cast<std::int32_t>(threadIdx.x), [] { __syncthreads(); },
      [&](std::int32_t rank) { return z_ranks[order[rank]]; });
}

}  // namespace

void prepare_columns(CUstream_st* stream, Workspace& workspace, const Columns& columns,
                     const std::int32_t* order) {
  const windows::Values all[] = {{columns.x, columns.count * columns.n}};
  windows::find_scale(stream, workspace, all, columns.scale);
  order_columns<<<static_cast<unsigned>(columns.count), kThreads, 0, stream>>>(columns, order);
  const auto down = static_cast<unsigned>((columns.n + 31) / 32);
  for (std::int64_t first = 0; first < columns.padded / 32; first += 65'535) {
    Columns part = columns;
    part.x += first * 32 * columns.n;
    part.sorted += first * 32 * columns.n;
    part.count -= first * 32;
    part.by_row += first * 32;
    part.guess_by_row += first * 32;
    transpose<<<dim3(down,
                     static_cast<unsigned>(std::min<std::int64_t>(65'535, columns.padded / 32 - first))),
                dim3(32, 8), 0, stream>>>(part);
  }
  detail::check(cudaGetLastError(), "lists: columns: launch");
}

void prepare_targets(CUstream_st* stream, const Targets& targets, const std::int32_t* y_order,
                     const std::int32_t* z_order, const spatial::ExclusionView& exclusion,
                     const double* scale, std::int32_t k) {
  const auto many = static_cast<unsigned>(targets.count);
  const std::int32_t n = targets.n;
  order_axis<<<many, kThreads, 0, stream>>>(targets.in_y, y_order, n, nullptr);
  order_axis<<<many, kThreads, 0, stream>>>(targets.in_z, z_order, n, targets.tied);
  lay_plane<<<many, kThreads, 0, stream>>>(targets, y_order, scale);
  const bool loses_last = mutant("te.network.cuda_list_entry_lost");
  const dim3 grid(static_cast<unsigned>((n + kThreads / 32 - 1) / (kThreads / 32)), many);
  if (n <= 256)
    build_lists<8, kShortList><<<grid, kThreads, 0, stream>>>(targets, exclusion, scale, k, loses_last);
  else if (n < kManyPoints)
    build_lists<16, kShortList><<<grid, kThreads, 0, stream>>>(targets, exclusion, scale, k, loses_last);
  else if (n <= 1024)
    build_lists<32, kListLength><<<grid, kThreads, 0, stream>>>(targets, exclusion, scale, k, loses_last);
  else
    build_lists<64, kListLength><<<grid, kThreads, 0, stream>>>(targets, exclusion, scale, k, loses_last);
  build_planes<<<many, kThreads, 0, stream>>>(targets, y_order);
  detail::check(cudaGetLastError(), "lists: targets: launch");
}

}  // namespace assay::kernels::lists
