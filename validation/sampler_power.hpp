#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "validation/goodness_power.hpp"

/// What a sampler may get wrong, by name, and properties that say how surely they find each of it.
namespace assay::validation {

struct Alternative {
  std::string name;
  std::vector<double> probabilities;
};

/// Half of the sum of |p - q|.
double total_variation(std::span<const double> p, std::span<const double> q);

/// (1 - share) p + share q with the share that makes its distance from p what is asked: q now and then.
/// Nothing where q itself is nearer.
std::optional<std::vector<double>> mixed(std::span<const double> p, const std::vector<double>& q,
                                         double distance);

/// The first of family(0) = p to family(1) that is so far from p, where the distance rises all the way.
/// Nothing where none is.
std::optional<std::vector<double>> at_distance(std::span<const double> p, double distance,
                                               const std::function<std::vector<double>(double)>& family);

/// Wrong samplers of tokens, each `distance` away in total variation: mass that the most probable token gains
/// or loses, a temperature too high or too low, every other token favoured, rare tokens favoured over others
/// as rare, the next token drawn in a token's place now and then, any token at all drawn now and then. What
/// has no size of its own is as near as it can be and no nearer than `distance`: a token lost, two exchanged,
/// one too many where a token has no probability. What the distribution has no room for is left out.
std::vector<Alternative> wrong_samplers(std::span<const double> p, double distance = 0.005);

/// Pairs (a, b), category a n + b, of draws that should be independent and are not, each `distance` from the
/// product: a draw that repeats the one before it now and then, one that avoids it, tokens of one parity that
/// come together.
std::vector<Alternative> dependent_pairs(std::span<const double> p, double distance = 0.005);

/// The independent pairs of the same.
std::vector<double> independent_pairs(std::span<const double> p);

/// A bin for every category: of few tokens, where two rare ones that are exchanged are in one bin otherwise,
/// once in 50 seeds, and seen by nobody.
inline GoodnessOptions each_alone() {
  GoodnessOptions options;
  options.alone_above = 0;
  return options;
}

/// How surely `draws` of them find each alternative.
struct FoundAlternative {
  std::string name;
  double distance = 0;  ///< total variation
  double power = 0;     ///< that it is red twice, or impossible once
};
std::vector<FoundAlternative> found_of(std::span<const double> probabilities,
                                       const std::vector<Alternative>& alternatives, std::int64_t draws,
                                       const GoodnessOptions& options = {});

/// As expect_fits; and each alternative must be found with a probability of 0.999 by so many draws, which is
/// shown as a table beside the verdict.
void expect_fits_and_finds(Probe& probe, std::string_view what, std::span<const double> probabilities,
                           const std::vector<Alternative>& alternatives, const DrawCategories& draw,
                           std::int64_t draws, const GoodnessOptions& options = {});
inline constexpr double least_power = 0.999;

}  // namespace assay::validation
