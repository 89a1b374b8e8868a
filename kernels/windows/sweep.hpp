#pragma once

#include "kernels/windows/evaluate.hpp"

namespace assay::kernels::windows {

/// Whether a sweep takes these: x, y and z of one column, algorithm 1, k up to 8, and options.sweep.
bool sweep_takes(const Targets& targets, const Pairs& pairs, const Options& options);

/// What `evaluate` does, in float where that is certain: the same counts, several times faster on many
/// points.
void sweep(CUstream_st* stream, Workspace& workspace, const Targets& targets, const Pairs& pairs,
           const Options& options, const double* psi, const Outputs& outputs);

/// values of all pairs: their `blocks` partial sums, halved again and again in a fixed order, over n.
void add_partial(CUstream_st* stream, double* partial, std::int32_t blocks, const Targets& targets,
                 const Pairs& pairs, const Outputs& outputs);

}  // namespace assay::kernels::windows
