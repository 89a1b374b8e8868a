#pragma once

#include <optional>

#include "engine/operation.hpp"

namespace assay::sampling {

/// The most likely token of each row: the first of the order of tokens (engine/logits/rows.hpp), by falling
/// logit and rising id.
///
///   token = min { i : l_i = max l }
///
/// inputs  logits, mask: see engine/logits/rows.hpp
/// outputs token (rows) i32: -1 where every allowed token is at -Inf, or none is allowed;
///         logit (rows) f32: of that token; -Inf without one
///
/// NaN is taken as -Inf, and -0 as +0: of zeros of both signs the first counts. Exact, and the same on every
/// backend.
///
/// Refused (ContractError): what engine/logits/rows.hpp says of logits and masks.
void argmax(Context& context, const ConstTensorView& logits, const std::optional<ConstTensorView>& mask,
            const TensorView& token, const TensorView& logit);

Operation describe_argmax();

}  // namespace assay::sampling
