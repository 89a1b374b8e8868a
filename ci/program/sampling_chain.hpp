#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ci/program/backend_choice.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay::program {

/// One step of a chain with its values, as `sampling.chain` applies it.
struct SamplingStep {
  std::string step;  ///< penalties, bias, temperature, top_k, top_p, min_p, typical
  double value = 0;  ///< of temperature, top_k, top_p, min_p, typical
  double repetition = 1, presence = 0, frequency = 0;
  std::int64_t last_n = -1;  ///< of penalties; -1: all that came before
  bool last_n_given = false;
  std::int64_t min_keep = 0;
};

/// Tokens that are left of one row, by rising id, with their logits.
struct Survivors {
  std::vector<std::int32_t> ids;
  std::vector<float> logits;
};

/// A token with its probability.
struct TokenShare {
  std::int32_t id = 0;
  double p = 0;
};

/// "repetition=1.1,top_k=40,top_p=0.95,min_p=0.05,temperature=0.8": steps in that order; repetition,
/// presence, frequency and last_n that stand beside each other are one step. Throws Failure (2) that names
/// the filter.
std::vector<SamplingStep> parse_chain(std::string_view text);

/// Chains by name: greedy, standard, creative, precise, min-p.
std::string preset_chain(std::string_view name);
std::vector<std::string> preset_names();

/// Applies the steps to logits on the chosen backend.
Survivors apply_chain(ChosenBackend& chosen, std::vector<float> logits,
                      const std::vector<std::int32_t>& previous, const std::vector<SamplingStep>& steps);

/// The first of the greatest logits; -1 where all are -Inf.
std::int32_t greedy_token(const Survivors& survivors);

/// softmax over the survivors by falling p, ties by rising id.
std::vector<TokenShare> shares_of(const Survivors& survivors);

/// `count` draws at positions 0, 1, 2, ... of the seed.
std::vector<std::int32_t> draw_tokens(ChosenBackend& chosen, const Survivors& survivors, std::int64_t count,
                                      std::uint64_t seed);

}  // namespace assay::program
