#pragma once

#include <map>
#include <string>
#include <vector>

#include "reports/comparison/comparison.hpp"

/// The rule tried on itself: what many comparisons came to whose truth is known.
namespace assay::reports {

/// Verdicts of one measure over the runs of one condition ("identical", "relinked", "work, 5 %").
struct KnownTruth {
  std::string condition;
  std::string measure;
  int runs = 0;   // comparisons
  int cases = 0;  // cases of all runs together
  int same = 0, inconclusive = 0, regressed = 0, improved = 0;
  int alarms = 0;        // changes that a first run saw, confirmed or not
  int red_runs = 0;      // comparisons with a regression or more
  int changed_runs = 0;  // with a change in either direction

  double share_same() const { return cases > 0 ? static_cast<double>(same) / cases : 0.0; }
  double share_found() const { return cases > 0 ? static_cast<double>(regressed) / cases : 0.0; }
  /// Of the probability that a comparison without any change shows one, 95 %, one-sided (Clopper and
  /// Pearson). The run is what is independent: its cases share a machine's hour.
  double bound_by_run() const;
  /// The share found, at least, 95 %, one-sided; over cases, as if they were independent.
  double found_at_least() const;
};

/// Sums over the results, by measure.
std::vector<KnownTruth> known_truth(const std::string& condition,
                                    const std::vector<ComparisonResult>& results);

}  // namespace assay::reports
