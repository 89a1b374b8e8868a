// Sorting many short runs, or a few long ones. A run of up to kShortRun is sorted in shared memory by a block
// of its own, all keys at once: eight passes of a radix sort over so few took 0.3 ms for 1,000 runs. CUB's
// segmented radix sort has one block for a run, its device-wide one all blocks for one run; radix sorts are
// stable, so equal values keep the order of their rows.
#include <algorithm>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_segmented_radix_sort.cuh>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/windows/order.hpp"

namespace assay::kernels::windows {

namespace {

constexpr int kThreads = 256;
/// Longer runs than this are sorted one by one, by the whole device: a run of 10,000 keeps one block busy for
/// 0.25 ms.
constexpr std::int32_t kLongRun = 16'384;
constexpr std::int32_t kLongRunAlone = 2'048;

/// Longest run that a block sorts in shared memory.
constexpr std::int32_t kShortRun = 2'048;

/// The order of doubles as that of whole numbers; both zeros are one.
__device__ std::uint64_t key_of(double value) {
  const auto bits = static_cast<std::uint64_t>(__double_as_longlong(value + 0.0));
  return bits >> 63 != 0 ? ~bits : bits | std::uint64_t{1} << 63;
}

/// A block a run, by compare-and-exchange over `width` places, a power of two that n does not exceed; the
/// block has width / 2 threads. Equal values come by rising row; places past the run have the largest keys.
/// `ends_early` leaves out the last step (a planted fault).
__global__ void sort_short_runs(const double* values, std::int32_t n, std::int32_t width, double* sorted,
                                std::int32_t* rows, bool ends_early) {
  extern __shared__ std::uint64_t keys[];
  auto* owners = reinterpret_cast<std::uint16_t*>(keys + width);
  const std::int64_t first = std::int64_t{blockIdx.x} * n;
  const auto thread = static_cast<std::int32_t>(threadIdx.x);
  for (std::int32_t i = thread; i < width; i += width / 2) {
    keys[i] = i < n ? key_of(values[first + i]) : ~std::uint64_t{0};
    owners[i] = static_cast<std::uint16_t>(i);
  }
  for (std::int32_t size = 2; size <= width; size *= 2)
    for (std::int32_t step = size / 2; step > (ends_early && size == width ? 1 : 0); step /= 2) {
      __syncthreads();
      const std::int32_t lower = 2 * thread - (thread & (step - 1)), upper = lower + step;
      const std::uint64_t a = keys[lower], b = keys[upper];
      const std::uint16_t owner_a = owners[lower], owner_b = owners[upper];
      const bool greater = a > b || (a == b && owner_a > owner_b);
      if (greater != ((lower & size) == 0)) continue;
      keys[lower] = b;
      keys[upper] = a;
      owners[lower] = owner_b;
      owners[upper] = owner_a;
    }
  __syncthreads();
  for (std::int32_t i = thread; i < n; i += width / 2) {
    const std::int32_t row = owners[i];
    rows[first + i] = row;
    sorted[first + i] = values[first + row];  // the value as it came: a negative zero stays one
  }
}

__global__ void number_rows(std::int32_t* rows, std::int64_t count, std::int32_t n) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < count;
       i += std::int64_t{gridDim.x} * blockDim.x)
    rows[i] = static_cast<std::int32_t>(i % n);
}

__global__ void number_runs(std::int64_t* offsets, std::int64_t segments, std::int32_t n) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i <= segments;
       i += std::int64_t{gridDim.x} * blockDim.x)
    offsets[i] = i * n;
}

unsigned blocks_for(std::int64_t count) {
  return static_cast<unsigned>(std::clamp<std::int64_t>((count + kThreads - 1) / kThreads, 1, 4096));
}

}  // namespace

void sort_rows(CUstream_st* stream, Workspace& workspace, const double* values, std::int64_t segments,
               std::int32_t n, double* sorted, std::int32_t* rows) {
  const std::int64_t count = segments * n;
  if (count == 0) return;
  if (n <= kShortRun && segments < (std::int64_t{1} << 31)) {
    std::int32_t width = 64;
    while (width < n) width *= 2;
    const std::size_t bytes =
        static_cast<std::size_t>(width) * (sizeof(std::uint64_t) + sizeof(std::uint16_t));
    sort_short_runs<<<static_cast<unsigned>(segments), static_cast<unsigned>(width / 2), bytes, stream>>>(
        values, n, width, sorted, rows, mutant("te.network.cuda_sort_ends_early"));
    detail::check(cudaGetLastError(), "sort_rows: launch");
    return;
  }
  const Workspace::Frame frame(workspace);
  std::int32_t* numbered = workspace.take<std::int32_t>(static_cast<std::size_t>(count)).data();
  number_rows<<<blocks_for(count), kThreads, 0, stream>>>(numbered, count, n);
  std::size_t bytes = 0;
  if (n > (segments == 1 ? kLongRunAlone : kLongRun)) {
    detail::check(
        cub::DeviceRadixSort::SortPairs(nullptr, bytes, values, sorted, numbered, rows, n, 0, 64, stream),
        "sort_rows: size");
    std::byte* scratch = workspace.take_bytes(bytes);
    for (std::int64_t s = 0; s < segments; ++s)
      detail::check(cub::DeviceRadixSort::SortPairs(scratch, bytes, values + s * n, sorted + s * n,
                                                    numbered + s * n, rows + s * n, n, 0, 64, stream),
                    "sort_rows");
    return;
  }
  std::int64_t* offsets = workspace.take<std::int64_t>(static_cast<std::size_t>(segments + 1)).data();
  number_runs<<<blocks_for(segments + 1), kThreads, 0, stream>>>(offsets, segments, n);
  detail::check(
      cub::DeviceSegmentedRadixSort::SortPairs(nullptr, bytes, values, sorted, numbered, rows, count,
                                               segments, offsets, offsets + 1, 0, 64, stream),
      "sort_rows: size");
  std::byte* scratch = workspace.take_bytes(bytes);
  detail::check(
      cub::DeviceSegmentedRadixSort::SortPairs(scratch, bytes, values, sorted, numbered, rows, count,
                                               segments, offsets, offsets + 1, 0, 64, stream),
      "sort_rows");
}

}  // namespace assay::kernels::windows
