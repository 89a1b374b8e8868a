#pragma once

#include "engine/filters/filter.hpp"

namespace assay::sampling {

/// Tokens whose probability is at least p times that of the most likely one: l >= max l + ln p (Nguyen et al.
/// 2024, "Turning Up the Heat: Min-p Sampling", algorithm 1).
///
/// inputs  logits (rows, tokens), mask: see engine/logits/rows.hpp; min_p (rows) f64, at most 1: 0 or less:
///         all; 1: those at the maximum
/// params  min_keep >= 0: so many are kept at least, the first of the order, and one always (where there is
///         any)
/// outputs see filters::Survivors
///
/// The comparison is in double, with a logarithm that has the same bits everywhere
/// (kernels/distribution/exact_math.hpp): within 1e-15 (1 + |ln p|) + 2^-53 |max l + ln p| of the bound
/// another arithmetic may decide otherwise. Where the maximum is +Inf, those at +Inf are kept; where it is
/// -Inf, all.
///
/// Refused (ContractError, by row; on CUDA a DeviceError at the next synchronisation): min_p above 1 or NaN.
void min_p(Context& context, const filters::RowInputs& rows, const ConstTensorView& min_p,
           std::int64_t min_keep, const filters::Survivors& outputs);

Operation describe_min_p();

}  // namespace assay::sampling
