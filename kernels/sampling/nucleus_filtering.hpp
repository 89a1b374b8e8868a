#pragma once

#include "kernels/filters/apply.hpp"

namespace assay::kernels::sampling {

/// CPU backend of sampling.nucleus_filtering: temperature where it is asked for, top_p, and the
/// probabilities of what they leave. CUDA: filters::apply_cuda.
void nucleus_filtering_cpu(ThreadPool& pool, const filters::FilterCall& call, std::span<std::byte> scratch);

}  // namespace assay::kernels::sampling
