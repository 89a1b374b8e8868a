#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"
#include "engine/runtime/philox.hpp"

namespace assay::kernels::resampling {

/// Streams of a seed (engine/analysis/random.hpp gives each use a number of its own): surrogate `index` draws
/// from stream (use << 32 | index).
inline constexpr std::uint32_t kPermutationUse = 2;
inline constexpr std::uint32_t kShiftUse = 3;

ASSAY_HOST_DEVICE constexpr std::uint64_t surrogate_stream(std::uint32_t use, std::int64_t index) {
  return static_cast<std::uint64_t>(use) << 32 | static_cast<std::uint32_t>(index);
}

/// rows[i]: the row of the x-part that stands in place of row i in surrogate `index`: a Fisher-Yates shuffle
/// of 0 .. n - 1 without modulo bias.
template <typename Index>
ASSAY_HOST_DEVICE void permuted_rows(std::uint64_t seed, std::int64_t index, std::int64_t n, Index* rows) {
  Philox stream(seed, surrogate_stream(kPermutationUse, index));
  stream.permutation(rows, static_cast<std::uint64_t>(n));
}

/// The same for a circular shift within each trial: one lag a trial of length L, uniform in [m, L - m] with m
/// = max(1, ceil(L / 10)); a trial of one row stays as it is. `lag_of(trial, lag)` is called once for each
/// trial, in order.
template <typename Visit>
ASSAY_HOST_DEVICE void shift_lags(std::uint64_t seed, std::int64_t index, const std::int64_t* trial_lengths,
                                  std::int64_t trials, const Visit& lag_of) {
  Philox stream(seed, surrogate_stream(kShiftUse, index));
  for (std::int64_t trial = 0; trial < trials; ++trial) {
    const std::int64_t length = trial_lengths[trial];
    const std::int64_t tenth = (length + 9) / 10;
    const std::int64_t least = tenth < 1 ? 1 : tenth;
    const std::int64_t lag = length < 2 ? 0
                                        : least + static_cast<std::int64_t>(stream.below(
                                                      static_cast<std::uint64_t>(length - 2 * least + 1)));
    lag_of(trial, lag);
  }
}

/// The row that a lag puts in place of row `at` of a trial, both counted from the trial's first.
ASSAY_HOST_DEVICE constexpr std::int64_t shifted_row(std::int64_t at, std::int64_t length, std::int64_t lag) {
  return at >= lag ? at - lag : at - lag + length;
}

}  // namespace assay::kernels::resampling
