#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/runtime/host_device.hpp"
#include "engine/tensors/dtype.hpp"

struct CUstream_st;

namespace assay {
class ThreadPool;
}

namespace assay::kernels::sampling {

/// Logits of every step of every row: (rows, steps, tokens), tokens side by side, strides in elements.
struct StepLogits {
  const std::byte* data;
  std::int64_t row_stride;
  std::int64_t step_stride;

  ASSAY_HOST_DEVICE std::int64_t element(std::int64_t row, std::int64_t step) const {
    return row * row_stride + step * step_stride;
  }
};

/// One call of sampling.speculative_verify after its arguments have been checked.
struct SpeculativeCall {
  DType dtype;  ///< of all logits: f32, f16 or bf16
  std::int64_t rows;
  std::int64_t steps;  ///< tokens drafted a row, at most
  std::int64_t tokens;
  StepLogits target;                 ///< (rows, steps + 1, tokens)
  StepLogits draft;                  ///< (rows, steps, tokens)
  const std::int32_t* draft_tokens;  ///< (rows, steps)
  const std::int32_t* drafted;       ///< (rows), or nullptr: `steps` of each
  const std::int64_t* seed;          ///< (rows)
  const std::int64_t* position;      ///< (rows), of the first token
  std::int32_t* out;                 ///< (rows, steps + 1)
  std::int32_t* accepted;            ///< (rows)
};

/// Bytes of scratch that each worker of speculative_verify_cpu needs.
std::size_t speculative_scratch(std::int64_t tokens);

/// CPU backend: rows are shared out among the pool's workers.
void speculative_verify_cpu(ThreadPool& pool, const SpeculativeCall& call, std::span<std::byte> scratch);

/// What is known of one step of a row once its two distributions have been added up.
struct StepVerdict {
  float target_maximum;
  float draft_maximum;
  std::uint64_t target_total;
  std::uint64_t draft_total;
  std::uint32_t accepted;
};

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts two kernels on the stream, whose device is current; `verdicts` in device memory:
/// (rows, steps + 1). A draft token that is none, and a length that is negative or above `steps`, set
/// `status`, and that row's outputs are not written. Throws DeviceError where a launch fails, or where a row
/// is too long for the device.
void speculative_verify_cuda(CUstream_st* stream, const SpeculativeCall& call, StepVerdict* verdicts,
                             std::uint32_t* status);
#endif

}  // namespace assay::kernels::sampling
