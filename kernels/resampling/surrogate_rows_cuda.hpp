#pragma once

#include <cstdint>
#include <span>

struct CUstream_st;

namespace assay {
class Workspace;
}

namespace assay::kernels::resampling {

#ifdef ASSAY_HAVE_CUDA
/// Surrogates of `sources` sources, the same as the host draws them (surrogate_rows.hpp).
struct Draws {
  const std::uint64_t* seeds = nullptr;  ///< (sources), device memory
  std::int64_t sources = 0;
  std::int64_t count = 0;  ///< of each source
  bool shift = false;
  std::span<const std::int64_t> trial_lengths = {};  ///< host memory; empty: one trial
};

/// rows (sources, count, n), device memory. Scratch comes from an open frame of the workspace.
void surrogate_rows_cuda(CUstream_st* stream, Workspace& workspace, const Draws& draws, std::int32_t n,
                         std::int32_t* rows);
#endif

}  // namespace assay::kernels::resampling
