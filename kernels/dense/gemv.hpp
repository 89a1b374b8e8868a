#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/runtime/thread_pool.hpp"
#include "engine/tensors/block_format.hpp"
#include "engine/tensors/dtype.hpp"

struct CUstream_st;

namespace assay::kernels::dense {

/// One call of dense.gemv after its arguments have been checked: rows at least 1, batch from 1 to 8.
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

/// Rows that the CPU backend takes at once.
inline constexpr int gemv_group_rows = 4;

/// CPU backend: SIMD along a row, rows shared out among the pool's workers. `x` holds batch * columns floats
/// of scratch where x is f16, else nothing.
void gemv_cpu(ThreadPool& pool, const GemvCall& call, float* x);

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts its kernels on the stream, whose device is current. Throws DeviceError where a launch
/// fails.
void gemv_cuda(CUstream_st* stream, const GemvCall& call);
#endif

}  // namespace assay::kernels::dense
