#pragma once

#include "reference/tokens/steps.hpp"

namespace assay::reference::sampling {

/// ln p_i = l_i - max l - ln sum_j exp(l_j - max l), from the logits, which do not underflow.
inline std::vector<double> log_probabilities_of(const tokens::Tokens& left) {
  const double most = tokens::maximum_of(left);
  double sum = 0;
  for (const double numerator : tokens::numerators_of(left)) sum += numerator;
  std::vector<double> made;
  for (const tokens::Token& token : left) {
    const double below = token.logit == most ? 0.0 : most - static_cast<double>(token.logit);
    const double log_p = sum > 0 ? -below - std::log(sum) : -std::numeric_limits<double>::infinity();
    // What a float does not reach is -Inf, as the contract says.
    made.push_back(std::isinf(static_cast<float>(log_p)) ? -std::numeric_limits<double>::infinity() : log_p);
  }
  return made;
}

/// ids: (rows, n); log_probs: (rows, n) f64; chosen_log_prob: (rows) f64; chosen_rank: (rows)
inline void run_log_probs(const Arguments& arguments, const Outputs& outputs) {
  const auto n = static_cast<std::size_t>(arguments.integer("n"));
  const double nothing = -std::numeric_limits<double>::infinity();
  for (std::int64_t row = 0; row < arguments.input("logits").extent(0); ++row) {
    const auto of_row = static_cast<std::size_t>(row);
    const tokens::Tokens left = tokens::row_of(arguments, row);
    const auto log_p = log_probabilities_of(left);
    const auto order = tokens::falling(left);
    for (std::size_t place = 0; place < n; ++place) {
      const bool there = place < order.size();
      outputs.at("ids").as<std::int32_t>()[of_row * n + place] =
          there ? static_cast<std::int32_t>(left[order[place]].id) : -1;
      outputs.at("log_probs").as<double>()[of_row * n + place] = there ? log_p[order[place]] : nothing;
    }
    if (!arguments.has("tokens")) continue;
    const std::int32_t chosen = arguments.input("tokens").as<std::int32_t>()[of_row];
    outputs.at("chosen_log_prob").as<double>()[of_row] = nothing;
    outputs.at("chosen_rank").as<std::int32_t>()[of_row] = -1;
    for (std::size_t place = 0; place < order.size(); ++place) {
      if (left[order[place]].id != chosen) continue;
      outputs.at("chosen_log_prob").as<double>()[of_row] = log_p[order[place]];
      outputs.at("chosen_rank").as<std::int32_t>()[of_row] = static_cast<std::int32_t>(place);
    }
  }
}

}  // namespace assay::reference::sampling
