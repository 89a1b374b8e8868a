#pragma once

#include "reference/tokens/rows.hpp"

namespace assay::reference::sampling {

/// Nguyen et al. 2024, algorithm 1: p(x) >= p_base max p, as l >= max l + ln p_base.
/// kept: (rows); left: (rows, words); left_logits: (rows, tokens) f64
inline void run_min_p(const Arguments& arguments, const Outputs& outputs) {
  tokens::filter_rows("min_p", arguments, outputs);
}

}  // namespace assay::reference::sampling
