#pragma once

#include <cstdint>

#include "engine/tensors/logit_rows.hpp"
#include "kernels/filters/steps.hpp"

struct CUstream_st;

namespace assay::kernels::filters {

/// Rows taken through the steps of a chain on a device; arguments have been checked, but for what stands in
/// device memory: illegal values there set `status` (engine/runtime/status_word.hpp), and such a row's
/// outputs are not written.
struct RowsCall {
  LogitRows in;
  Steps steps;
  StepParameters parameters;
  const std::int64_t* seed = nullptr;      ///< (rows), or nullptr: nothing is drawn
  const std::int64_t* position = nullptr;  ///< (rows)
  std::int32_t* token = nullptr;           ///< (rows), with `seed`
  float* log_prob = nullptr;               ///< (rows), with `seed`
  std::int32_t* kept = nullptr;            ///< (rows), or nullptr; so are those that follow
  std::uint32_t* left = nullptr;           ///< (rows, words): bits of what is left
  float* left_logits = nullptr;            ///< (rows, tokens): -Inf for what is not left
  float* probabilities = nullptr;          ///< (rows, tokens): weight over the total, 0 for what is not left
  std::uint32_t* status = nullptr;
  std::uint32_t* pending = nullptr;  ///< scratch of pending_words()
};

/// Words of scratch on the device for such rows; 0: `pending` is nullptr.
std::int64_t pending_words(const LogitRows& in);

/// One launch, or two that follow each other. Throws DeviceError where the launch fails, or where a row is
/// too long for this device.
void run_rows_cuda(CUstream_st* stream, const RowsCall& call);

}  // namespace assay::kernels::filters
