#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/analysis/estimator.hpp"
#include "engine/analysis/series.hpp"
#include "engine/analysis/specification.hpp"
#include "engine/analysis/surrogates.hpp"
#include "engine/runtime/result.hpp"

namespace assay::analysis {

/// The answer to one question about the data. All information in nats.
struct Estimate {
  double value = 0;
  std::int64_t samples = 0;  ///< embedded observations n
  std::int64_t dims_x = 0, dims_y = 0, dims_z = 0;
  std::vector<double> local;        ///< (n) where asked for
  std::vector<std::int64_t> times;  ///< (n) row of each observation, with `local`
  std::optional<SurrogateSummary> surrogates;
};

struct MeasureOptions {
  EstimationOptions estimation;
  SurrogateOptions surrogates;
  bool local = false;
};

/// Transfer entropy, mutual information, conditional mutual information, active information storage: lays
/// out, prepares, estimates, and evaluates the surrogates. Bad input is an InputError (specification.hpp,
/// prepare.hpp, surrogates.hpp); the same call gives the same bits on any number of threads.
Result<Estimate> estimate(const SeriesTable& table, const TeSpec& spec, const MeasureOptions& options,
                          const Estimator& estimator, ThreadPool& pool);
Result<Estimate> estimate(const SeriesTable& table, const CmiSpec& spec, const MeasureOptions& options,
                          const Estimator& estimator, ThreadPool& pool);
Result<Estimate> estimate(const SeriesTable& table, const AisSpec& spec, const MeasureOptions& options,
                          const Estimator& estimator, ThreadPool& pool);
Result<Estimate> estimate(const SeriesTable& table, const Layout& layout, const MeasureOptions& options,
                          const Estimator& estimator, ThreadPool& pool);
/// The last two steps alone, on points that were prepared with the same estimation options.
Result<Estimate> estimate_points(const Points& points, const MeasureOptions& options,
                                 const Estimator& estimator, ThreadPool& pool);

constexpr double bits_of(double nats) {
  return nats * 1.4426950408889634074;
}

}  // namespace assay::analysis
