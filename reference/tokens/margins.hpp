#pragma once

#include "reference/tokens/steps.hpp"

/// How near a step's decision is to the other one: what another arithmetic that is off by less cannot have
/// decided otherwise. Infinite where no threshold takes part.
namespace assay::reference::tokens {

inline constexpr double no_threshold = std::numeric_limits<double>::infinity();

/// How far the mass of any prefix of one token or more is from p, as a share of the whole: one token is kept
/// always.
inline double mass_margin(const std::vector<double>& numerators, const std::vector<std::size_t>& order,
                          double p) {
  long double whole = 0, sum = 0;
  for (const double each : numerators) whole += each;
  if (!(whole > 0)) return no_threshold;
  double nearest = no_threshold;
  for (const std::size_t at : order) {
    sum += numerators[at];
    nearest = std::min(nearest, static_cast<double>(std::fabs(sum / whole - p)));
  }
  return nearest;
}

inline double top_p_margin(const Tokens& tokens, double p) {
  if (p >= 1 || tokens.empty()) return no_threshold;
  return mass_margin(numerators_of(tokens), falling(tokens), p);
}

/// |l - max l - ln p| of the token that is nearest to the bound.
inline double min_p_margin(const Tokens& tokens, double p) {
  if (!(p > 0) || tokens.empty()) return no_threshold;
  const double most = maximum_of(tokens);
  double nearest = no_threshold;
  if (std::isinf(most)) return nearest;
  for (const Token& token : tokens) nearest = std::min(nearest, std::fabs(token.logit - most - std::log(p)));
  return nearest;
}

/// Of the mass, and of the place in the order of the last token kept: by how much its distance from the
/// entropy differs from that of a token with another logit. `kept`: how many the step keeps.
inline double typical_margin(const Tokens& tokens, double p, std::size_t kept) {
  if (p >= 1 || tokens.empty()) return no_threshold;
  const auto numerators = numerators_of(tokens);
  double whole = 0;
  for (const double each : numerators) whole += each;
  if (!(whole > 0)) return no_threshold;
  const auto away = distances_from_entropy(tokens);
  const auto order = rising(away);
  double nearest = mass_margin(numerators, order, p);
  const std::size_t last = order[kept - 1];
  for (std::size_t at = 0; at < tokens.size(); ++at)
    if (tokens[at].logit != tokens[last].logit) {
      const double apart = std::fabs(away[at] - away[last]);
      if (!std::isnan(apart)) nearest = std::min(nearest, apart);  // NaN: both infinitely far
    }
  return nearest;
}

}  // namespace assay::reference::tokens
