#pragma once

#include <cstdint>
#include <span>

#include "reports/record.hpp"

/// Order statistics of timing samples. Nothing here assumes a distribution: times have long right tails, and
/// a mean with a standard error would follow the tail instead of the kernel.
namespace assay::reports {

struct Interval {
  double low = 0.0;
  double high = 0.0;

  bool operator==(const Interval&) const = default;
};

/// Middle value, or the mean of the two middle ones. NaN where there are no samples.
double median(std::span<const double> samples);

/// The sample quantile, linear between order statistics (Hyndman and Fan 1996, type 7); `probability` in
/// [0, 1]. NaN where there are no samples.
double quantile(std::span<const double> samples, double probability);

/// 1.4826 times the median distance from the median, which is the standard deviation where samples are
/// normal. NaN where there are no samples.
double robust_spread(std::span<const double> samples);

/// The 1-based rank j such that [x_(j), x_(n-j+1)] covers the true median with at least `confidence`, as
/// narrow as can be: the largest j with 2 P(B <= j-1) <= 1 - confidence, B binomial(n, 1/2). 0 where even the
/// whole range does not reach the confidence (n < 6 at 95 %).
std::size_t median_interval_rank(std::size_t n, double confidence);

/// That interval itself; nothing where there are too few samples.
std::optional<Interval> median_interval(std::span<const double> samples, double confidence = 0.95);

/// The exact upper bound of a rate from independent trials, one-sided (Clopper and Pearson 1934): the rate at
/// which that many failures or fewer have the probability 1 - confidence. Without a failure it is
/// 1 - (1 - confidence)^(1 / trials), of which 3 / trials is the rule of thumb. 1 where there are no trials
/// or all failed.
double rate_upper_bound(std::int64_t failures, std::int64_t trials, double confidence = 0.95);

/// Candidate over baseline, with the interval [low_c / high_b, high_c / low_b]: by Bonferroni it covers the
/// true ratio of medians in at least 90 % of runs where both inputs are 95 % intervals.
struct Ratio {
  double value = 0.0;
  Interval interval;

  bool operator==(const Ratio&) const = default;
};

/// Nothing where either side has no interval or no positive median.
std::optional<Ratio> ratio_of_medians(const Benchmark& candidate, const Benchmark& baseline);

/// Fills median, p05, p95 and the interval of the median from the samples.
void summarise(Benchmark& benchmark);

}  // namespace assay::reports
