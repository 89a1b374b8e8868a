#pragma once

#include <cstdint>
#include <span>

#include "kernels/spatial/rows.hpp"

namespace assay {
class ThreadPool;
}

namespace assay::kernels::te {

/// For every point, how many admissible others lie below (strict) or within its own radius in the maximum
/// norm.
void range_count(ThreadPool& pool, spatial::Rows points, std::span<const double> radii,
                 std::span<const std::int64_t> trial_lengths, bool strict, std::int64_t theiler_window,
                 spatial::Search search, std::span<std::int64_t> counts);

}  // namespace assay::kernels::te
