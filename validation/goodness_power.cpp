#include "validation/goodness_power.hpp"

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/non_central_chi_squared.hpp>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "engine/analysis/splitmix.hpp"

namespace assay::validation {

namespace {

/// Pr[noncentral chi-squared > the critical value of alpha].
double exceeds(int degrees_of_freedom, double noncentrality, double alpha) {
  if (degrees_of_freedom < 1) return 0;
  namespace math = boost::math;
  const double critical = math::quantile(math::complement(math::chi_squared(degrees_of_freedom), alpha));
  if (noncentrality == 0) return alpha;
  // Far above, where the series of the distribution is long, what is missing from 1 is less than exp(-800)
  // (Birge 2001, lemma 8.1: at most exp(-t^2 / (4 (df + 2 noncentrality))) lies t below the mean).
  const double mean = degrees_of_freedom + noncentrality;
  if (mean - critical > 40 * std::sqrt(2 * (mean + noncentrality))) return 1;
  return math::cdf(
      math::complement(math::non_central_chi_squared(degrees_of_freedom, noncentrality), critical));
}

}  // namespace

Power goodness_power(std::span<const double> probabilities, std::span<const double> alternative,
                     std::int64_t draws, const GoodnessOptions& options, int seeds) {
  if (alternative.size() != probabilities.size())
    throw std::invalid_argument(fmt::format("power: {} probabilities of an alternative, expected {}",
                                            alternative.size(), probabilities.size()));
  double impossible = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    if (probabilities[i] == 0) impossible += alternative[i];
  if (impossible >= 1) return {1, 1};
  const auto count = static_cast<double>(draws);
  const double seen_outside = -std::expm1(count * std::log1p(-impossible));
  double by_statistic = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const Binning binning = bins_of(probabilities, draws, static_cast<std::uint64_t>(seed), options);
    std::vector<double> wrong(binning.probabilities.size());
    for (std::size_t i = 0; i < alternative.size(); ++i)
      if (binning.bin_of[i] >= 0)
        wrong[static_cast<std::size_t>(binning.bin_of[i])] += alternative[i] / (1 - impossible);
    double noncentrality = 0;
    for (std::size_t bin = 0; bin < wrong.size(); ++bin) {
      const double difference = wrong[bin] - binning.probabilities[bin];
      noncentrality += count * difference * difference / binning.probabilities[bin];
    }
    by_statistic += exceeds(binning.degrees_of_freedom(), noncentrality, options.alpha) / seeds;
  }
  const double red_by_statistic = (1 - seen_outside) * by_statistic;
  Power power;
  power.one_test = seen_outside + red_by_statistic;
  // the bins of the second test are drawn anew, so that the two are independent
  power.confirmed = seen_outside + red_by_statistic * power.one_test;
  return power;
}

std::vector<double> shifted(std::span<const double> probabilities, std::int64_t category, double share) {
  const auto at = static_cast<std::size_t>(category);
  const double wanted = probabilities[at] * (1 + share);
  std::vector<double> made(probabilities.begin(), probabilities.end());
  for (double& probability : made) probability *= (1 - wanted) / (1 - probabilities[at]);
  made[at] = wanted;
  return made;
}

std::vector<double> leaking(std::span<const double> probabilities, std::int64_t category, double mass) {
  std::vector<double> made(probabilities.begin(), probabilities.end());
  for (double& probability : made) probability *= 1 - mass;
  made[static_cast<std::size_t>(category)] += mass;
  return made;
}

std::vector<double> spread_over_tail(std::span<const double> probabilities, double total_variation,
                                     double tail_below, std::uint64_t seed) {
  const std::uint64_t key = analysis::SplitMix64(~seed).next();  // not the key of any bins
  const auto gains = [&](std::size_t i) { return analysis::SplitMix64(key ^ i).next() % 2 == 0; };
  double gaining = 0, losing = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    if (probabilities[i] <= tail_below) (gains(i) ? gaining : losing) += probabilities[i];
  if (!(gaining > 0) || losing < total_variation)
    throw std::invalid_argument(
        fmt::format("alternative: a tail of {} and {} cannot move {}", gaining, losing, total_variation));
  std::vector<double> made(probabilities.begin(), probabilities.end());
  for (std::size_t i = 0; i < made.size(); ++i)
    if (made[i] <= tail_below)
      made[i] *= gains(i) ? 1 + total_variation / gaining : 1 - total_variation / losing;
  return made;
}

}  // namespace assay::validation
