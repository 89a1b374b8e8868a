#pragma once

#include <optional>

#include "engine/operation.hpp"

namespace assay::sampling {

/// Verification of drafted tokens (Leviathan, Kalman, Matias 2023, algorithm 1; Chen et al. 2023, algorithm
/// 2), row by row: takes as many of them as it may, and draws one more, so that what comes out is distributed
/// as if the target had drawn it all.
///
///   step i = 0, 1, ..: draft token x_i is taken with probability min(1, p_i(x_i) / q_i(x_i));
///   at the first that is not: one draw from max(0, p_i - q_i), normalised, and the end;
///   where all are taken: one draw from p_K
///
/// inputs  target_logits (rows, K + 1, tokens) and draft_logits (rows, K, tokens), both f32, f16 or bf16,
///         1 to 300,000 tokens side by side, rows and steps may be strided; NaN is -Inf. Logits are those
///         that the draft was drawn from and the target is to be drawn from: after temperature and filters.
///         draft_tokens (rows, K) i32; K from 1 to 256
///         seed (rows) i64; position (rows) i64, of the first token
///         drafted (rows) i32, optional: so many of a row's draft tokens count, 0 to K; K where absent. What
///         lies beyond is not looked at, and the extra token is drawn from target step `drafted`
/// outputs tokens (rows, K + 1) i32: those taken, the one drawn, then -1; accepted (rows) i32: those taken
///
/// p and q are the integer weights of kernels/distribution/weight.hpp over their totals, P_x / P and Q_x / Q:
/// what sampling.categorical draws of the same logits, so that a draft drawn by it is verified against
/// exactly what it was drawn from. Both decisions are made in integers that hold every product
/// (kernels/distribution/verification.hpp): a token is taken where u Q_x P < P_x Q 2^64, u of 64 bits; the
/// residual of a token is max(0, P_x Q - Q_x P), none rounded, their sum below 2^127. Probabilities are
/// within 2^-64 of those exact ones for each decision; against real arithmetic, weights add what weight.hpp
/// says: n 2^-46 + 4e-14 of mass, and tokens below 2^-46 of the most likely one have none.
///
/// Limits: q(x) = 0, a token that the draft cannot have drawn: taken where p(x) > 0, else not. A draft step
/// without any probability (all at -Inf): not taken, and the draw is from p. A rejection where no token has
/// p > q (only after such an x, since then p = q): the draw is from p. A target step without any probability:
/// its token is not taken, and the drawn one is -1.
///
/// Bits: Philox4x32-10 (Salmon et al. 2011), key `seed`; whether token i is taken: stream 1, counter
/// position + i; the draw after `a` tokens were taken: stream 2, counter position + a. Draws of
/// sampling.chain and sampling.categorical are of stream 0: the draft may use the same seed and positions.
///
/// Exactly the same on every backend, for every row alone or among others. Refused (ContractError): shapes
/// and types that do not fit together; draft tokens that are none, among those that count, and lengths out of
/// range (on CUDA by a DeviceError at the next synchronisation).
struct SpeculativeInputs {
  ConstTensorView target_logits, draft_logits, draft_tokens, seed, position;
  std::optional<ConstTensorView> drafted;
};

void speculative_verify(Context& context, const SpeculativeInputs& inputs, const TensorView& tokens,
                        const TensorView& accepted);

Operation describe_speculative_verify();

}  // namespace assay::sampling
