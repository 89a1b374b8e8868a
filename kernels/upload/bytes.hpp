#pragma once

#include <cstddef>
#include <span>

struct CUstream_st;

namespace assay::kernels::upload {

#ifdef ASSAY_HAVE_CUDA
/// Copies `bytes` (a multiple of 4) from host memory to 4-byte aligned device memory, in stream order, by one
/// kernel for each 3,840 of them. The host's memory may change as soon as the call returns; the call may be
/// captured. Throws DeviceError where a launch fails.
void upload_cuda(CUstream_st* stream, void* to, const void* from, std::size_t bytes);

/// The same for elements of 4 or 8 bytes; `to` has room for as many.
template <typename T>
void upload_cuda(CUstream_st* stream, std::span<T> to, std::span<const T> from) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  upload_cuda(stream, to.data(), from.data(), from.size_bytes());
}
#endif

}  // namespace assay::kernels::upload
