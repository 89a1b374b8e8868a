#pragma once

#include <optional>

#include "engine/filters/filter.hpp"

namespace assay::sampling {

/// What is known of the past, and what it costs.
struct Repetition {
  ConstTensorView previous;
  std::optional<ConstTensorView> repetition, presence, frequency, last_n;
};

/// Lowers the logits of tokens that were seen. One that was seen n > 0 times among the last last_n ids of
/// `previous`: first l > 0 ? l / repetition : l repetition (Keskar et al. 2019, "CTRL", section 4.1, with the
/// sign taken care of), then l - (n frequency + presence). Once a token, however often it was seen; each
/// operation is rounded to float by itself.
///
/// inputs  logits (rows, tokens), mask: see engine/logits/rows.hpp; previous (rows, length) i32, ids seen,
///         the oldest first, below 0: padding, which counts among the last_n; repetition (rows) f32 > 0 (1
///         where absent); presence, frequency (rows) f32 (0 where absent); last_n (rows) i32 (all where
///         absent; 0 or less: nothing changes)
/// outputs adjusted (rows, tokens) f32; -Inf for tokens that the mask forbids
///
/// Exact, the same bits on every backend; logits of tokens that were not seen stay as they are, but that NaN
/// is -Inf and -0 is +0.
///
/// Refused (ContractError, by row; on CUDA a DeviceError at the next synchronisation): a repetition that is
/// not above 0 or not finite, a presence or frequency that is not finite, ids beyond the last token.
void repetition_penalty(Context& context, const filters::RowInputs& rows, const Repetition& past,
                        const TensorView& adjusted);

Operation describe_repetition_penalty();

}  // namespace assay::sampling
