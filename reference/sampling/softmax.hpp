#pragma once

#include "reference/tokens/steps.hpp"

namespace assay::reference::sampling {

/// p_i = exp(l_i - max l) / sum_j exp(l_j - max l); probabilities: (rows, tokens) f64
inline void run_softmax(const Arguments& arguments, const Outputs& outputs) {
  const ConstTensorView& logits = arguments.input("logits");
  const std::int64_t count = logits.extent(1);
  const auto all = outputs.at("probabilities").as<double>();
  std::fill(all.begin(), all.end(), 0.0);
  for (std::int64_t row = 0; row < logits.extent(0); ++row) {
    const tokens::Tokens left = tokens::row_of(arguments, row);
    const auto p = tokens::probabilities_of(left);
    for (std::size_t at = 0; at < left.size(); ++at)
      all[static_cast<std::size_t>(row * count + left[at].id)] = p[at];
  }
}

}  // namespace assay::reference::sampling
