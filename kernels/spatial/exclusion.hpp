#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::spatial {

/// Rows [begin, end).
struct RowRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
  bool contains(std::int64_t row) const {
    return static_cast<std::uint64_t>(row - begin) < static_cast<std::uint64_t>(end - begin);
  }
};

/// The rows that are no neighbours of a point: itself, and the rows of its trial at most `window` away
/// (Theiler 1986). Rows of a trial are consecutive, so they form one range of rows.
class Exclusion {
 public:
  /// The faults that a caller may plant (kernels/te/README.md).
  struct Faults {
    bool window_exclusive = false;
    bool ignore_trials = false;
    bool admit_self = false;
    bool subtract_always = false;  ///< counts lose excluded rows outside the radius too
  };

  /// An empty `trial_lengths` stands for one trial; else they sum to n.
  Exclusion(std::int64_t n, std::span<const std::int64_t> trial_lengths, std::int64_t window, Faults faults)
      : n_(n), window_(std::min(window, n)), faults_(faults) {
    if (faults.window_exclusive && window_ > 0) --window_;
    if (trial_lengths.size() < 2 || window_ == 0 || faults.ignore_trials) return;
    trial_of_row_.reserve(static_cast<std::size_t>(n));
    const std::int64_t short_of = mutant("te.range_count.trial_end_early") ? 1 : 0;
    std::int64_t begin = 0;
    for (const std::int64_t length : trial_lengths) {
      trial_of_row_.insert(trial_of_row_.end(), static_cast<std::size_t>(length),
                           {begin, begin + length - short_of});
      begin += length;
    }
  }
  Exclusion(std::int64_t n, std::span<const std::int64_t> trial_lengths, std::int64_t window)
      : Exclusion(n, trial_lengths, window, Faults{}) {}

  RowRange of(std::int64_t row) const {
    if (window_ == 0) return {row, faults_.admit_self ? row : row + 1};
    const RowRange trial =
        trial_of_row_.empty() ? RowRange{0, n_} : trial_of_row_[static_cast<std::size_t>(row)];
    const std::int64_t ahead = mutant("te.knn.window_of_past_only") ? 0 : window_;
    return {std::max(trial.begin, row - window_), std::min(trial.end, row + ahead + 1)};
  }
  std::int64_t points() const { return n_; }
  const Faults& faults() const { return faults_; }
  /// How many neighbours the point may have.
  std::int64_t admissible(std::int64_t row) const { return n_ - of(row).size(); }

 private:
  std::int64_t n_;
  std::int64_t window_;
  Faults faults_;
  std::vector<RowRange> trial_of_row_;  // empty where every row may reach every other
};

}  // namespace assay::kernels::spatial
