#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "validation/goodness.hpp"

namespace assay::validation {

/// How often a sampler of the wrong probabilities is found.
struct Power {
  double one_test = 0;   ///< a test of these draws is red
  double confirmed = 0;  ///< goodness_of_fit is: red twice, or impossible once
};

/// The power of the test at so many draws from `alternative` (as many categories as `probabilities`), the
/// mean over the bins of seeds 0 .. seeds - 1. Over given bins Pearson's statistic is close to a noncentral
/// chi-squared with the test's degrees of freedom and noncentrality N * sum (q - p)^2 / p (Patnaik 1949,
/// Biometrika 36, 202; the distribution from Boost.Math); impossible categories of mass m are seen with
/// probability 1 - (1 - m)^N. Close for many draws and a near alternative; for a far one the variance is not
/// the one taken, and a simulation was found 0.06 off (goodness_test.cpp).
Power goodness_power(std::span<const double> probabilities, std::span<const double> alternative,
                     std::int64_t draws, const GoodnessOptions& options = {}, int seeds = 20);

/// Alternatives by name. Each gives the probabilities of a wrong sampler.

/// A category's probability times 1 + share, the others scaled to make room; share -1: the category is lost.
std::vector<double> shifted(std::span<const double> probabilities, std::int64_t category, double share);
/// A category (of probability 0: one too many at the boundary) gets `mass` from all others in proportion.
std::vector<double> leaking(std::span<const double> probabilities, std::int64_t category, double mass);
/// Categories of up to `tail_below`, cut in two by a hash: one part gains `total_variation`, the other loses
/// it, each in proportion. Refused (std::invalid_argument): a part that holds less than it would lose.
std::vector<double> spread_over_tail(std::span<const double> probabilities, double total_variation,
                                     double tail_below = 0.02, std::uint64_t seed = 1);

}  // namespace assay::validation
