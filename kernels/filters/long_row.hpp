#pragma once

#include <cstdint>

#include "kernels/filters/cut.hpp"
#include "kernels/filters/head.hpp"
#include "kernels/filters/left.hpp"

/// Cuts of a long row by way of its head (head.hpp). The outcome is that of the whole row, always: where a
/// head cannot show that, nothing is changed and the answer is no.
namespace assay::kernels::filters {

/// The least mass, of `total`, that adds up to p or more, and 1 at least: there is a token always.
std::uint64_t mass_needed_of(double p, std::uint64_t total);

/// Keeps the prefix of the order that the cut names, under the scratch's weights.
void keep_cut_of_long(Left& left, Cut<float> cut, RowScratch& scratch);

/// Keeps k tokens or more that the first k of the order are among. `source`: what is left, not divided.
bool narrow_to_count(Left& left, const DividedRow& source, std::int64_t k, RowScratch& scratch);

/// The temperature of `source`, then top_k, on the tokens of a row that are all left; their logits are not
/// looked at but in `source`.
bool start_with_top_k(Left& left, const DividedRow& source, std::int64_t k, RowScratch& scratch);

/// The temperature of `source`, then top_p that keeps `least` tokens at least. `source` is what is left, or
/// the row as it lies in memory and all of it left. Precondition: p < 1.
bool keep_top_p_of_long(Left& left, const DividedRow& source, double p, std::int64_t least,
                        RowScratch& scratch);

}  // namespace assay::kernels::filters
