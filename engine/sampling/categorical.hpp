#pragma once

#include <optional>

#include "engine/operation.hpp"

namespace assay::sampling {

/// Independent draws from the distribution of each row: what sampling.chain draws without any step, as often
/// as wanted.
///
/// inputs  logits, mask: see engine/logits/rows.hpp; seed (rows) i64; position (rows) i64, of the first draw
/// params  draws: of each row, 1 to 65,536
/// outputs token (rows, draws) i32: -1 where nothing can be drawn (every allowed token at -Inf, or none
///         allowed); log_prob (rows, draws) f32: its natural logarithm of probability, -Inf without a token
///
/// Draw d is by 64 bits of Philox4x32-10 (Salmon et al. 2011), key `seed`, counter `position` + d: scaled to
/// the total of the integer weights (kernels/distribution/weight.hpp), they point at a token by rising id.
/// Nothing else enters: not the row's place, nor `draws`; the counter wraps at 2^64. Each token's probability
/// is within 2^-64 of its weight over the total, and a token below 2^-46 of the most likely one is never
/// drawn.
///
/// Exactly the same on every backend. Refused (ContractError): what engine/logits/rows.hpp says of logits and
/// masks; draws out of its range.
///
/// Error of log_prob, n tokens: |y - r| <= n 2^-45 + 1e-13 + 2^-24 |r| (engine/logits/log_prob_error.hpp).
struct CategoricalInputs {
  ConstTensorView logits;
  std::optional<ConstTensorView> mask;
  ConstTensorView seed, position;
};

/// token and log_prob: (rows, draws).
void categorical(Context& context, const CategoricalInputs& inputs, std::int64_t draws,
                 const TensorView& token, const TensorView& log_prob);

Operation describe_categorical();

}  // namespace assay::sampling
