#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/tensors/logit_rows.hpp"

struct CUstream_st;

namespace assay {
class ThreadPool;
}

namespace assay::kernels::sampling {

/// One call of sampling.categorical after its arguments have been checked.
struct CategoricalCall {
  LogitRows in;
  const std::int64_t* seed;      ///< (rows)
  const std::int64_t* position;  ///< (rows), of the first draw
  std::int64_t draws;            ///< of each row, at least 1
  std::int32_t* token;           ///< (rows, draws)
  float* log_prob;               ///< (rows, draws)
};

/// CPU backend: rows are shared out among the pool's workers; `scratch` as for_each_row wants it.
void categorical_cpu(ThreadPool& pool, const CategoricalCall& call, std::span<std::byte> scratch);

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts one kernel on the stream, whose device is current. Throws DeviceError where the launch
/// fails, or where a row is too long for the device.
void categorical_cuda(CUstream_st* stream, const CategoricalCall& call);
#endif

}  // namespace assay::kernels::sampling
