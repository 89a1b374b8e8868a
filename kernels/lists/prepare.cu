// What the searches of a network read: each source transposed, sorted and ranked once for all targets, each
// target's sorted coordinates, its neighbour lists in (y, z) and its counts over the plane of (y, z) once for
// all sources.
#include <math_constants.h>
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/lists/lists.hpp"
#include "kernels/lists/prefix_bits.cuh"

namespace assay::kernels::lists {

namespace {

constexpr int kThreads = 256;
constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
/// A column is called tied when more than one in this many neighbours in its order are equal.
constexpr std::int32_t kTiedShare = 16;

/// The power of two that brings the largest magnitude below 2.
__global__ void find_scale(const double* values, std::int64_t count, int* exponent) {
  int largest = INT_MIN;
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < count;
       i += std::int64_t{gridDim.x} * blockDim.x)
    if (values[i] != 0.0) largest = max(largest, ilogb(values[i]));
  if (largest != INT_MIN) atomicMax(exponent, largest);
}

__global__ void start_scale(int* exponent) {
  *exponent = INT_MIN;
}

__global__ void store_scale(const int* exponent, double* scale) {
  const int e = *exponent == INT_MIN ? 0 : *exponent;
  *scale = scalbn(1.0, -max(e, -1022));
}

__device__ float guess(double value, double centre, double scale) {
  return static_cast<float>(value * scale -
                            centre * scale);  // exact products: their difference does not overflow
}

/// A block a column: guesses in order, rows and ranks, and whether it is tied.
__global__ void __launch_bounds__(kThreads)
    order_columns(const double* sorted, const std::int32_t* order, std::int32_t n, const double* scale,
                  float* guesses, std::uint16_t* rows, std::uint16_t* ranks, std::uint8_t* tied) {
  const std::int64_t first = std::int64_t{blockIdx.x} * n;
  const double centre = sorted[first + n / 2];
  std::int32_t equal = 0;
  for (std::int32_t r = static_cast<std::int32_t>(threadIdx.x); r < n; r += kThreads) {
    const double value = sorted[first + r];
    guesses[first + r] = guess(value, centre, *scale);
    const std::int32_t row = order[first + r];
    if (rows != nullptr) rows[first + r] = static_cast<std::uint16_t>(row);
    ranks[first + row] = static_cast<std::uint16_t>(r);
    equal += r > 0 && value == sorted[first + r - 1];
  }
  const std::int32_t all = __syncthreads_count(equal > 0);
  if (threadIdx.x == 0 && tied != nullptr) tied[blockIdx.x] = all * kTiedShare > min(n, kThreads) ? 1 : 0;
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

/// Sorts 128 keys of a warp, four a lane, rising: key 4 * lane + j in keys[j] when done.
__device__ void sort_128(std::uint64_t (&keys)[4]) {
  const std::int32_t lane = static_cast<std::int32_t>(threadIdx.x % 32);
#pragma unroll
  for (int size = 2; size <= 128; size *= 2) {
#pragma unroll
    for (int step = size / 2; step > 0; step /= 2) {
      if (step >= 4) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          const std::int32_t index = 4 * lane + j;
          const std::uint64_t other = __shfl_xor_sync(kWholeWarp, keys[j], step / 4);
          const bool rising = (index & size) == 0, lower = (index & step) == 0;
          const bool keep_smaller = rising == lower;
          keys[j] = (keys[j] < other) == keep_smaller ? keys[j] : other;
        }
      } else {
#pragma unroll
        for (int j = 0; j < 4; ++j)
          if ((j & step) == 0) {
            const bool rising = ((4 * lane + j) & size) == 0;
            const std::uint64_t a = keys[j], b = keys[j ^ step];
            const bool swap = (a > b) == rising;
            keys[j] = swap ? b : a;
            keys[j ^ step] = swap ? a : b;
          }
      }
    }
  }
}

