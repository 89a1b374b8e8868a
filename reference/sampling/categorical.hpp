#pragma once

#include "reference/tokens/steps.hpp"

namespace assay::reference::sampling {

/// token: (rows, draws); log_prob: (rows, draws) f64
inline void run_categorical(const Arguments& arguments, const Outputs& outputs) {
  const std::int64_t draws = arguments.integer("draws");
  const auto seed = arguments.input("seed").as<std::int64_t>();
  const auto position = arguments.input("position").as<std::int64_t>();
  for (std::int64_t row = 0; row < arguments.input("logits").extent(0); ++row) {
    const tokens::Tokens left = tokens::row_of(arguments, row);
    const auto p = tokens::probabilities_of(left);
    for (std::int64_t draw = 0; draw < draws; ++draw) {
      const auto at = static_cast<std::size_t>(row * draws + draw);
      const auto of_row = static_cast<std::size_t>(row);
      // The counter is a number of 64 bits that wraps.
      const auto counter = static_cast<std::int64_t>(static_cast<std::uint64_t>(position[of_row]) +
                                                     static_cast<std::uint64_t>(draw));
      const std::int64_t drawn = tokens::drawn(p, tokens::uniform_of(seed[of_row], counter));
      outputs.at("token").as<std::int32_t>()[at] =
          drawn < 0 ? -1 : static_cast<std::int32_t>(left[static_cast<std::size_t>(drawn)].id);
      outputs.at("log_prob").as<double>()[at] =
          drawn < 0 ? -std::numeric_limits<double>::infinity() : std::log(p[static_cast<std::size_t>(drawn)]);
    }
  }
}

}  // namespace assay::reference::sampling
