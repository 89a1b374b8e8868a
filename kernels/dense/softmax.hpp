#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/runtime/thread_pool.hpp"
#include "engine/tensors/dtype.hpp"

struct CUstream_st;

namespace assay::kernels::dense {

/// One call of dense.softmax after its arguments have been checked: f32, f16 or bf16, rows and columns at
/// least 1.
struct SoftmaxCall {
  DType dtype;
  const std::byte* x;  ///< (rows, columns), row stride in elements
  std::int64_t x_row_stride;
  std::byte* y;  ///< (rows, columns), contiguous
  std::int64_t rows;
  std::int64_t columns;
};

/// Floats of scratch that each worker of softmax_cpu needs.
std::size_t softmax_scratch(const SoftmaxCall& call);

/// CPU backend: SIMD within a row, rows shared out among the pool's workers. `scratch` holds softmax_scratch
/// floats for each worker.
void softmax_cpu(ThreadPool& pool, const SoftmaxCall& call, std::span<float> scratch);

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts one kernel on the stream, whose device is current. Throws DeviceError where the launch
/// fails.
void softmax_cuda(CUstream_st* stream, const SoftmaxCall& call);
#endif

}  // namespace assay::kernels::dense
