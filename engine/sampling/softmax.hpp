#pragma once

#include <optional>

#include "engine/operation.hpp"

namespace assay::sampling {

/// Probabilities of the tokens of each row, the same bits on every backend (dense.softmax is the one that is
/// held to the speed of memory, and computes in float).
///
///   p_i = exp(l_i - max l) / sum_j exp(l_j - max l), over the tokens that are allowed
///
/// inputs  logits, mask: see engine/logits/rows.hpp
/// outputs probabilities (rows, tokens) f32: 0 for tokens that are not allowed, and for all of them where
///         none has a probability (every allowed logit at -Inf, or none allowed); tokens at +Inf share all
///
/// The denominator is the sum of the integer weights that every operation of this family uses
/// (kernels/distribution/weight.hpp), which has no order. The numerator is the exponential itself and not its
/// weight: a token 40 below the maximum weighs nothing in a draw and still has its exp(-40) here.
///
/// Refused (ContractError): what engine/logits/rows.hpp says of logits and masks.
///
/// Error, n tokens, r the exact value. Numerator: exp_minus is within 7e-14 r; the whole, 1 at least, within
/// n 2^-46 + 4e-14 of it; three roundings in double (the total, its inverse, the product) are below 1e-15,
/// and the reference's own sum is within n 2^-53 + 1e-15. One rounding to float: 2^-24 of what it rounds, or
/// 2^-150 where that is subnormal.
///   |y - r| <= (n 2^-45 + 2e-13 + 2^-24) r + 2^-149
/// n 2^-45 and 2e-13 leave room for the products of these terms; a probability below 2^-149, beyond 700
/// e-folds too, is 0 within the last term.
void softmax(Context& context, const ConstTensorView& logits, const std::optional<ConstTensorView>& mask,
             const TensorView& probabilities);

Operation describe_softmax();

}  // namespace assay::sampling
