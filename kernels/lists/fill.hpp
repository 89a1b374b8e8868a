#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>

#include "engine/runtime/with_cuda_check.hpp"

namespace assay::kernels::lists {

/// Bytes of shared memory that a block may have on the current device.
inline std::size_t most_shared() {
  int device = 0, bytes = 0;
  detail::check(cudaGetDevice(&device), "lists: device");
  detail::check(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
                "lists: shared memory");
  return static_cast<std::size_t>(bytes);
}

/// Lets a kernel have all the dynamic shared memory there is: a lower limit could come between another
/// thread's call and its launch.
template <class Kernel>
void allow_shared(Kernel kernel) {
  cudaFuncAttributes attributes{};
  detail::check(cudaFuncGetAttributes(&attributes, kernel), "lists: attributes");
  detail::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(most_shared() - attributes.sharedSizeBytes)),
                "lists: shared memory");
}

/// Blocks that run beside each other on the device.
template <class Kernel>
std::int64_t device_slots(Kernel kernel, int threads, std::size_t bytes) {
  int device = 0, multiprocessors = 0, blocks = 0;
  detail::check(cudaGetDevice(&device), "lists: device");
  detail::check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
                "lists: multiprocessors");
  detail::check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, bytes),
                "lists: occupancy");
  return std::int64_t{multiprocessors} * std::max(blocks, 1);
}

/// Into how many parts to cut the `items` of each of `rows`, a block each, where a block has `workers` that take
/// an item at a time, and its start costs as much as `start` items: so that whole waves of blocks fill the
/// device and a block's workers have as many items each.
template <class Kernel>
std::int64_t fill_device(Kernel kernel, int threads, std::size_t bytes, std::int64_t rows, std::int64_t items,
                         std::int64_t workers, double start) {
  const auto up = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  const std::int64_t slots = device_slots(kernel, threads, bytes);
  std::int64_t best = 1;
  double least = 0;
  for (std::int64_t parts = 1; parts <= std::clamp<std::int64_t>(16 * slots / rows, 1, up(items, workers));
       ++parts) {
    const double time =
        static_cast<double>(up(rows * parts, slots)) * (static_cast<double>(up(items, parts * workers)) + start);
    if (parts == 1 || time < 0.99 * least) {  // fewer parts where it makes no difference
      least = time;
      best = parts;
    }
  }
  return best;
}

}  // namespace assay::kernels::lists
