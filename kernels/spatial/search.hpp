#pragma once

#include <cstdint>

#include "kernels/spatial/rows.hpp"

namespace assay::kernels::spatial {

/// The choice of a structure by measured crossover (benchmarks/NOTES.md, te): sorted windows for few points and for many
/// dimensions, the tree in between.
bool use_tree(Search search, std::int64_t n, std::int64_t d);

}  // namespace assay::kernels::spatial
