#pragma once

#include "reference/tokens/steps.hpp"

namespace assay::reference::sampling {

/// token = min { i : l_i = max l }; token: (rows), logit: (rows) f64
inline void run_argmax(const Arguments& arguments, const Outputs& outputs) {
  for (std::int64_t row = 0; row < arguments.input("logits").extent(0); ++row) {
    const tokens::Tokens left = tokens::row_of(arguments, row);
    const float most = tokens::maximum_of(left);
    std::int32_t token = -1;
    for (const tokens::Token& each : left)
      if (token < 0 && each.logit == most && most > tokens::minus_infinity)
        token = static_cast<std::int32_t>(each.id);
    outputs.at("token").as<std::int32_t>()[static_cast<std::size_t>(row)] = token;
    outputs.at("logit").as<double>()[static_cast<std::size_t>(row)] = most;
  }
}

}  // namespace assay::reference::sampling
