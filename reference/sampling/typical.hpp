#pragma once

#include "reference/tokens/rows.hpp"

namespace assay::reference::sampling {

/// Meister et al. 2023, section 3: by |-ln p(x) - H|, as many as it takes to reach p.
/// kept: (rows); left: (rows, words); left_logits: (rows, tokens) f64
inline void run_typical(const Arguments& arguments, const Outputs& outputs) {
  tokens::filter_rows("typical", arguments, outputs);
}

}  // namespace assay::reference::sampling
