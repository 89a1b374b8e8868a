#pragma once

#include "kernels/filters/apply.hpp"

namespace assay::kernels::sampling {

/// CPU backend of sampling.typical: the one step of `call`, row by row; `scratch` as for_each_row wants it.
/// CUDA: filters::apply_cuda.
void typical_cpu(ThreadPool& pool, const filters::FilterCall& call, std::span<std::byte> scratch);

}  // namespace assay::kernels::sampling
