#pragma once

#include "engine/filters/filter.hpp"

namespace assay::sampling {

/// The first k tokens of each row by falling logit, equal ones by rising id (Fan, Lewis, Dauphin 2018,
/// "Hierarchical Neural Story Generation", section 5: sampling from the k most likely).
///
/// inputs  logits (rows, tokens), mask: see engine/logits/rows.hpp; top_k (rows) i32: k <= 0, or more than
///         there are: all
/// outputs see filters::Survivors; kept = min(k, tokens allowed)
///
/// Exact on every backend: ties at the cut go to the lowest ids, and tokens at -Inf are kept like any others
/// where k reaches them. Found by selection, without a full sort.
///
/// Refused (ContractError): another type or shape of an argument.
void top_k(Context& context, const filters::RowInputs& rows, const ConstTensorView& top_k,
           const filters::Survivors& outputs);

Operation describe_top_k();

}  // namespace assay::sampling
