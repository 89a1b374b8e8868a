#pragma once

#include "reference/tokens/rows.hpp"

namespace assay::reference::sampling {

/// l + b.
/// adjusted: (rows, tokens) f64
inline void run_logit_bias(const Arguments& arguments, const Outputs& outputs) {
  tokens::adjust_rows("bias", arguments, outputs);
}

}  // namespace assay::reference::sampling
