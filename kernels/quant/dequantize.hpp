#pragma once

#include <cstdint>

#include "engine/runtime/thread_pool.hpp"
#include "engine/tensors/block_format.hpp"

struct CUstream_st;

namespace assay::kernels::quant {

/// One call of quant.dequantize after its arguments have been checked: rows and blocks at least 1.
struct DequantizeCall {
  BlockFormat format;
  const std::uint8_t* blocks;  ///< (rows, blocks_per_row blocks), on any alignment
  std::int64_t row_stride;     ///< of blocks, in bytes
  float* values;               ///< (rows, elements of blocks_per_row blocks), contiguous
  std::int64_t rows;
  std::int64_t blocks_per_row;
};

/// The same blocks as a single row where no bytes lie between the rows.
inline DequantizeCall joined(DequantizeCall call) {
  const std::int64_t bytes = call.blocks_per_row * layout_of(call.format).bytes;
  if (call.rows == 1 || call.row_stride == bytes) {
    call.blocks_per_row *= call.rows;
    call.rows = 1;
  }
  return call;
}

/// CPU backend: SIMD within a block, blocks shared out among the pool's workers.
void dequantize_cpu(ThreadPool& pool, const DequantizeCall& call);

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts one kernel on the stream, whose device is current. Throws DeviceError where the launch
/// fails.
void dequantize_cuda(CUstream_st* stream, const DequantizeCall& call);
#endif

}  // namespace assay::kernels::quant
