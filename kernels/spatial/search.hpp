#pragma once

#include <cstdint>

#include "kernels/spatial/rows.hpp"

namespace assay::kernels::spatial {

/// Whether the tree is to be taken rather than sorted windows, by measured crossover (benchmarks/NOTES.md,
/// te): windows for few points and for many dimensions.

/// To find the nearest neighbours of n points in d dimensions.
bool tree_for_neighbours(Search search, std::int64_t n, std::int64_t d);
/// To count within radii.
bool tree_for_counts(Search search, std::int64_t n, std::int64_t d);
/// For the estimate with a condition, where windows do the search and all counts in one walk.
bool tree_for_conditional(Search search, std::int64_t n);

}  // namespace assay::kernels::spatial
