#pragma once

#include "engine/filters/filter.hpp"

namespace assay::sampling {

/// Locally typical tokens: those whose information -ln p_i is nearest to the row's entropy H, equal ones by
/// rising id, as many as it takes until their probabilities add up to p or more (Meister, Pimentel, Wiher,
/// Cotterell 2023, "Locally Typical Sampling", section 3).
///
/// inputs  logits (rows, tokens), mask: see engine/logits/rows.hpp; typical_p (rows) f64: 1 or more: all; 0
///         or less: the nearest min_keep
/// params  min_keep >= 0: so many are kept at least, and one always (where there is any)
/// outputs see filters::Survivors
///
/// |-ln p_i - H| = |d_i - D|, d_i the distance from the maximum and D its mean by probability: the logarithm
/// of the whole cancels. Probabilities and their products with d_i are integers
/// (kernels/distribution/weight.hpp), so that D, the order and the cut have the same bits everywhere. Where
/// nothing has a probability, the first min_keep tokens by rising id are kept.
///
/// Refused (ContractError, by row; on CUDA a DeviceError at the next synchronisation): a NaN in typical_p.
void typical(Context& context, const filters::RowInputs& rows, const ConstTensorView& typical_p,
             std::int64_t min_keep, const filters::Survivors& outputs);

Operation describe_typical();

}  // namespace assay::sampling
