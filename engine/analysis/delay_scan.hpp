#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/analysis/measure.hpp"

namespace assay::analysis {

/// Transfer entropy at several delays, and at the one where it is largest.
struct DelayScan {
  std::int64_t delay = 0;      ///< where the value is largest, the smallest of equals
  std::vector<double> values;  ///< nats, one a delay, in the order given
  /// The value at that delay, local values too. Its surrogates are the maxima over the delays of each
  /// surrogate, so that the p-value is corrected for the search (engine/analysis/network.hpp).
  Estimate estimate;
};

/// Scans the delays of a pair; spec.delay is not read. Every delay has the same observations, those that the
/// largest reach leaves: so a value differs from the one that its delay would have alone, with more of them.
/// Surrogate s permutes the source by the same permutation at every delay.
/// Refused: no delay, one that is given twice, and what `estimate` refuses.
Result<DelayScan> scan_delays(const SeriesTable& table, const TeSpec& spec,
                              const std::vector<std::int64_t>& delays, const MeasureOptions& options,
                              const Estimator& estimator, ThreadPool& pool);

/// Why a list is no list of delays to scan; none where it is one.
std::optional<InputError> check_delays(const std::vector<std::int64_t>& delays);

/// Rows of a trial before the first observation that every delay has.
Result<std::int64_t> common_reach(const SeriesTable& table, TeSpec spec,
                                  const std::vector<std::int64_t>& delays);

}  // namespace assay::analysis
