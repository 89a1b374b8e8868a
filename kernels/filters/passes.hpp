#pragma once

#include <cstdint>

#include "kernels/filters/raw_row.hpp"

/// Sweeps over a row in whole vectors, compiled for each instruction set. The same bits on all of them.
namespace assay::kernels::filters {

/// Widens a row to float, NaN to -Inf and -0 to +0.
void widen_row(const RawRow& row, float* to);

/// distribution::with_temperature of each. Precondition: temperature > 0.
void divide(float* logits, std::int64_t count, float temperature);

/// The greatest of them; -Inf where there are none. No NaN among them.
float greatest(const float* logits, std::int64_t count);

/// distribution::weight_of of each under that maximum, and their sum.
std::uint64_t weigh(const float* logits, std::int64_t count, float maximum, std::uint64_t* weights);

/// Closes the gaps between the tokens above `key` and those equal to it up to position `last`; returns how
/// many they are.
std::int64_t keep_above(float* logits, std::int32_t* ids, std::int64_t count, float key, std::int64_t last);

/// The integer part of (most - logit) scale of each, `last` where that is more. Precondition: no logit is
/// above `most`, which is finite.
void bins_below(const float* logits, std::int64_t count, float most, float scale, std::int32_t last,
                std::int32_t* bins);

/// Positions of what is equal to `wanted`; returns how many they are.
std::int64_t list_equal(const std::int32_t* values, std::int64_t count, std::int32_t wanted,
                        std::int32_t* positions);

}  // namespace assay::kernels::filters
