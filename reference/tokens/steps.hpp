#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/arguments.hpp"
#include "engine/runtime/philox.hpp"
#include "engine/tensors/half.hpp"

/// The steps of a sampling chain, literally. Logits are float, as the contract says; probabilities are
/// double.
namespace assay::reference::tokens {

struct Token {
  std::int64_t id;
  float logit;
};
/// What is left of a row, by rising id.
using Tokens = std::vector<Token>;

inline constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// NaN is -Inf, -0 is +0.
inline float canonical(float logit) {
  return std::isnan(logit) ? minus_infinity : logit == 0 ? 0.0F : logit;
}

inline float logit_at(const ConstTensorView& logits, std::int64_t row, std::int64_t token) {
  const std::int64_t at = row * logits.strides[0] + token;
  if (logits.dtype == DType::f16) return to_float(reinterpret_cast<const Half*>(logits.data)[at]);
  if (logits.dtype == DType::bf16) return to_float(reinterpret_cast<const BFloat16*>(logits.data)[at]);
  return reinterpret_cast<const float*>(logits.data)[at];
}

inline Tokens row_of(const Arguments& arguments, std::int64_t row) {
  const ConstTensorView& logits = arguments.input("logits");
  const std::int64_t count = logits.extent(1), words = (count + 31) / 32;
  Tokens tokens;
  for (std::int64_t id = 0; id < count; ++id) {
    if (arguments.has("mask")) {
      const std::uint32_t word =
          arguments.input("mask").as<std::uint32_t>()[static_cast<std::size_t>(row * words + id / 32)];
      if ((word >> (id % 32) & 1u) == 0) continue;
    }
    tokens.push_back({id, canonical(logit_at(logits, row, id))});
  }
  return tokens;
}

inline float maximum_of(const Tokens& tokens) {
  float most = minus_infinity;
  for (const Token& token : tokens) most = std::max(most, token.logit);
  return most;
}

/// exp(l - max l): the numerators of softmax. All 0 where nothing has a probability; tokens at +Inf share it
/// where there are any.
inline std::vector<double> numerators_of(const Tokens& tokens) {
  const double most = maximum_of(tokens);
  std::vector<double> made;
  for (const Token& token : tokens) {
    const double logit = token.logit;
    made.push_back(std::isinf(most) ? (most > 0 && logit == most ? 1.0 : 0.0) : std::exp(logit - most));
  }
  return made;
}

inline std::vector<double> probabilities_of(const Tokens& tokens) {
  std::vector<double> made = numerators_of(tokens);
  double sum = 0;
  for (const double each : made) sum += each;
  for (double& p : made) p = sum > 0 ? p / sum : 0;
  return made;
}

/// Keeps the first `count` of an order of positions.
inline void keep_first(Tokens& tokens, std::vector<std::size_t> order, std::size_t count) {
  order.resize(std::min(count, order.size()));
  std::sort(order.begin(), order.end());
  Tokens kept;
  for (const std::size_t at : order) kept.push_back(tokens[at]);
  tokens = std::move(kept);
}

/// Positions by falling logit, equal ones by rising id.
inline std::vector<std::size_t> falling(const Tokens& tokens) {
  std::vector<std::size_t> order(tokens.size());
  for (std::size_t at = 0; at < order.size(); ++at) order[at] = at;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return tokens[a].logit > tokens[b].logit; });
  return order;
}

/// The length of the shortest prefix of that order whose probabilities add up to p or more, at least `least`;
/// so many alone where nothing has a probability. In extended precision and without the division, so that
/// equal tokens, whose numerators are exact, are counted exactly.
inline std::size_t prefix_of_mass(const std::vector<double>& numerators,
                                  const std::vector<std::size_t>& order, double p, std::int64_t least) {
  long double whole = 0, sum = 0;
  for (const double each : numerators) whole += each;
  std::size_t length = 0;
  while (whole > 0 && length < order.size() && sum < p * whole) sum += numerators[order[length++]];
  return std::max({length, static_cast<std::size_t>(least), std::size_t{1}});
}

inline void top_k(Tokens& tokens, std::int64_t k) {
  if (k > 0) keep_first(tokens, falling(tokens), static_cast<std::size_t>(k));
}

inline void top_p(Tokens& tokens, double p, std::int64_t least) {
  if (p >= 1 || tokens.empty()) return;
  const auto order = falling(tokens);
  keep_first(tokens, order, prefix_of_mass(numerators_of(tokens), order, p, least));
}

