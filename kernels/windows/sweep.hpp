#pragma once

#include "kernels/windows/evaluate.hpp"

namespace assay::kernels::windows {

/// Whether a sweep takes these: x, y and z of one column, algorithm 1, k up to 8, and options.sweep.
bool sweep_takes(const Targets& targets, const Pairs& pairs, const Options& options);

/// What another search knows of each point, by its place along the target's axis. Device memory.
struct Found {
  const std::uint32_t* words = nullptr;  ///< (pairs, n): kOpenPoint where it knows nothing
  const double* local = nullptr;         ///< (pairs, n): what the others add to the value of their pair
};
inline constexpr std::uint32_t kOpenPoint = 0xFFFFFFFFu;

/// What `evaluate` does, in float where that is certain: the same counts, several times faster on many
/// points. With `found` only open points are swept, and only their local values, radii and counts written.
void sweep(CUstream_st* stream, Workspace& workspace, const Targets& targets, const Pairs& pairs,
           const Options& options, const double* psi, const Outputs& outputs, const Found& found = {});

/// values of all pairs: their `blocks` partial sums, halved again and again in a fixed order, over n.
void add_partial(CUstream_st* stream, double* partial, std::int32_t blocks, const Targets& targets,
                 const Pairs& pairs, const Outputs& outputs);

}  // namespace assay::kernels::windows
