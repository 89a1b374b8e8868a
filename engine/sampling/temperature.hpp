#pragma once

#include "engine/filters/filter.hpp"

namespace assay::sampling {

/// Logits divided by a temperature: l / t, rounded once to float (Ackley, Hinton, Sejnowski 1985, "A Learning
/// Algorithm for Boltzmann Machines").
///
/// inputs  logits (rows, tokens), mask: see engine/logits/rows.hpp; temperature (rows) f32: 0 or less is
///         greedy: the first maximum keeps its logit and all others get -Inf
/// outputs adjusted (rows, tokens) f32: NaN is -Inf, -0 is +0, as everywhere; -Inf for tokens that the mask
///         forbids
///
/// Exact: one IEEE division, the same bits on every backend. The order of tokens stays; neighbours may become
/// equal, and a quotient may overflow to an infinity or underflow to 0.
///
/// Refused (ContractError, by row; on CUDA a DeviceError at the next synchronisation): a temperature that is
/// not finite.
void temperature(Context& context, const filters::RowInputs& rows, const ConstTensorView& temperature,
                 const TensorView& adjusted);

Operation describe_temperature();

}  // namespace assay::sampling
