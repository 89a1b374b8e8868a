#pragma once

#include "reference/tokens/steps.hpp"

namespace assay::reference::sampling {

/// Of one step of one row: (rows, steps, tokens) logits.
inline std::vector<double> step_probabilities(const ConstTensorView& logits, std::int64_t row,
                                              std::int64_t step) {
  ConstTensorView one = logits;  // the rows of one step, (rows, tokens)
  one.data += step * logits.strides[1] * static_cast<std::int64_t>(size_of(logits.dtype));
  tokens::Tokens all;
  for (std::int64_t id = 0; id < logits.extent(2); ++id)
    all.push_back({id, tokens::canonical(tokens::logit_at(one, row, id))});
  // The contract's scale: in units of 2^-45 of the most likely token's, without a fraction.
  std::vector<double> p = tokens::numerators_of(all);
  double sum = 0;
  for (double& numerator : p) sum += numerator = std::nearbyint(numerator * 0x1p45);
  for (double& each : p) each = sum > 0 ? each / sum : 0;
  return p;
}

inline double stream_uniform(std::int64_t seed, std::uint64_t stream, std::int64_t position,
                             std::int64_t step) {
  const auto counter = static_cast<std::uint64_t>(position) + static_cast<std::uint64_t>(step);
  return Philox(static_cast<std::uint64_t>(seed), stream, counter).uniform();
}

/// Leviathan, Kalman, Matias 2023, algorithm 1. tokens: (rows, K + 1); accepted: (rows)
inline void run_speculative_verify(const Arguments& arguments, const Outputs& outputs) {
  const ConstTensorView& target = arguments.input("target_logits");
  const ConstTensorView& draft = arguments.input("draft_logits");
  const std::int64_t steps = draft.extent(1);
  for (std::int64_t row = 0; row < draft.extent(0); ++row) {
    const auto of_row = static_cast<std::size_t>(row);
    const std::int64_t seed = arguments.input("seed").as<std::int64_t>()[of_row];
    const std::int64_t position = arguments.input("position").as<std::int64_t>()[of_row];
    const std::int64_t drafted =
        arguments.has("drafted") ? arguments.input("drafted").as<std::int32_t>()[of_row] : steps;
    const auto proposed = arguments.input("draft_tokens").as<std::int32_t>();
    const auto out = outputs.at("tokens").as<std::int32_t>().subspan(
        static_cast<std::size_t>(row * (steps + 1)), static_cast<std::size_t>(steps + 1));
    std::fill(out.begin(), out.end(), -1);

    std::int64_t taken = 0;
    std::vector<double> left;  // what the last token is drawn from
    for (; taken < drafted; ++taken) {
      const std::int32_t x = proposed[static_cast<std::size_t>(row * steps + taken)];
      const auto p = step_probabilities(target, row, taken), q = step_probabilities(draft, row, taken);
      const double p_x = p[static_cast<std::size_t>(x)], q_x = q[static_cast<std::size_t>(x)];
      double of_draft = 0;
      for (const double each : q) of_draft += each;
      const double uniform = stream_uniform(seed, 1, position, taken);
      if (of_draft > 0 && p_x > 0 && uniform * q_x < p_x) {
        out[static_cast<std::size_t>(taken)] = x;
        continue;
      }
      double sum = 0;
      for (std::size_t id = 0; id < p.size(); ++id) {
        left.push_back(std::max(0.0, p[id] - q[id]));
        sum += left.back();
      }
      if (sum == 0) left = p;
      break;
    }
    if (taken == drafted) left = step_probabilities(target, row, drafted);
    double sum = 0;
    for (const double each : left) sum += each;
    for (double& each : left) each = sum > 0 ? each / sum : 0;
    out[static_cast<std::size_t>(taken)] =
        static_cast<std::int32_t>(tokens::drawn(left, stream_uniform(seed, 2, position, taken)));
    outputs.at("accepted").as<std::int32_t>()[of_row] = static_cast<std::int32_t>(taken);
  }
}

}  // namespace assay::reference::sampling
