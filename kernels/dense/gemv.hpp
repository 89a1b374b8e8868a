#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/runtime/thread_pool.hpp"
#include "engine/tensors/block_format.hpp"
#include "engine/tensors/dtype.hpp"

struct CUstream_st;

namespace assay::kernels::dense {

inline constexpr int gemv_most_vectors = 8;

/// One call of dense.gemv after its arguments have been checked: rows at least 1, batch from 1 to
/// gemv_most_vectors.
struct GemvCall {
  BlockFormat format;
  const std::uint8_t* weights;  ///< (rows, blocks of columns elements), on any alignment
  std::int64_t weights_stride;  ///< between rows, in bytes
  DType x_type;                 ///< f32 or f16
  const std::byte* x;           ///< (batch, columns)
  std::int64_t x_stride;        ///< between vectors, in elements
  const float* bias;            ///< (rows); nullptr: none
  float* y;                     ///< (batch, rows), contiguous
  std::int64_t rows;
  std::int64_t columns;  ///< whole blocks; may be 0
  int batch;

  std::int64_t bytes_of_row() const { return columns / layout_of(format).length * layout_of(format).bytes; }
};

/// Rows that the CPU backend decodes at once, where it decodes; what a worker gets is whole groups of them.
inline constexpr int gemv_group_rows = 4;

/// Floats of scratch that gemv_cpu wants for a call: vectors widened, arranged, and sums of four of them.
inline std::size_t gemv_cpu_scratch(const GemvCall& call) {
  const auto activations = static_cast<std::size_t>(call.batch) * static_cast<std::size_t>(call.columns);
  const bool widened = call.x_type == DType::f16;
  const bool arranged = layout_of(call.format).length > 1;
  return (widened ? activations : 0) + (arranged ? activations + activations / 4 : 0);
}

/// CPU backend: SIMD along a row, rows shared out among the pool's workers. `scratch` holds
/// gemv_cpu_scratch(call) floats on a multiple of 32 bytes.
void gemv_cpu(ThreadPool& pool, const GemvCall& call, float* scratch);

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts its kernels on the stream, whose device is current. Throws DeviceError where a launch
/// fails.
void gemv_cuda(CUstream_st* stream, const GemvCall& call);
#endif

}  // namespace assay::kernels::dense
