#pragma once

#include <cstdint>

#include "engine/tensors/dtype.hpp"

/// Sweeps over a row in whole vectors, compiled for each instruction set. The same bits on all of them.
namespace assay::kernels::filters {

/// Widens a row to float, NaN to -Inf and -0 to +0. `to` has room for whole vectors (64 bytes more).
void widen_row(DType dtype, const std::byte* row, std::int64_t count, float* to);

/// The greatest of them; -Inf where there are none. No NaN among them.
float greatest(const float* logits, std::int64_t count);

/// distribution::weight_of of each under that maximum, and their sum.
std::uint64_t weigh(const float* logits, std::int64_t count, float maximum, std::uint64_t* weights);

/// Copies what is at least `bound`, with its positions, up to `most` of them; returns how many there are in
/// all (more than `most`: what was copied is of no use).
std::int64_t collect_from(const float* logits, std::int64_t count, float bound, std::int64_t most,
                          float* values, std::int32_t* positions);

}  // namespace assay::kernels::filters
