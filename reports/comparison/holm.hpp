#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace assay::reports {

/// Holm's step-down procedure (1979): which hypotheses are rejected so that the probability of one wrong
/// rejection or more is at most `rate`, whatever the dependence. `family` counts all hypotheses, those
/// without a p-value here included (they are taken as 1); it is raised to the number of p-values where it is
/// smaller.
std::vector<bool> holm(std::span<const double> p_values, double rate, std::size_t family);

/// Holm's adjusted p-values: a hypothesis is rejected at a rate where its own is at or below it.
std::vector<double> holm_adjusted(std::span<const double> p_values, std::size_t family);

}  // namespace assay::reports
