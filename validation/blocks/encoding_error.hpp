#pragma once

#include <span>
#include <vector>

#include "engine/tensors/block_format.hpp"

namespace assay::validation {

/// How far the value that a block decodes to may be from the element that was encoded, for each of them: a
/// proven bound (encoding_error.cpp derives it), from the elements alone but for Q4_K and Q6_K, where what is
/// stored says how coarse the scales of parts are. Holds where the scales are finite in binary16 and squares
/// and products of elements neither overflow nor underflow: for elements between 2^-30 and 2^15 or 0.
std::vector<double> encoding_error(BlockFormat format, std::span<const double> elements,
                                   const std::uint8_t* block);

/// Whether decoding and encoding again must give the same bytes (engine/quant/quantize.hpp).
bool encodes_again_the_same(BlockFormat format, std::span<const double> elements, const std::uint8_t* block);

}  // namespace assay::validation
