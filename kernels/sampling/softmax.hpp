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

/// One call of sampling.softmax after its arguments have been checked.
struct SoftmaxCall {
  LogitRows in;
  float* probabilities;  ///< (rows, tokens)
};

/// CPU backend: rows are shared out among the pool's workers; `scratch` as for_each_row wants it.
void softmax_cpu(ThreadPool& pool, const SoftmaxCall& call, std::span<std::byte> scratch);

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts one kernel on the stream, whose device is current. Throws DeviceError where the launch
/// fails.
void softmax_cuda(CUstream_st* stream, const SoftmaxCall& call);
#endif

}  // namespace assay::kernels::sampling
