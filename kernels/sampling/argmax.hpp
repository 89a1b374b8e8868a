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

/// One call of sampling.argmax after its arguments have been checked.
struct ArgmaxCall {
  LogitRows in;
  std::int32_t* token;  ///< (rows)
  float* logit;         ///< (rows)
};

/// CPU backend: rows are shared out among the pool's workers; `scratch` as for_each_row wants it.
void argmax_cpu(ThreadPool& pool, const ArgmaxCall& call, std::span<std::byte> scratch);

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts one kernel on the stream, whose device is current. Throws DeviceError where the launch
/// fails.
void argmax_cuda(CUstream_st* stream, const ArgmaxCall& call);
#endif

}  // namespace assay::kernels::sampling
