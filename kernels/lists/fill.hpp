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

/// Into how many parts to cut each of `rows` pieces of equal work, at most `most`, so that whole waves of
/// blocks fill the device.
template <class Kernel>
std::int64_t fill_device(Kernel kernel, int threads, std::size_t bytes, std::int64_t rows,
                         std::int64_t most) {
  int device = 0, multiprocessors = 0, blocks = 0;
  detail::check(cudaGetDevice(&device), "lists: device");
  detail::check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
                "lists: multiprocessors");
  detail::check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, bytes),
                "lists: occupancy");
  const std::int64_t slots = std::int64_t{multiprocessors} * std::max(blocks, 1);
  std::int64_t best = 1;
  double best_share = 0;
  for (std::int64_t parts = 1; parts <= std::clamp<std::int64_t>(4 * slots / rows, 1, most); ++parts) {
    const double waves = static_cast<double>(rows * parts) / static_cast<double>(slots);
    const double share = waves / static_cast<double>((rows * parts + slots - 1) / slots);
    if (share > best_share + 0.01) {  // fewer parts where it makes no difference
      best_share = share;
      best = parts;
    }
  }
  return best;
}

}  // namespace assay::kernels::lists
