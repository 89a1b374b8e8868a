#pragma once

#include <cstdint>
#include <span>

#include "kernels/spatial/rows.hpp"

namespace assay {
class ThreadPool;
}

namespace assay::kernels::te {

/// The k nearest neighbours of every point in the maximum norm, ordered by (distance, row). Every point has
/// at least k admissible neighbours. `distances` and `indices` are (n, k), row-major.
void knn(ThreadPool& pool, spatial::Rows points, std::span<const std::int64_t> trial_lengths, std::int64_t k,
         std::int64_t theiler_window, spatial::Search search, std::span<double> distances,
         std::span<std::int64_t> indices);

}  // namespace assay::kernels::te
