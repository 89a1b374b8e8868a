#include "engine/analysis/network.hpp"

#include <algorithm>
#include <cmath>

#include "engine/analysis/network_task.hpp"

namespace assay::analysis {

void find_significant(Network& network, double fdr) {
  if (!network.tested()) return;
  const std::size_t width = network.width();
  network.significant = {width, width, 0};
  // p-values are multiples of 1 / (1 + surrogates): counting them takes the place of sorting 10^8 of them,
  // and all pairs of as many hits are treated alike anyhow.
  std::vector<std::int64_t> pairs_of(static_cast<std::size_t>(network.surrogates) + 1, 0);
  for (std::size_t source = 0; source < width; ++source)
    for (std::size_t target = 0; target < width; ++target)
      if (source != target) ++pairs_of[network.hits(source, target)];
  const double pairs = static_cast<double>(width) * static_cast<double>(width - 1);
  std::int64_t most_hits = -1, found = 0;
  for (std::size_t hits = 0; hits < pairs_of.size(); ++hits) {
    found += pairs_of[hits];
    const double p =
        (1 + static_cast<double>(hits)) / (1 + static_cast<double>(network.surrogates));  // as p_value has it
    if (pairs_of[hits] > 0 && p <= static_cast<double>(found) * fdr / pairs)
      most_hits = static_cast<std::int64_t>(hits);
  }
  for (std::size_t source = 0; source < width; ++source)
    for (std::size_t target = 0; target < width; ++target)
      if (source != target && network.hits(source, target) <= most_hits)
        network.significant(source, target) = 1;
}

std::int64_t least_discoveries(std::int64_t pairs, std::int64_t surrogates, double q) {
  const double smallest = 1 / (1 + static_cast<double>(surrogates));
  auto found = static_cast<std::int64_t>(std::floor(smallest * static_cast<double>(pairs) / q));
  while (smallest > static_cast<double>(found) * q / static_cast<double>(pairs))
    ++found;  // as the procedure compares
  return found;
}

std::vector<bool> benjamini_hochberg(std::span<const double> p_values, double q) {
  std::vector<double> sorted(p_values.begin(), p_values.end());
  std::sort(sorted.begin(), sorted.end());
  const double count = static_cast<double>(sorted.size());
  double threshold = -1;
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] <= static_cast<double>(i + 1) * q / count) threshold = sorted[i];
  std::vector<bool> discoveries(p_values.size());
  std::transform(p_values.begin(), p_values.end(), discoveries.begin(),
                 [&](double p) { return p <= threshold; });
  return discoveries;
}

}  // namespace assay::analysis
