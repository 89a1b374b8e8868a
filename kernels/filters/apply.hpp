#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/tensors/logit_rows.hpp"
#include "kernels/filters/left.hpp"
#include "kernels/filters/steps.hpp"

struct CUstream_st;

namespace assay {
class ThreadPool;
}

namespace assay::kernels::filters {

/// Rows taken through some steps, without a draw; arguments have been checked. An output that is nullptr is
/// not asked for.
struct FilterCall {
  LogitRows in;
  Steps steps;
  StepParameters parameters;
  std::int32_t* kept = nullptr;    ///< (rows): tokens left
  std::uint32_t* left = nullptr;   ///< (rows, in.words()): their bits
  float* left_logits = nullptr;    ///< (rows, tokens): -Inf for what is not left
  float* probabilities = nullptr;  ///< (rows, tokens): weight over the total of what is left, 0 elsewhere
};

/// Writes what the call asks for of one row.
void write_row(const FilterCall& call, std::int64_t row, const Left& left, RowScratch& scratch);

/// CPU backend: rows are shared out among the pool's workers; `scratch` as for_each_row wants it.
void apply_cpu(ThreadPool& pool, const FilterCall& call, std::span<std::byte> scratch);

#ifdef ASSAY_HAVE_CUDA
/// CUDA backend: puts one kernel or two on the stream, whose device is current. `pending`: scratch on the
/// device (pending_words in rows_cuda.hpp), or nullptr where none is asked for. Parameters and ids are looked
/// at there: illegal ones set `status`. Throws DeviceError where the launch fails.
void apply_cuda(CUstream_st* stream, const FilterCall& call, std::uint32_t* pending, std::uint32_t* status);
#endif

}  // namespace assay::kernels::filters
