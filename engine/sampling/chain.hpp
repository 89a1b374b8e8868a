#pragma once

#include <optional>
#include <string>

#include "engine/operation.hpp"

namespace assay::sampling {

/// Steps of a sampling chain in a given order, and a draw from what they leave, row by row. Each row has
/// parameters and a seed of its own.
///
/// inputs  logits, mask: see engine/logits/rows.hpp. What follows has one value a row, (rows), or one row of
///         ids; a step of the order needs its own, the others are ignored:
///         penalties: previous (rows, length) i32, ids seen, the oldest first, below 0: padding; repetition
///           f32 > 0 (1 where absent), presence and frequency f32 finite (0 where absent), last_n i32 (the
///           last so many of `previous` count; all where absent; 0 or less switches the step off)
///         bias: bias_ids (rows, count) i32, below 0: padding; biases (rows, count) f32, no NaN
///         temperature: temperature f32, no NaN; top_k: top_k i32; top_p: top_p f64; min_p: min_p f64 <= 1;
///         typical: typical_p f64 (no NaN in any)
///         seed (rows) i64, position (rows) i64: of the draw
/// params  order: steps with commas between, each as often as wanted, at most 16, or nothing;
///         min_keep >= 0: top_p, min_p and typical keep so many at least, and one always;
///         survivors: also give what is left
/// outputs token (rows) i32: the one drawn, -1 where nothing can be (all that is left is at -Inf, or all
///         was masked); log_prob (rows) f32: its natural logarithm of probability, -Inf without a token;
///         kept (rows) i32: tokens left; with `survivors`: left (rows, ceil(tokens / 32)) u32, their bits,
///         and left_logits (rows, tokens) f32, what has become of their logits, -Inf for the others
///
/// The steps, each on what the one before left:
///   penalties    a token seen n > 0 times: l > 0 ? l / repetition : l repetition (Keskar et al. 2019,
///                section 4.1), then l - (n frequency + presence)
///   bias         l + bias, one after the other where an id comes twice
///   temperature  l / t; t <= 0: the first maximum keeps its logit and all others get -Inf (they are still
///   left) top_k        the first k of the order (Fan, Lewis, Dauphin 2018); k <= 0, or more than are left:
///   all top_p        the shortest prefix of the order whose probabilities, of what is left, add up to p or
///   more
///                (Holtzman et al. 2020, section 3.1): the token that crosses p is kept; p >= 1: all;
///                where nothing has a probability, as many as it has to keep
///   min_p        l >= max l + ln p (Nguyen et al. 2024, algorithm 1); p <= 0: all
///   typical      the order is by |-ln p_i - H|, the least first and then by rising id, H the entropy of what
///                is left; its shortest prefix of mass p or more (Meister et al. 2023, section 3); p >= 1:
///                all
///
/// Exactly the same on every backend, for every row alone or among others. Logits are float; each operation
/// on one is rounded once. Probabilities are integers (kernels/distribution/weight.hpp): 2^45 for the most
/// likely token, the others to the nearest integer, from one exponential of fixed operations, so that sums
/// have no order and a threshold is crossed at the same token everywhere. Against exact arithmetic a cut may
/// fall elsewhere only where the mass at it comes within n 2^-46 + 4e-14 of p; a token below 2^-46 of the
/// most likely one weighs nothing. min_p compares in double.
///
/// The draw: 64 bits of Philox4x32-10, key `seed`, counter `position`, scaled to the total weight, point at
/// a token by rising id. Probability of each within 2^-64 of its weight over the total.
///
/// Refused (ContractError): parameters out of their range by name and row (on CUDA by a DeviceError at the
/// next synchronisation), an unknown step, one whose input is missing, ids beyond the last token.
///
/// Error of log_prob: the total is within n 2^-46 + 4e-14 of the exact one, ln and its rounding to float
/// follow: |y - r| <= n 2^-45 + 1e-13 + 2^-24 |r|.
struct ChainInputs {
  ConstTensorView logits;
  std::optional<ConstTensorView> mask, temperature, top_k, top_p, min_p, typical_p, repetition, presence,
      frequency, last_n, previous, bias_ids, biases;
  ConstTensorView seed, position;
};

struct ChainOutputs {
  TensorView token, log_prob, kept;
  std::optional<TensorView> left, left_logits;
};

void chain(Context& context, const ChainInputs& inputs, const std::string& order, std::int64_t min_keep,
           const ChainOutputs& outputs);

Operation describe_chain();

}  // namespace assay::sampling
