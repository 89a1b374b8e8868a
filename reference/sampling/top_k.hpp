#pragma once

#include "reference/tokens/rows.hpp"

namespace assay::reference::sampling {

/// Fan, Lewis, Dauphin 2018, section 5: the k most likely tokens.
/// kept: (rows); left: (rows, words); left_logits: (rows, tokens) f64
inline void run_top_k(const Arguments& arguments, const Outputs& outputs) {
  tokens::filter_rows("top_k", arguments, outputs);
}

}  // namespace assay::reference::sampling
