#pragma once

#include <optional>

#include "engine/operation.hpp"

namespace assay::sampling {

/// The first n tokens of each row, by the order of tokens (falling logit, rising id: engine/logits/rows.hpp),
/// with their natural logarithms of probability, and those of a given token.
///
///   ln p_i = l_i - max l - ln sum_j exp(l_j - max l), over the tokens that are allowed
///
/// inputs  logits, mask: see engine/logits/rows.hpp; tokens (rows) i32, optional: one a row, the chosen one;
///         below 0: none
/// params  n: 1 to 1,024
/// outputs ids (rows, n) i32: -1 beyond the tokens that are allowed; log_probs (rows, n) f32: -Inf there;
///         with `tokens`: chosen_log_prob (rows) f32, and chosen_rank (rows) i32, how many stand before it in
///         the order (0: it is the first); -Inf and -1 where it is not allowed, or there is none
///
/// A token at -Inf that is allowed has its place in the order, at the end, and -Inf for its logarithm; tokens
/// at +Inf share all probability, and every other has -Inf.
///
/// The sum is of integer weights (kernels/distribution/weight.hpp), the logarithm from the logit itself: it
/// reaches as far down as logits do, and is -Inf where a float does not reach (below -3.4e38). Exactly the
/// same on every backend.
///
/// Refused (ContractError): what engine/logits/rows.hpp says of logits and masks; n out of its range; a
/// chosen token beyond the last (on CUDA by a DeviceError at the next synchronisation).
///
/// Error, n tokens: |y - r| <= n 2^-45 + 1e-13 + 2^-24 |r| (engine/logits/log_prob_error.hpp).
struct LogProbsOutputs {
  TensorView ids, log_probs;
  std::optional<TensorView> chosen_log_prob, chosen_rank;
};

void log_probs(Context& context, const ConstTensorView& logits, const std::optional<ConstTensorView>& mask,
               const std::optional<ConstTensorView>& tokens, std::int64_t n, const LogProbsOutputs& outputs);

Operation describe_log_probs();

}  // namespace assay::sampling
