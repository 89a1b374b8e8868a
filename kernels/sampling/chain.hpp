#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/tensors/logit_rows.hpp"
#include "kernels/filters/steps.hpp"

struct CUstream_st;

namespace assay {
class ThreadPool;
}

namespace assay::kernels::sampling {

/// One call of sampling.chain after its arguments have been checked.
struct ChainCall {
  LogitRows in;
  filters::Steps steps;
  filters::StepParameters parameters;
  const std::int64_t* seed;      ///< (rows)
  const std::int64_t* position;  ///< (rows)
  std::int32_t* token;           ///< (rows)
  float* log_prob;               ///< (rows)
  std::int32_t* kept;            ///< (rows)
  std::uint32_t* left;           ///< (rows, ceil(tokens / 32)), or nullptr: not asked for
  float* left_logits;            ///< (rows, tokens), or nullptr with it
};

/// CPU backend: rows are shared out among the pool's workers; `scratch` as for_each_scratch wants it.
void chain_cpu(ThreadPool& pool, const ChainCall& call, std::span<std::byte> scratch);

#ifdef ASSAY_HAVE_CUDA
/// `pending`: scratch on the device (filters::pending_words).
/// CUDA backend: puts one kernel or two on the stream, whose device is current. `pending`: scratch on the
/// device (filters::pending_words), or nullptr where none is asked for. Parameters and ids are looked at
/// there: illegal ones set `status`. Throws DeviceError where the launch fails.
void chain_cuda(CUstream_st* stream, const ChainCall& call, std::uint32_t* pending, std::uint32_t* status);
#endif

}  // namespace assay::kernels::sampling
