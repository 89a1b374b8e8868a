#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "reports/store.hpp"

/// Where the times of a benchmark changed over many runs: change points by E-divisive means (Matteson and
/// James 2014, "A nonparametric approach for multiple change point analysis of multivariate data"), as Apache
/// Otava and MongoDB use them.
///
/// Nothing is assumed of the distribution, so that one slow night is no change and a shift that stays is one.
/// What the permutation test does assume is that nights without a change are exchangeable: a slow drift is
/// reported as steps.
namespace assay::reports {

struct DivisiveOptions {
  double significance = 0.01;     // of one permutation test
  int permutations = 499;         // p-values are multiples of 1/(permutations + 1)
  std::size_t least_segment = 3;  // values on each side of a split, at least
  std::uint64_t seed = 1;         // of the permutations
};

/// A place where a series may be cut in two: before element `at`.
struct Split {
  std::size_t at = 0;
  double statistic = 0.0;  // Q of eq. 5 of the paper, with exponent 1
  double p_value = 1.0;    // (1 + permutations that reach it) / (1 + permutations)
};

/// The best split of a series: the largest Q over `at` and the end of the right side (eq. 7). `at` is 0 where
/// the series is too short.
Split best_split(std::span<const double> series, std::size_t least_segment);

/// All significant splits, in the order of the series (section 3 of the paper: the best split of all segments
/// is kept while permuting within the segments does not reach it). The same answer on every machine for the
/// same seed.
std::vector<Split> e_divisive(std::span<const double> series, const DivisiveOptions& options = {});

/// Of a longer history only the newest runs with a valid time are looked at: the method is quadratic in their
/// number.
inline constexpr std::size_t longest_series = 400;

/// A change of one benchmark's time between two runs of one branch, mode and environment.
struct ChangePoint {
  std::string operation, label, backend;
  std::int64_t sequence_before = 0,
               sequence_after = 0;  // of the last run before it and the first run after it
  std::string commit_before,
      commit_after;           // the change came in after the first, and with the second at the latest
  std::string started_after;  // when the first run after it began
  bool dirty = false;         // one of the two runs had local changes: the commits do not tell all
  double median_before_ns = 0.0,
         median_after_ns = 0.0;  // medians of the medians, back and forth to the next change
  double ratio = 1.0;
  double p_value = 1.0;

  bool operator==(const ChangePoint&) const = default;
};

void to_json(nlohmann::json&, const ChangePoint&);

/// "abc123..def456", "within abc123" where no commit lies between, "unknown commits" where a run knew none.
std::string commit_range(const ChangePoint& point);

/// The change points of a history, the newest first. Runs of different branches, modes and environment
/// fingerprints are series of their own, however they alternate; runs without a valid time are gaps that the
/// range spans. The logarithms of the medians are compared, so that a ratio counts and not a difference.
std::vector<ChangePoint> change_points(const History& history, const DivisiveOptions& options = {});

}  // namespace assay::reports
