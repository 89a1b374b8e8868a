#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <iterator>

#include "engine/runtime/with_cuda_check.hpp"

namespace assay::kernels::clusters {

/// Whether the current device runs clusters and this program holds machine code of its generation; code made
/// at start from older PTX would hold the kernels without their cluster part.
inline bool available() {
  int device = 0;
  int major = 0;
  detail::check(cudaGetDevice(&device), "cudaGetDevice");
  detail::check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
                "cudaDeviceGetAttribute");
  constexpr int compiled_for[] = {__CUDA_ARCH_LIST__};
  return major >= 9 && std::any_of(std::begin(compiled_for), std::end(compiled_for),
                                   [&](int architecture) { return architecture / 100 == major; });
}

}  // namespace assay::kernels::clusters
