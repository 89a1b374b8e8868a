#pragma once

#include "reference/tokens/rows.hpp"

namespace assay::reference::sampling {

/// Holtzman et al. 2020, equation 2: the smallest set of most likely tokens with sum p(x) >= p.
/// kept: (rows); left: (rows, words); left_logits: (rows, tokens) f64
inline void run_top_p(const Arguments& arguments, const Outputs& outputs) {
  tokens::filter_rows("top_p", arguments, outputs);
}

}  // namespace assay::reference::sampling
