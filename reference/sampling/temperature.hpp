#pragma once

#include "reference/tokens/rows.hpp"

namespace assay::reference::sampling {

/// Ackley, Hinton, Sejnowski 1985: softmax(l / t), here its argument.
/// adjusted: (rows, tokens) f64
inline void run_temperature(const Arguments& arguments, const Outputs& outputs) {
  tokens::adjust_rows("temperature", arguments, outputs);
}

}  // namespace assay::reference::sampling
