#pragma once

// Kernels that begin while the one before them in their stream still ends (programmatic dependent launch,
// from sm_90 on; elsewhere they begin when it has ended).
#include <cuda_runtime.h>

#include "engine/runtime/with_cuda_check.hpp"

namespace assay::kernels::copies {

/// Every thread calls it before it touches memory that the kernel before may read or write: all of it has
/// been done then. From there on the next chained kernel may begin to wait in the same way.
__device__ inline void wait_for_kernel_before() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/// Launches a kernel whose threads call wait_for_kernel_before().
template <class... Parameters, class... Values>
void launch_chained(cudaStream_t stream, unsigned blocks, unsigned threads, std::size_t shared_bytes,
                    void (*kernel)(Parameters...), const char* what, Values&&... values) {
  cudaLaunchAttribute early{};
  early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  early.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t configuration{};
  configuration.gridDim = blocks;
  configuration.blockDim = threads;
  configuration.dynamicSmemBytes = shared_bytes;
  configuration.stream = stream;
  configuration.attrs = &early;
  configuration.numAttrs = 1;
  detail::check(cudaLaunchKernelEx(&configuration, kernel, std::forward<Values>(values)...), what);
}

}  // namespace assay::kernels::copies
