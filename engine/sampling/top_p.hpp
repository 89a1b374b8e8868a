#pragma once

#include "engine/filters/filter.hpp"

namespace assay::sampling {

/// The shortest prefix of each row, by falling logit and rising id, whose probabilities add up to p or more:
/// the token that crosses p is kept (Holtzman, Buys, Du, Forbes, Choi 2020, "The Curious Case of Neural Text
/// Degeneration", equation 2).
///
/// inputs  logits (rows, tokens), mask: see engine/logits/rows.hpp; top_p (rows) f64: 1 or more: all; 0 or
///         less: the first min_keep
/// params  min_keep >= 0: so many are kept at least, and one always (where there is any)
/// outputs see filters::Survivors
///
/// Probabilities are integers, as in sampling.chain (engine/sampling/chain.hpp), so that every backend and
/// every order of summation cuts at the same token. Against exact arithmetic a cut may fall elsewhere only
/// where the mass at it comes within n 2^-46 + 4e-14 of p, n the tokens allowed. Where nothing has a
/// probability, min_keep tokens are kept.
///
/// Refused (ContractError, by row; on CUDA a DeviceError at the next synchronisation): a NaN in top_p.
void top_p(Context& context, const filters::RowInputs& rows, const ConstTensorView& top_p,
           std::int64_t min_keep, const filters::Survivors& outputs);

Operation describe_top_p();

}  // namespace assay::sampling
