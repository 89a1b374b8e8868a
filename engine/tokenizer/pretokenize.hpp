#pragma once

#include <span>

#include "engine/operation.hpp"
#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// Where a byte-level tokenizer cuts a text into the pieces that merging never crosses. Each step's published
/// pattern (engine/vocabulary/split_patterns.hpp) is applied to every piece of the step before as to a text
/// of its own; its matches become pieces, and so does what lies between them.
///
/// inputs   text (n) u8: valid UTF-8 of less than 2^31 bytes
/// outputs  ends (n) u8: 1 at the last byte of each piece, else 0
///
/// Exact. Categories are those of the Unicode version that the tables were made from (kernels/unicode).
/// Refused (ContractError): text that is no UTF-8, with the offset.
void pretokenize(Context& context, const ConstTensorView& text, std::span<const SplitStep> split,
                 const TensorView& ends);

Operation describe_pretokenize();

}  // namespace assay::tokenizer
