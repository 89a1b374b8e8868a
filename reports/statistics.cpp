#include "reports/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace assay::reports {
namespace {

std::vector<double> sorted(std::span<const double> samples) {
  std::vector<double> out(samples.begin(), samples.end());
  std::sort(out.begin(), out.end());
  return out;
}

double sorted_quantile(const std::vector<double>& ordered, double probability) {
  if (ordered.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double position = std::clamp(probability, 0.0, 1.0) * static_cast<double>(ordered.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, ordered.size() - 1);
  return ordered[below] + (position - static_cast<double>(below)) * (ordered[above] - ordered[below]);
}

}  // namespace

double median(std::span<const double> samples) {
  return sorted_quantile(sorted(samples), 0.5);
}

double quantile(std::span<const double> samples, double probability) {
  return sorted_quantile(sorted(samples), probability);
}

double robust_spread(std::span<const double> samples) {
  const double centre = median(samples);
  std::vector<double> distances;
  distances.reserve(samples.size());
  for (const double sample : samples) distances.push_back(std::abs(sample - centre));
  return 1.4826 * median(distances);
}

std::size_t median_interval_rank(std::size_t n, double confidence) {
  // Terms of the binomial come from log-gamma: 2^-n alone underflows above n = 1074.
  const double total = static_cast<double>(n);
  const double log_half_power = -total * std::log(2.0);
  const double allowed = (1.0 - confidence) / 2.0;
  double tail = 0.0;  // P(B <= rank - 1)
  std::size_t rank = 0;
  while (2 * (rank + 1) <= n) {
    const auto below = static_cast<double>(rank);
    tail += std::exp(std::lgamma(total + 1.0) - std::lgamma(below + 1.0) - std::lgamma(total - below + 1.0) +
                     log_half_power);
    if (tail > allowed) break;
    ++rank;
  }
  return rank;
}

std::optional<Interval> median_interval(std::span<const double> samples, double confidence) {
  const std::size_t rank = median_interval_rank(samples.size(), confidence);
  if (rank == 0) return std::nullopt;
  const auto ordered = sorted(samples);
  return Interval{ordered[rank - 1], ordered[ordered.size() - rank]};
}

double rate_upper_bound(std::int64_t failures, std::int64_t trials, double confidence) {
  if (trials <= 0 || failures >= trials) return 1.0;
  const double allowed = 1.0 - confidence;
  const auto total = static_cast<double>(trials);
  // -expm1 keeps the digits of a small rate.
  if (failures <= 0) return -std::expm1(std::log(allowed) / total);
  // P(X <= failures) falls as the rate rises: halve the interval until it cannot be halved any more.
  const auto at_most = [&](double rate) {
    double sum = 0.0;
    for (std::int64_t i = 0; i <= failures; ++i) {
      const auto count = static_cast<double>(i);
      sum += std::exp(std::lgamma(total + 1.0) - std::lgamma(count + 1.0) - std::lgamma(total - count + 1.0) +
                      count * std::log(rate) + (total - count) * std::log1p(-rate));
    }
    return sum;
  };
  double low = static_cast<double>(failures) / total, high = 1.0;
  for (;;) {
    const double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) return high;
    (at_most(middle) > allowed ? low : high) = middle;
  }
}

std::optional<Ratio> ratio_of_medians(const Benchmark& candidate, const Benchmark& baseline) {
  const auto usable = [](const Benchmark& b) {
    return b.median_ns > 0.0 && b.low_ns > 0.0 && b.high_ns >= b.low_ns && std::isfinite(b.high_ns);
  };
  if (!usable(candidate) || !usable(baseline)) return std::nullopt;
  return Ratio{candidate.median_ns / baseline.median_ns,
               {candidate.low_ns / baseline.high_ns, candidate.high_ns / baseline.low_ns}};
}

void summarise(Benchmark& benchmark) {
  benchmark.median_ns = benchmark.p05_ns = benchmark.p95_ns = benchmark.low_ns = benchmark.high_ns = 0.0;
  if (benchmark.samples_ns.empty()) return;
  const auto ordered = sorted(benchmark.samples_ns);
  benchmark.median_ns = sorted_quantile(ordered, 0.5);
  benchmark.p05_ns = sorted_quantile(ordered, 0.05);
  benchmark.p95_ns = sorted_quantile(ordered, 0.95);
  if (const auto interval = median_interval(ordered)) {
    benchmark.low_ns = interval->low;
    benchmark.high_ns = interval->high;
  }
}

}  // namespace assay::reports
