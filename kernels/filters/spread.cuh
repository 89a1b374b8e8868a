#pragma once

// How rows are spread over the blocks of clusters, and the launch of a kernel that holds them so.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>

#include "engine/runtime/with_cuda_check.hpp"
#include "engine/tensors/logit_rows.hpp"
#include "kernels/filters/part.cuh"
#include "kernels/filters/peers.cuh"

namespace assay::kernels::filters {

/// Whether the device runs clusters and this program holds machine code of its generation.
inline bool runs_clusters(int device) {
  int major = 0;
  detail::check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
                "cudaDeviceGetAttribute");
  constexpr int compiled_for[] = {__CUDA_ARCH_LIST__};
  return major >= 9 && std::any_of(std::begin(compiled_for), std::end(compiled_for),
                                   [&](int architecture) { return architecture / 100 == major; });
}

struct Spread {
  int blocks = 1;   ///< of a cluster, each row one
  int segment = 0;  ///< tokens of a warp
};

/// The device that is current.
struct CurrentDevice {
  int number = 0, multiprocessors = 0;

  CurrentDevice() {
    detail::check(cudaGetDevice(&number), "cudaGetDevice");
    detail::check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, number),
                  "cudaDeviceGetAttribute");
  }
};

/// Long rows go to more blocks, and so do short ones where there are too few of them to fill the device. What
/// is computed must not depend on it.
inline Spread spread_of(std::int64_t rows, std::int64_t tokens) {
  constexpr std::int64_t most_tokens_of_block = 16'384, least_tokens_of_block = 1'024;
  const CurrentDevice device;
  int blocks = 1;
  if (runs_clusters(device.number)) {
    while (blocks < most_blocks && tokens > blocks * most_tokens_of_block) blocks *= 2;
    while (blocks < most_blocks && rows * blocks * 2 <= device.multiprocessors &&
           tokens > blocks * least_tokens_of_block)
      blocks *= 2;
  }
  return {blocks, static_cast<int>(segment_of(tokens, blocks))};
}

/// Where rows are read and not held: `least` blocks each, `resident` of them on a multiprocessor, and more
/// where there are fewer rows, as long as every thread has four tokens to read.
inline Spread spread_of_stream(std::int64_t rows, std::int64_t tokens, int resident = 2, int least = 1) {
  const CurrentDevice device;
  Spread spread;
  while (runs_clusters(device.number) && spread.blocks < most_blocks &&
         (spread.blocks < least || rows * spread.blocks * 2 <= resident * device.multiprocessors) &&
         tokens >= std::int64_t{2} * spread.blocks * 4 * block_threads)
    spread.blocks *= 2;
  return spread;
}

/// Bytes of a block's part of a row.
inline std::size_t bytes_held(const Spread& spread) {
  return static_cast<std::size_t>(spread.segment) * block_warps * sizeof(float);
}

struct LaunchOptions {
  LaunchOptions(std::size_t bytes, bool overlaps = false) : memory(bytes), overlapping(overlaps) {}

  std::size_t memory;  ///< dynamic shared memory of a block
  bool overlapping;    ///< may start while the kernel before it still runs: it calls wait_for_previous_kernel
};

/// A cluster for each of `rows`. Throws DeviceError where the launch fails, or where a block of this device
/// has not so much memory.
template <typename... Parameters, typename... Given>
void launch_spread(const char* operation, CUstream_st* stream, std::int64_t rows, const Spread& spread,
                   LaunchOptions options, void (*kernel)(Parameters...), Given... given) {
  if (rows > (std::int64_t{1} << 31) / most_blocks - 1)
    throw DeviceError(std::string(operation) + ": " + std::to_string(rows) + " rows; expected below 2^28",
                      false);
  const cudaError_t allowed = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                   static_cast<int>(options.memory));
  if (allowed == cudaErrorInvalidValue) {
    (void)cudaGetLastError();
    throw DeviceError(std::string(operation) + ": a row needs " + std::to_string(options.memory) +
                          " bytes of a block's shared memory, which this device has not; expected compute "
                          "capability 9.0 or later, whose blocks share a row",
                      false);
  }
  detail::check(allowed, "cudaFuncSetAttribute");
  cudaLaunchAttribute attributes[2]{};
  cudaLaunchConfig_t configuration{};
  configuration.gridDim = dim3(static_cast<unsigned>(rows * spread.blocks));
  configuration.blockDim = dim3(block_threads);
  configuration.dynamicSmemBytes = options.memory;
  configuration.stream = stream;
  configuration.attrs = attributes;
  if (spread.blocks > 1) {
    cudaLaunchAttribute& cluster = attributes[configuration.numAttrs++];
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {static_cast<unsigned>(spread.blocks), 1, 1};
  }
  if (options.overlapping) {
    cudaLaunchAttribute& overlap = attributes[configuration.numAttrs++];
    overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    overlap.val.programmaticStreamSerializationAllowed = 1;
  }
  detail::check(cudaLaunchKernelEx(&configuration, kernel, given...), operation);
}

/// Lets a kernel that overlaps this one start.
__device__ inline void let_next_kernel_start() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
/// What the kernel before has written is there. Does nothing in a kernel that was launched in the usual way.
__device__ inline void wait_for_previous_kernel() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// Whether four neighbours from a multiple of four can be read at once, in every row.
template <typename T>
bool reads_by_four(const std::byte* data, std::int64_t row_stride) {
  return reinterpret_cast<std::uintptr_t>(data) % (4 * sizeof(T)) == 0 && row_stride % 4 == 0;
}

/// A row of a call as a block reads it.
template <typename T>
__device__ Source<T> source_of(const LogitRows& in, std::int64_t row, bool aligned) {
  return {reinterpret_cast<const T*>(in.data) + row * in.row_stride,
          in.mask == nullptr ? nullptr : in.mask + row * in.words(), static_cast<int>(in.tokens), aligned,
          0.0f};
}

}  // namespace assay::kernels::filters
