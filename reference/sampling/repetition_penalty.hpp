#pragma once

#include "reference/tokens/rows.hpp"

namespace assay::reference::sampling {

/// Keskar et al. 2019, section 4.1, then frequency and presence.
/// adjusted: (rows, tokens) f64
inline void run_repetition_penalty(const Arguments& arguments, const Outputs& outputs) {
  tokens::adjust_rows("penalties", arguments, outputs);
}

}  // namespace assay::reference::sampling
