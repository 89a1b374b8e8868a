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

/// Delete-block jackknife (Kuensch 1989, Ann. Stat. 17, 1217): the observations are cut into `blocks` runs,
/// each is left out once (the points on both sides of the gap count as different trials, so that the
/// exclusion window never spans it), and se^2 = (g - 1) / g sum (theta_j - mean)^2. The interval is value -+
/// t se with Student's t of g - 1 degrees of freedom. Resampling with replacement is not used: it makes
/// duplicates, which a nearest-neighbour estimate cannot bear. Refused: confidence outside (0, 1), blocks <
/// 2, too few observations once a block is left out.
Result<Interval> jackknife_interval(const Points& points, double value, const EstimationOptions& options,
                                    double confidence, std::int64_t blocks, const Estimator& estimator,
                                    ThreadPool& pool);

/// Quantile of Student's t distribution with nu >= 1 degrees of freedom, 0 < p < 1.
double student_t_quantile(double p, double nu);

}  // namespace assay::analysis
