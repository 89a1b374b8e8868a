#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/spatial/exclusion_view.hpp"

struct CUstream_st;

namespace assay::kernels::spatial {

/// Elements of device memory that exclusion_cuda fills: one more than there are trials where their bounds
/// decide anything, else 0.
inline std::size_t exclusion_bounds(std::span<const std::int64_t> trial_lengths, std::int64_t window) {
  return trial_lengths.size() < 2 || window == 0 ? 0 : trial_lengths.size() + 1;
}

#ifdef ASSAY_HAVE_CUDA
/// What kernels on the stream take: the rows that are no neighbours of a row, of n < 2^31 rows. `bounds` has
/// exclusion_bounds elements of device memory, which the stream fills before later work sees them.
/// `trial_lengths` (host; empty: one trial) may go when the call returns, also where it is captured. Throws
/// DeviceError where a launch fails.
ExclusionView exclusion_cuda(CUstream_st* stream, std::int64_t n, std::span<const std::int64_t> trial_lengths,
                             std::int64_t window, ExclusionFaults faults, std::span<std::int32_t> bounds);
#endif

}  // namespace assay::kernels::spatial