inline void min_p(Tokens& tokens, double p, std::int64_t least) {
  if (!(p > 0) || tokens.empty()) return;
  const double bound = static_cast<double>(maximum_of(tokens)) + std::log(p);
  std::size_t reach = 0;
  for (const Token& token : tokens) reach += static_cast<double>(token.logit) >= bound ? 1 : 0;
  keep_first(tokens, falling(tokens), std::max({reach, static_cast<std::size_t>(least), std::size_t{1}}));
}

/// |-ln p - H| of each token, H the entropy. Precondition: some token has a probability.
inline std::vector<double> distances_from_entropy(const Tokens& tokens) {
  double entropy = 0;
  for (const double each : probabilities_of(tokens))
    if (each > 0) entropy -= each * std::log(each);
  // ln p from the logits, which do not underflow: ln p = l - max - ln sum exp(l - max).
  const double most = maximum_of(tokens);
  double whole = 0;
  for (const double each : numerators_of(tokens)) whole += each;
  std::vector<double> away;
  for (const Token& token : tokens) {
    const double below = token.logit == most ? 0.0 : most - static_cast<double>(token.logit);
    away.push_back(std::fabs(below + std::log(whole) - entropy));
  }
  return away;
}

/// Positions by rising value, equal ones by rising position.
inline std::vector<std::size_t> rising(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  for (std::size_t at = 0; at < order.size(); ++at) order[at] = at;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  return order;
}

/// Meister, Pimentel, Wiher, Cotterell 2023, section 3: by the distance of -ln p from the entropy.
inline void typical(Tokens& tokens, double p, std::int64_t least) {
  if (p >= 1 || tokens.empty()) return;
  if (maximum_of(tokens) == minus_infinity) return top_k(tokens, std::max<std::int64_t>(1, least));
  const auto order = rising(distances_from_entropy(tokens));
  keep_first(tokens, order, prefix_of_mass(numerators_of(tokens), order, p, least));
}

inline void temperature(Tokens& tokens, float t) {
  if (t > 0) {
    for (Token& token : tokens) token.logit = canonical(token.logit / t);
    return;
  }
  const float most = maximum_of(tokens);
  bool met = most == minus_infinity;
  for (Token& token : tokens) {
    if (!met && token.logit == most)
      met = true;
    else
      token.logit = minus_infinity;
  }
}

/// Keskar et al. 2019, section 4.1, then frequency and presence, each operation rounded to float.
/// previous: ids, those below 0 are padding.
inline void penalties(Tokens& tokens, std::span<const std::int32_t> previous, std::int64_t last_n,
                      float repetition, float presence, float frequency) {
  if (last_n <= 0) return;
  if (static_cast<std::int64_t>(previous.size()) > last_n)
    previous = previous.last(static_cast<std::size_t>(last_n));
  for (Token& token : tokens) {
    const auto times = std::count(previous.begin(), previous.end(), token.id);
    if (times == 0) continue;
    const float scaled = token.logit > 0 ? token.logit / repetition : token.logit * repetition;
    const float by_frequency = static_cast<float>(times) * frequency;
    const float taken = by_frequency + presence;
    token.logit = canonical(scaled - taken);
  }
}

inline void bias(Tokens& tokens, std::span<const std::int32_t> ids, std::span<const float> biases) {
  for (Token& token : tokens)
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (ids[i] == token.id) token.logit = canonical(token.logit + biases[i]);
}

/// The position of the token that a uniform number in [0, 1) falls on: tokens by rising id, each with its
/// share. -1 where nothing has a probability.
inline std::int64_t drawn(const std::vector<double>& probabilities, double uniform) {
  std::int64_t last = -1;
  double sum = 0;
  for (std::size_t at = 0; at < probabilities.size(); ++at) {
    if (!(probabilities[at] > 0)) continue;
    last = static_cast<std::int64_t>(at);
    sum += probabilities[at];
    if (uniform < sum) break;
  }
  return last;
}

/// The uniform number of a draw: 64 bits of block `position` of Philox under that key, as a fraction.
inline double uniform_of(std::int64_t seed, std::int64_t position) {
  const auto bits =
      Philox(static_cast<std::uint64_t>(seed), 0, static_cast<std::uint64_t>(position)).next_u64();
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace assay::reference::tokens
