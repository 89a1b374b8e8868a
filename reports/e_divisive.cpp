#include <algorithm>
#include <cmath>
#include <random>

#include "reports/change_points.hpp"

namespace assay::reports {
namespace {

struct Segment {
  std::size_t begin = 0, end = 0;
  Split best;  // in the numbering of the whole series
};

Segment segment_of(std::span<const double> series, std::size_t begin, std::size_t end, std::size_t least) {
  Segment out{begin, end, best_split(series.subspan(begin, end - begin), least)};
  out.best.at += begin;
  return out;
}

/// Fisher and Yates; std::shuffle may differ from one library to the next.
void shuffle(std::span<double> values, std::mt19937_64& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random() % i]);
}

/// How many permutations within the segments reach the statistic; stops as soon as they are more than `most`.
int permutations_that_reach(double statistic, std::span<const double> series,
                            const std::vector<Segment>& segments, const DivisiveOptions& options, int most,
                            std::mt19937_64& random) {
  // Sums over another order differ in their last digits: such a tie counts as reached.
  const double level = statistic * (1.0 - 1e-10);
  std::vector<double> permuted(series.begin(), series.end());
  int reached = 0;
  for (int i = 0; i < options.permutations && reached <= most; ++i) {
    double largest = 0.0;
    for (const Segment& segment : segments) {
      const std::span<double> part(permuted.data() + segment.begin, segment.end - segment.begin);
      shuffle(part, random);
      largest = std::max(largest, best_split(part, options.least_segment).statistic);
    }
    reached += largest >= level;
  }
  return reached;
}

}  // namespace

Split best_split(std::span<const double> series, std::size_t least_segment) {
  const std::size_t least = std::max<std::size_t>(1, least_segment);
  Split best;
  if (series.size() < 2 * least) return best;
  // Sums of |z_i - z_k|^1 over pairs: within [0, t), and within [t, end) for the end at hand.
  std::vector<double> within_left(series.size() + 1, 0.0), within_right(series.size(), 0.0);
  for (std::size_t end = 1; end <= series.size(); ++end) {
    const double newest = series[end - 1];
    double distances = 0.0;  // of the newest value to those of [t, end - 1)
    for (std::size_t t = end - 1; t-- > 0;) {
      distances += std::abs(series[t] - newest);
      within_right[t] += distances;
    }
    within_left[end] = within_left[end - 1] + distances;
    if (end < 2 * least) continue;
    const double all = within_left[end];
    for (std::size_t t = least; t + least <= end; ++t) {
      const auto n = static_cast<double>(t), m = static_cast<double>(end - t);
      const double left = within_left[t], right = within_right[t];
      // Q = nm/(n+m) (2/(nm) between - left/C(n,2) - right/C(m,2)); one value alone has no pairs.
      double q = all - left - right;
      if (t > 1) q -= left * m / (n - 1.0);
      if (end - t > 1) q -= right * n / (m - 1.0);
      q *= 2.0 / (n + m);
      if (q > best.statistic) best = {t, q, 1.0};
    }
  }
  return best;
}

std::vector<Split> e_divisive(std::span<const double> series, const DivisiveOptions& options) {
  std::vector<Split> found;
  std::mt19937_64 random(options.seed);
  const int most = static_cast<int>(std::floor(options.significance * (options.permutations + 1) + 1e-9)) - 1;
  if (most < 0) return found;  // no p-value of so few permutations could be small enough
  std::vector<Segment> segments{segment_of(series, 0, series.size(), options.least_segment)};
  while (true) {
    const auto best = std::max_element(
        segments.begin(), segments.end(),
        [](const Segment& a, const Segment& b) { return a.best.statistic < b.best.statistic; });
    Split split = best->best;
    if (split.statistic <= 0.0) break;
    const int reached = permutations_that_reach(split.statistic, series, segments, options, most, random);
    if (reached > most) break;
    split.p_value = (1.0 + reached) / (1.0 + options.permutations);
    found.push_back(split);
    const Segment whole = *best;
    *best = segment_of(series, whole.begin, split.at, options.least_segment);
    segments.push_back(segment_of(series, split.at, whole.end, options.least_segment));
  }
  std::sort(found.begin(), found.end(), [](const Split& a, const Split& b) { return a.at < b.at; });
  return found;
}

}  // namespace assay::reports
