#pragma once

#include <string_view>

#include "reference/tokens/steps.hpp"

namespace assay::reference::sampling {

template <typename T>
T of_row(const Arguments& arguments, std::string_view input, std::int64_t row, T otherwise) {
  if (!arguments.has(input)) return otherwise;
  return arguments.input(input).as<T>()[static_cast<std::size_t>(row)];
}

template <typename T>
std::span<const T> row_of_ids(const Arguments& arguments, std::string_view input, std::int64_t row) {
  const ConstTensorView& view = arguments.input(input);
  const auto length = static_cast<std::size_t>(view.extent(1));
  return view.as<T>().subspan(static_cast<std::size_t>(row) * length, length);
}

inline void apply_step(tokens::Tokens& left, std::string_view step, const Arguments& arguments,
                       std::int64_t row) {
  const std::int64_t least = arguments.integer("min_keep");
  if (step == "penalties") {
    const auto previous = row_of_ids<std::int32_t>(arguments, "previous", row);
    tokens::penalties(
        left, previous,
        of_row<std::int32_t>(arguments, "last_n", row, static_cast<std::int32_t>(previous.size())),
        of_row<float>(arguments, "repetition", row, 1), of_row<float>(arguments, "presence", row, 0),
        of_row<float>(arguments, "frequency", row, 0));
  }
  if (step == "bias")
    tokens::bias(left, row_of_ids<std::int32_t>(arguments, "bias_ids", row),
                 row_of_ids<float>(arguments, "biases", row));
  if (step == "temperature") tokens::temperature(left, of_row<float>(arguments, "temperature", row, 1));
  if (step == "top_k") tokens::top_k(left, of_row<std::int32_t>(arguments, "top_k", row, 0));
  if (step == "top_p") tokens::top_p(left, of_row<double>(arguments, "top_p", row, 1), least);
  if (step == "min_p") tokens::min_p(left, of_row<double>(arguments, "min_p", row, 0), least);
  if (step == "typical") tokens::typical(left, of_row<double>(arguments, "typical_p", row, 1), least);
}

/// token, kept: (rows); log_prob: (rows) f64; left: (rows, words); left_logits: (rows, tokens) f64
inline void run_chain(const Arguments& arguments, const Outputs& outputs) {
  const ConstTensorView& logits = arguments.input("logits");
  const std::int64_t count = logits.extent(1), words = (count + 31) / 32;
  const auto seed = arguments.input("seed").as<std::int64_t>();
  const auto position = arguments.input("position").as<std::int64_t>();
  for (std::int64_t row = 0; row < logits.extent(0); ++row) {
    const auto at = static_cast<std::size_t>(row);
    tokens::Tokens left = tokens::row_of(arguments, row);
    std::string_view order = arguments.text("order");
    while (!order.empty()) {
      const std::string_view step = order.substr(0, order.find(','));
      order.remove_prefix(std::min(order.size(), step.size() + 1));
      apply_step(left, step, arguments, row);
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
    const auto bits = outputs.at("left").as<std::uint32_t>().subspan(static_cast<std::size_t>(row * words),
                                                                     static_cast<std::size_t>(words));
    const auto kept_logits =
        outputs.at("left_logits")
            .as<double>()
            .subspan(static_cast<std::size_t>(row * count), static_cast<std::size_t>(count));
    std::fill(bits.begin(), bits.end(), 0u);
    std::fill(kept_logits.begin(), kept_logits.end(), -std::numeric_limits<double>::infinity());
    for (const tokens::Token& token : left) {
      bits[static_cast<std::size_t>(token.id / 32)] |= 1u << (token.id % 32);
      kept_logits[static_cast<std::size_t>(token.id)] = token.logit;
    }
  }
}

}  // namespace assay::reference::sampling
