#pragma once

#include <optional>

#include "engine/filters/filter.hpp"

namespace assay::sampling {

/// The distribution that nucleus sampling draws from, in one pass over the rows: logits divided by the
/// temperature, cut to the shortest prefix of mass p, and what is left renormalised (Holtzman, Buys, Du,
/// Forbes, Choi 2020, "The Curious Case of Neural Text Degeneration", equations 2 and 3).
///
/// inputs  logits (rows, tokens), mask: see engine/logits/rows.hpp; temperature (rows) f32, 1 where absent, 0
///         or less: the first maximum has all the probability; top_p (rows) f64: 1 or more: all
/// params  min_keep >= 0: the nucleus holds so many at least, and one always (where there is any)
/// outputs probabilities (rows, tokens) f32: of the nucleus, 0 outside, all 0 where nothing has a
///         probability; kept (rows) i32: tokens of the nucleus
///
/// The nucleus is that of sampling.temperature followed by sampling.top_p, exactly and on every backend; so
/// are the bits of the probabilities, weights over their sum (kernels/distribution/weight.hpp). A token of
/// the nucleus below 2^-46 of the most likely one has probability 0.
///
/// Error. Let e_i = 2^45 exp(-d_i) and E their sum over the m tokens kept, r = e_i / E the exact probability.
/// The weight w_i is within 1/2 + 4e-14 e_i of e_i, and their sum W within m/2 + 4e-14 E of E; W is 2^45 or
/// more, since the most likely token weighs that exactly. Then
///   |w_i / W - r| <= |w_i - e_i| / W + r |E - W| / W <= 2^-46 (1 + m r) + 8e-14 r (E / W),
/// and E / W is 1 to within 5e-9. Two conversions and a division in double add 3 2^-53 r, the rounding to
/// float 2^-24 of what is rounded. With m <= n, the tokens of the row:
///   |y - r| <= (2^-46 (1 + n r) + 1e-13 r) (1 + 2^-23) + 2^-24 r.
///
/// Refused (ContractError, by row; on CUDA a DeviceError at the next synchronisation): a temperature that is
/// not finite, a NaN in top_p.
struct NucleusOutputs {
  TensorView probabilities, kept;
};

void nucleus_filtering(Context& context, const filters::RowInputs& rows,
                       const std::optional<ConstTensorView>& temperature, const ConstTensorView& top_p,
                       std::int64_t min_keep, const NucleusOutputs& outputs);

Operation describe_nucleus_filtering();

}  // namespace assay::sampling
