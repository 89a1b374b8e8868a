#include "reports/comparison/holm.hpp"

#include <algorithm>
#include <numeric>

namespace assay::reports {

std::vector<double> holm_adjusted(std::span<const double> p_values, std::size_t family) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size(), 1.0);
  std::size_t left = std::max(family, p_values.size());
  double largest = 0.0;
  for (const std::size_t at : order) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(left--) * p_values[at]));
    adjusted[at] = largest;
  }
  return adjusted;
}

std::vector<bool> holm(std::span<const double> p_values, double rate, std::size_t family) {
  const std::vector<double> adjusted = holm_adjusted(p_values, family);
  std::vector<bool> rejected(adjusted.size());
  std::transform(adjusted.begin(), adjusted.end(), rejected.begin(),
                 [&](double value) { return value <= rate; });
  return rejected;
}

}  // namespace assay::reports
