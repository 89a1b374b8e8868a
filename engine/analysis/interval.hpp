#pragma once

#include <cstdint>

#include "engine/analysis/estimator.hpp"
#include "engine/analysis/specification.hpp"
#include "engine/runtime/result.hpp"

namespace assay::analysis {

/// A two-sided interval around an estimate, nats.
struct Interval {
  double low = 0;
  double high = 0;
  double standard_error = 0;
};

enum class IntervalMethod : std::uint8_t {
  jackknife,  ///< delete-block jackknife
  subsample   ///< subsampling without replacement: contiguous blocks
};

struct IntervalOptions {
  double confidence = 0;  ///< 0: no interval
  IntervalMethod method = IntervalMethod::jackknife;
  std::int64_t blocks = 10;     ///< of the jackknife
  std::int64_t block_rows = 0;  ///< of a subsample; 0: chosen by n
};

/// The observations that one replicate of an estimate is made from.
struct Replicate {
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;  ///< kept, as [begin, end), rising
  /// Runs of kept rows count as different trials, so that an exclusion window never spans a gap.
  std::vector<std::int64_t> trial_lengths;
  std::int64_t count = 0;
  /// The kept rows of a (n, d) f64 matrix.
  Tensor of(const ConstTensorView& matrix) const;
};

/// The replicates of a method, in an order that does not depend on the data.
///
/// Jackknife: delete-block (Kuensch 1989, Ann. Stat. 17, 1217): the n observations are cut into g = `blocks`
/// runs, each is left out once.
///
/// Subsampling (Politis, Romano, Wolf 1999, "Subsampling", ch. 3): at most 40 contiguous blocks of b
/// observations of n, evenly spaced and overlapping, without replacement. By default b = n / 5: with k fixed,
/// estimates of smaller blocks scatter less than the law below has it (measured on coupled AR(1): with b = n
/// / 10 the standard error was 0.7 of the true one, with n / 5 it was 0.8).
///
/// Resampling with replacement (the bootstrap) is not there: it makes duplicates, ties of distance 0, and a
/// nearest-neighbour estimate of tied points is wrong by about half a nat.
///
/// Refused: confidence outside (0, 1), blocks < 2 or > n, replicates that leave a point fewer than k
/// neighbours.
Result<std::vector<Replicate>> replicates_of(std::span<const std::int64_t> trial_lengths,
                                             const EstimationOptions& options, const IntervalOptions& how);

/// What turns the spread of replicates into an interval, the same for all estimates of as many observations.
///
/// Jackknife: se^2 = (g - 1) / g sum_j (theta_j - mean)^2; value -+ t se with Student's t of g - 1 degrees of
/// freedom.
///
/// Subsampling: the estimate is asymptotically a mean of n local values, so its error is of the order
/// 1 / sqrt n: Var theta_n = s^2 / n with the long-run variance s^2. A block's estimate theta_b shares its
/// rows with theta_n, hence Cov(theta_b, theta_n) = s^2 / n and Var(theta_b - theta_n) = s^2 (1 / b - 1 / n).
/// The spread of theta_b around its centre, times c = sqrt((1 / n) / (1 / b - 1 / n)) = sqrt(b / (n - b)), is
/// therefore that of theta_n around the truth. The centre is the mean of the theta_b, not theta_n: the bias
/// of a nearest-neighbour estimate depends on its number of points, and its difference between b and n would
/// be taken for spread. se^2 = c^2 mean (theta_b - mean)^2, and the interval is value -+ t se with n / b - 1
/// degrees of freedom, as many as there are blocks that do not overlap, less one for the centre.
///
/// Neither removes the bias of the estimate itself: coverage falls short of the nominal where the bias is not
/// small beside the standard error (`te.ksg/interval_coverage` measures it).
struct IntervalScale {
  double variance = 0;  ///< se^2 is this times sum_j (theta_j - mean)^2
  double quantile = 0;  ///< half-width of the interval in standard errors
};
/// For estimates on n observations with so many replicates of `replicate_rows` each.
IntervalScale interval_scale(std::int64_t n, std::int64_t replicates, std::int64_t replicate_rows,
                             const IntervalOptions& how);
/// The interval around a value from the estimates of its replicates.
Interval interval_of(double value, std::span<const double> estimates, const IntervalScale& scale);

/// The interval around the estimate of prepared points.
Result<Interval> interval_around(const Points& points, double value, const EstimationOptions& options,
                                 const IntervalOptions& how, const Estimator& estimator, ThreadPool& pool);

/// That of the jackknife.
Result<Interval> jackknife_interval(const Points& points, double value, const EstimationOptions& options,
                                    double confidence, std::int64_t blocks, const Estimator& estimator,
                                    ThreadPool& pool);

/// Quantile of Student's t distribution with nu >= 1 degrees of freedom, 0 < p < 1.
double student_t_quantile(double p, double nu);

}  // namespace assay::analysis
