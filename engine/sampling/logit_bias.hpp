#pragma once

#include "engine/filters/filter.hpp"

namespace assay::sampling {

/// Adds biases to the logits of some tokens: l + b, rounded once to float, one after the other in the order
/// given where an id comes twice.
///
/// inputs  logits (rows, tokens), mask: see engine/logits/rows.hpp; bias_ids (rows, count) i32, below 0:
///         padding; biases (rows, count) f32, -Inf forbids a token
/// outputs adjusted (rows, tokens) f32; -Inf for tokens that the mask forbids
///
/// Exact, the same bits on every backend. Where +Inf and -Inf meet, the sum is -Inf, as NaN is everywhere.
///
/// Refused (ContractError, by row; on CUDA a DeviceError at the next synchronisation): a NaN in biases, ids
/// beyond the last token.
void logit_bias(Context& context, const filters::RowInputs& rows, const ConstTensorView& bias_ids,
                const ConstTensorView& biases, const TensorView& adjusted);

Operation describe_logit_bias();

}  // namespace assay::sampling