/// A warp a point: its kListLength nearest in (y, z) by distance, then row. Distances are double's, rounded
/// to float, which keeps their order. kPer distances a lane.
template <int kPer>
__global__ void __launch_bounds__(kThreads)
    build_lists(Targets targets, spatial::ExclusionView exclusion, const double* scale, bool loses_last) {
  __shared__ std::uint64_t found[kThreads / 32][128];
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
  // A threshold that between kListLength and 128 distances do not exceed; where ties allow none, the least
  // that holds kListLength.
  std::uint32_t low = 0, high = kNone - 1;
  std::int32_t within = at_most(high);
  while (within > 128 && low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const std::int32_t count = at_most(middle);
    if (count >= kListLength) {
      high = middle;
      within = count;
    } else {
      low = middle + 1;
    }
  }
  std::uint64_t* into = found[warp];
#pragma unroll
  for (int j = 0; j < 4; ++j) into[4 * lane + j] = ~std::uint64_t{0};
  __syncwarp();
  // below the threshold first, so that among too many at it some are left out
  std::int32_t held = 0;
  for (int pass = within > 128 ? 0 : 1; pass < 2; ++pass)
#pragma unroll
    for (int q = 0; q < kPer; ++q) {
      const bool taken = within > 128 ? (pass == 0 ? bits[q] < high : bits[q] == high) : bits[q] <= high;
      const unsigned votes = __ballot_sync(kWholeWarp, taken);
      const std::int32_t place = held + __popc(votes & ((1u << lane) - 1u));
      if (taken && place < 128)
        into[place] = static_cast<std::uint64_t>(bits[q]) << 32 | static_cast<std::uint32_t>(q * 32 + lane);
      held += __popc(votes);
    }
  __syncwarp();
  std::uint64_t keys[4];
#pragma unroll
  for (int j = 0; j < 4; ++j) keys[j] = into[4 * lane + j];
  sort_128(keys);
  uint2* list = targets.lists + (target * n + i) * kListLength;
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const std::int32_t place = 4 * lane + j;
    if (place >= kListLength) continue;
    const bool there = keys[j] != ~std::uint64_t{0} && !(loses_last && place == kListLength / 4);
    // past the last neighbour: the point itself at an infinite distance, which ends every walk
    list[place] =
        there ? make_uint2(static_cast<std::uint32_t>(keys[j]), static_cast<std::uint32_t>(keys[j] >> 32))
              : make_uint2(static_cast<std::uint32_t>(i), loses_last && place == kListLength / 4
                                                              ? static_cast<std::uint32_t>(keys[j] >> 32)
                                                              : 0x7F800000u);
  }
}

/// A block a target.
__global__ void __launch_bounds__(kThreads) build_planes(Targets targets, const std::int32_t* y_order) {
  const std::int32_t n = targets.n, rows = prefix_rows(n), words = prefix_words(n);
  const std::int64_t target = blockIdx.x;
  const std::int32_t* order = y_order + target * n;
  const std::uint16_t* z_ranks = targets.z_ranks + target * n;
  build_prefix_bits<kThreads>(targets.plane_bits + target * rows * words,
                              targets.plane_counts + target * rows * words, n, rows, words,
                              [&](std::int32_t rank) { return z_ranks[order[rank]]; });
}

}  // namespace

void prepare_columns(CUstream_st* stream, Workspace& workspace, const Columns& columns,
                     const std::int32_t* order) {
  const Workspace::Frame frame(workspace);
  int* exponent = workspace.take<int>(1).data();
  start_scale<<<1, 1, 0, stream>>>(exponent);
  find_scale<<<512, kThreads, 0, stream>>>(columns.x, columns.count * columns.n, exponent);
  store_scale<<<1, 1, 0, stream>>>(exponent, columns.scale);
  order_columns<<<static_cast<unsigned>(columns.count), kThreads, 0, stream>>>(
      columns.sorted, order, columns.n, columns.scale, columns.guess_sorted, columns.rows, columns.ranks,
      columns.tied);
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
                     const double* scale) {
  const auto many = static_cast<unsigned>(targets.count);
  const std::int32_t n = targets.n;
  order_columns<<<many, kThreads, 0, stream>>>(targets.y_sorted, y_order, n, scale, targets.y_guess,
                                               targets.y_rows, targets.y_ranks, nullptr);
  order_columns<<<many, kThreads, 0, stream>>>(targets.z_sorted, z_order, n, scale, targets.z_guess, nullptr,
                                               targets.z_ranks, targets.tied);
  const bool loses_last = mutant("te.network.cuda_list_entry_lost");
  const dim3 grid(static_cast<unsigned>((n + kThreads / 32 - 1) / (kThreads / 32)), many);
  if (n <= 256)
    build_lists<8><<<grid, kThreads, 0, stream>>>(targets, exclusion, scale, loses_last);
  else if (n <= 1024)
    build_lists<32><<<grid, kThreads, 0, stream>>>(targets, exclusion, scale, loses_last);
  else
    build_lists<64><<<grid, kThreads, 0, stream>>>(targets, exclusion, scale, loses_last);
  build_planes<<<many, kThreads, 0, stream>>>(targets, y_order);
  detail::check(cudaGetLastError(), "lists: targets: launch");
}

}  // namespace assay::kernels::lists
