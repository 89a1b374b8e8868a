#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "kernels/resampling/surrogate_rows.hpp"

namespace assay::kernels::networks {

/// Surrogates of every source: which row of the source stands in place of each row.
struct SurrogateDraws {
  std::int64_t count = 0;  ///< a source
  bool shift = false;
  std::vector<std::uint64_t> seeds;         ///< one a source
  std::vector<std::int64_t> trial_lengths;  ///< of the shift; summing to n

  /// rows: n
  template <typename Index>
  void rows_of(std::int64_t source, std::int64_t index, std::int64_t n, Index* rows) const {
    if (mutant("te.network.seed_of_first_source")) source = 0;
    if (mutant("te.network.every_surrogate_the_first")) index = 0;
    const std::uint64_t seed = seeds[static_cast<std::size_t>(source)];
    if (!shift) {
      resampling::permuted_rows(seed, index, n, rows);
      return;
    }
    const bool from_first = mutant("te.network.shift_from_first_trial");
    std::int64_t begin = 0;
    resampling::shift_lags(seed, index, trial_lengths.data(), static_cast<std::int64_t>(trial_lengths.size()),
                           [&](std::int64_t trial, std::int64_t lag) {
                             const std::int64_t length = trial_lengths[static_cast<std::size_t>(trial)];
                             for (std::int64_t at = 0; at < length; ++at)
                               rows[begin + at] = static_cast<Index>(
                                   (from_first ? 0 : begin) + resampling::shifted_row(at, length, lag));
                             begin += length;
                           });
  }
};

}  // namespace assay::kernels::networks
