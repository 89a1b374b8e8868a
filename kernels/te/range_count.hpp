#pragma once

#include <cstdint>
#include <span>

#include "kernels/spatial/rows.hpp"

struct CUstream_st;

namespace assay {
class ThreadPool;
}

namespace assay::kernels::te {

/// For every point, how many admissible others lie below (strict) or within its own radius in the maximum
/// norm.
void range_count(ThreadPool& pool, spatial::Rows points, std::span<const double> radii,
                 std::span<const std::int64_t> trial_lengths, bool strict, std::int64_t theiler_window,
                 spatial::Search search, std::span<std::int64_t> counts);

#ifdef ASSAY_HAVE_CUDA
/// The same on CUDA: puts one kernel on the stream, whose device is current, and where trials matter what
/// brings their bounds. Points, radii, counts and `bounds` (spatial::exclusion_bounds elements) lie in device
/// memory, trial_lengths on the host; 1 <= n < 2^31. Stores DeviceStatus::value_out_of_range in `status`
/// where a radius is negative or NaN. `search` sets how many lanes share a point: automatic by size, sorted
/// 1, tree 8. Throws DeviceError where a launch fails.
void range_count_cuda(CUstream_st* stream, spatial::Rows points, const double* radii,
                      std::span<const std::int64_t> trial_lengths, bool strict, std::int64_t theiler_window,
                      spatial::Search search, std::span<std::int32_t> bounds, std::int64_t* counts,
                      std::uint32_t* status);
#endif

}  // namespace assay::kernels::te
