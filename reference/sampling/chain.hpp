#pragma once

#include <string_view>

#include "reference/tokens/rows.hpp"

namespace assay::reference::sampling {

/// token, kept: (rows); log_prob: (rows) f64; left: (rows, words); left_logits: (rows, tokens) f64
inline void run_chain(const Arguments& arguments, const Outputs& outputs) {
  const ConstTensorView& logits = arguments.input("logits");
  const auto seed = arguments.input("seed").as<std::int64_t>();
  const auto position = arguments.input("position").as<std::int64_t>();
  for (std::int64_t row = 0; row < logits.extent(0); ++row) {
    const auto at = static_cast<std::size_t>(row);
    tokens::Tokens left = tokens::row_of(arguments, row);
    std::string_view order = arguments.text("order");
    while (!order.empty()) {
      const std::string_view step = order.substr(0, order.find(','));
      order.remove_prefix(std::min(order.size(), step.size() + 1));
      tokens::apply_step(left, step, arguments, row);
    }
    const auto probabilities = tokens::probabilities_of(left);
    const std::int64_t drawn = tokens::drawn(probabilities, tokens::uniform_of(seed[at], position[at]));
    outputs.at("kept").as<std::int32_t>()[at] = static_cast<std::int32_t>(left.size());
    outputs.at("token").as<std::int32_t>()[at] =
        drawn < 0 ? -1 : static_cast<std::int32_t>(left[static_cast<std::size_t>(drawn)].id);
    outputs.at("log_prob").as<double>()[at] = drawn < 0
                                                  ? -std::numeric_limits<double>::infinity()
                                                  : std::log(probabilities[static_cast<std::size_t>(drawn)]);
    if (!arguments.flag("survivors")) continue;
    tokens::write_survivors(left, arguments, outputs, row);
    tokens::write_logits(left, arguments, outputs, "left_logits", row);
  }
}

}  // namespace assay::reference::sampling
