#pragma once

#include <cstdint>
#include <span>

#include "kernels/spatial/rows.hpp"

struct CUstream_st;

namespace assay {
class ThreadPool;
}

namespace assay::kernels::te {

/// The k nearest neighbours of every point in the maximum norm, ordered by (distance, row). Every point has
/// at least k admissible neighbours. `distances` and `indices` are (n, k), row-major.
void knn(ThreadPool& pool, spatial::Rows points, std::span<const std::int64_t> trial_lengths, std::int64_t k,
         std::int64_t theiler_window, spatial::Search search, std::span<double> distances,
         std::span<std::int64_t> indices);

#ifdef ASSAY_HAVE_CUDA
/// The same on CUDA: puts one kernel on the stream, whose device is current, and where trials matter what
/// brings their bounds. Points, distances, indices and `bounds` (spatial::exclusion_bounds elements) lie in
/// device memory, trial_lengths on the host; 1 <= n < 2^31. `search` sets how many lanes share a point:
/// automatic by size, sorted 1, tree 8. Throws DeviceError where a launch fails.
void knn_cuda(CUstream_st* stream, spatial::Rows points, std::span<const std::int64_t> trial_lengths,
              std::int64_t k, std::int64_t theiler_window, spatial::Search search,
              std::span<std::int32_t> bounds, double* distances, std::int64_t* indices);
#endif

}  // namespace assay::kernels::te
