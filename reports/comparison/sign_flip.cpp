#include "reports/comparison/sign_flip.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "reports/statistics.hpp"

namespace assay::reports {
namespace {

/// All sums of the values with signs, rising. One value more merges the sums with it and those without.
std::vector<double> signed_sums(std::span<const double> values) {
  std::vector<double> sums{0.0};
  std::vector<double> lower, upper;
  for (const double value : values) {
    const double size = std::abs(value);
    lower.clear();
    upper.clear();
    for (const double sum : sums) {
      lower.push_back(sum - size);
      upper.push_back(sum + size);
    }
    sums.resize(2 * lower.size());
    std::merge(lower.begin(), lower.end(), upper.begin(), upper.end(), sums.begin());
  }
  return sums;
}

/// The p-value of the sum of these values among all patterns of their signs.
double p_of_sum(std::span<const double> values) {
  if (values.size() > most_differences)
    throw std::invalid_argument("the sign-flip test takes at most 40 differences");
  double sum = 0.0, sizes = 0.0;
  for (const double value : values) {
    if (!std::isfinite(value)) throw std::invalid_argument("the sign-flip test takes finite differences");
    sum += value;
    sizes += std::abs(value);
  }
  const double threshold =
      sum - sizes * static_cast<double>(values.size() + 1) * std::numeric_limits<double>::epsilon();
  const std::size_t half = values.size() / 2;
  const std::vector<double> first = signed_sums(values.first(half));
  const std::vector<double> second = signed_sums(values.subspan(half));
  // As the sum of one half rises, the other may fall further.
  double patterns = 0.0;
  std::size_t from = second.size();
  for (const double part : first) {
    while (from > 0 && part + second[from - 1] >= threshold) --from;
    patterns += static_cast<double>(second.size() - from);
  }
  return patterns * smallest_p(values.size());
}

std::vector<double> shifted(std::span<const double> differences, double factor, double shift) {
  std::vector<double> values;
  values.reserve(differences.size());
  for (const double difference : differences) values.push_back(factor * difference + shift);
  return values;
}

/// The least x in [low, high] for which `holds`, which is false below some point and true above it.
template <typename Predicate>
double least_that(double low, double high, const Predicate& holds) {
  constexpr double close_enough = 1e-7;  // of ln of a ratio: 0.00001 %
  while (high - low > close_enough) {
    const double middle = 0.5 * (low + high);
    (holds(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace

double sign_flip_above(std::span<const double> differences, double margin) {
  return p_of_sum(shifted(differences, 1.0, -margin));
}

double sign_flip_below(std::span<const double> differences, double margin) {
  return p_of_sum(shifted(differences, -1.0, -margin));
}

double smallest_p(std::size_t differences) {
  return std::ldexp(1.0, -static_cast<int>(differences));
}

std::size_t fewest_differences(double level) {
  std::size_t differences = 0;
  while (smallest_p(differences) > level) ++differences;
  return differences;
}

CentreInterval centre_interval(std::span<const double> differences, double confidence) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const double tail = (1.0 - confidence) / 2.0;
  if (differences.empty() || smallest_p(differences.size()) > tail) return {-infinite, infinite};
  const auto [least, most] = std::minmax_element(differences.begin(), differences.end());
  // Below all differences a centre is rejected for being too low, above all of them for being too high.
  const double low = least_that(*least - 1e-12, *most,
                                [&](double centre) { return sign_flip_above(differences, centre) > tail; });
  const double high = -least_that(-*most - 1e-12, -*least,
                                  [&](double centre) { return sign_flip_below(differences, centre) > tail; });
  return {low, high};
}

double equivalence_p(std::span<const double> differences, double low, double high) {
  const double too_low = p_of_sum(shifted(differences, 1.0, -low));
  const double too_high = p_of_sum(shifted(differences, -1.0, high));
  return std::max(too_low, too_high);
}

double smallest_visible(std::span<const double> differences, double margin, double level,
                        std::size_t blocks) {
  if (differences.empty() || smallest_p(blocks) > level) return std::numeric_limits<double>::infinity();
  const double centre = median(differences);
  std::vector<double> residuals;
  double widest = 0.0;
  for (std::size_t block = 0; block < blocks; ++block) {
    residuals.push_back(differences[block % differences.size()] - centre);
    widest = std::max(widest, std::abs(residuals.back()));
  }
  const auto seen_upwards = [&](double effect) {
    return p_of_sum(shifted(residuals, 1.0, effect - margin)) <= level;
  };
  const auto seen_downwards = [&](double effect) {
    return p_of_sum(shifted(residuals, -1.0, effect - margin)) <= level;
  };
  // An effect beyond the margin by more than the widest residual makes every difference speak for it.
  const double most = margin + widest + 1e-12;
  return std::max(least_that(margin, most, seen_upwards), least_that(margin, most, seen_downwards));
}

}  // namespace assay::reports
