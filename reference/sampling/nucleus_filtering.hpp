#pragma once

#include "reference/tokens/rows.hpp"

namespace assay::reference::sampling {

/// Holtzman et al. 2020, equation 3: P'(x) = P(x) / sum of P over the nucleus, 0 outside.
/// probabilities: (rows, tokens) f64; kept: (rows)
inline void run_nucleus_filtering(const Arguments& arguments, const Outputs& outputs) {
  const ConstTensorView& logits = arguments.input("logits");
  for (std::int64_t row = 0; row < logits.extent(0); ++row) {
    tokens::Tokens left = tokens::row_of(arguments, row);
    if (arguments.has("temperature")) tokens::apply_step(left, "temperature", arguments, row);
    tokens::apply_step(left, "top_p", arguments, row);
    tokens::row_of_output<std::int32_t>(outputs, "kept", row, 1)[0] = static_cast<std::int32_t>(left.size());
    const auto to = tokens::row_of_output<double>(outputs, "probabilities", row, logits.extent(1));
    std::fill(to.begin(), to.end(), 0.0);
    const auto numerators = tokens::numerators_of(left);
    long double sum = 0;  // so that the error of a long sum does not show beside the bound
    for (const double each : numerators) sum += each;
    for (std::size_t at = 0; sum > 0 && at < left.size(); ++at)
      to[static_cast<std::size_t>(left[at].id)] = static_cast<double>(numerators[at] / sum);
  }
}

}  // namespace assay::reference::sampling
