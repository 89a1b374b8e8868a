#pragma once

#include <cstdint>

#include "engine/runtime/thread_pool.hpp"
#include "engine/tensors/block_format.hpp"

struct CUstream_st;

namespace assay::kernels::quant {

/// One call of quant.quantize after its arguments have been checked: rows and blocks at least 1, a format
/// that values are encoded to.
struct QuantizeCall {
  BlockFormat format;
  const float* values;      ///< (rows, elements of blocks_per_row blocks), on any alignment of a float
  std::int64_t row_stride;  ///< of values, in elements
  std::uint8_t* blocks;     ///< (rows, blocks_per_row blocks), contiguous, on any alignment
  std::int64_t rows;
  std::int64_t blocks_per_row;
};

/// The same values as a single row where none lie between the rows.
inline QuantizeCall joined(QuantizeCall call) {
  if (call.rows == 1 || call.row_stride == call.blocks_per_row * layout_of(call.format).length) {
    call.blocks_per_row *= call.rows;
    call.rows = 1;
  }
  return call;
}

/// CPU backend: vectors within a block or across its parts, blocks shared out among the pool's workers.
void quantize_cpu(ThreadPool& pool, const QuantizeCall& call);

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts one kernel on the stream, whose device is current. Throws DeviceError where the launch
/// fails.
void quantize_cuda(CUstream_st* stream, const QuantizeCall& call);
#endif

}  // namespace assay::kernels::quant
