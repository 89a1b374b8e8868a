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

/// One call of sampling.log_probs after its arguments have been checked.
struct LogProbsCall {
  LogitRows in;
  std::int64_t n;              ///< 1 to 1,024
  std::int32_t* ids;           ///< (rows, n)
  float* log_probs;            ///< (rows, n)
  const std::int32_t* chosen;  ///< (rows), or nullptr, and with it the two that follow
  float* chosen_log_prob;      ///< (rows)
  std::int32_t* chosen_rank;   ///< (rows)
};

/// CPU backend: rows are shared out among the pool's workers; `scratch` as for_each_row wants it.
void log_probs_cpu(ThreadPool& pool, const LogProbsCall& call, std::span<std::byte> scratch);

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts one kernel on the stream, whose device is current. A chosen token beyond the last sets
/// `status`, and its row's outputs are not written. Throws DeviceError where the launch fails, or where a row
/// is too long for the device.
void log_probs_cuda(CUstream_st* stream, const LogProbsCall& call, std::uint32_t* status);
#endif

}  // namespace assay::kernels::sampling
