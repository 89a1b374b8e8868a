#pragma once

#include <cstdint>

#include "engine/tensors/logit_rows.hpp"
#include "kernels/filters/left.hpp"
#include "kernels/filters/steps.hpp"

/// The steps of a sampling chain on one row, on the CPU. What each means, and why it comes out the same
/// everywhere, stands in the contracts (engine/sampling).
namespace assay::kernels::filters {

/// All tokens of a row, or those that its mask has a bit for (bit i % 32 of word i / 32). NaN becomes -Inf
/// and -0 becomes +0.
Left load_row(const LogitRows& rows, std::int64_t row, RowScratch& scratch);

/// Weights of what is left, under its own maximum, in the scratch's `weights`; returns their sum, which is 0
/// where nothing can be drawn.
std::uint64_t weigh_left(const Left& left, RowScratch& scratch);
/// Position among what is left of the greatest logit, the first of equals; -1 where all are -Inf or none is
/// left.
std::int64_t first_maximum(const Left& left);

void keep_top_k(Left& left, std::int64_t k, RowScratch& scratch);
void keep_top_p(Left& left, double p, std::int64_t min_keep, RowScratch& scratch);
void keep_min_p(Left& left, double p, std::int64_t min_keep, RowScratch& scratch);
void keep_typical(Left& left, double p, std::int64_t min_keep, RowScratch& scratch);

void apply_temperature(Left& left, float temperature);
void apply_bias(Left& left, const std::int32_t* ids, const float* biases, std::int64_t count);

struct Penalties {
  float repetition, presence, frequency;
  std::int64_t last_n;
};
/// `previous`: ids, the oldest first; those below 0 are padding.
void apply_penalties(Left& left, const std::int32_t* previous, std::int64_t length,
                     const Penalties& penalties, RowScratch& scratch);

/// A row after as many of its steps as were taken on its way out of memory.
struct Started {
  Left left;
  int taken;
};
/// Like load_row; a long row of which a cut leaves few is not copied, but cut where it lies.
Started start_row(const LogitRows& rows, std::int64_t row, const Steps& steps,
                  const StepParameters& parameters, RowScratch& scratch);

/// The steps of a row, in order, from the `first` on.
void apply_steps(Left& left, const Steps& steps, const StepParameters& parameters, std::int64_t row,
                 RowScratch& scratch, int first = 0);

/// Position of the token that a point of the total weight falls on, by rising id.
std::int64_t token_at(const Left& left, const std::uint64_t* weights, std::uint64_t point);

/// Sets the bits of what is left; `words` of (tokens + 31) / 32, all of them written.
void write_mask(const Left& left, std::int64_t tokens, std::uint32_t* words);

}  // namespace assay::kernels::filters
