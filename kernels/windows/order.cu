// Sorting many short runs, or a few long ones: CUB's segmented radix sort has one block for a run, its
// device-wide one all blocks for one run. Radix sorts are stable, so equal values keep the order of their
// rows.
#include <algorithm>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_segmented_radix_sort.cuh>

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
