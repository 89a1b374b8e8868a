#pragma once

// Making what guide.cuh reads.
#include <math_constants.h>

#include <cstdint>

#include "kernels/lists/guide.cuh"

namespace assay::kernels::lists {

/// A value less another, both scaled by a power of two: exact products, so that their difference does not
/// overflow.
__device__ inline float guess(double value, double centre, double scale) {
  return static_cast<float>(value * scale - centre * scale);
}

/// The buckets lie between the values a two hundred and fifty-sixth of the points from either end, or a
/// sixty-fourth where those are much farther out: outliers must not leave all others to a few buckets.
__device__ inline Guide guide_of(const double* sorted, std::int32_t n, std::int32_t buckets) {
  const double low = sorted[n / 64], range = sorted[n - 1 - n / 64] - low;
  const double outer_low = sorted[n / 256], outer_range = sorted[n - 1 - n / 256] - outer_low;
  const bool outer = outer_range < 1.75 * range;
  const double per = buckets / (outer ? outer_range : range);
  return {outer ? outer_low : low, per > 0 && per < CUDART_INF ? per : 0.0};
}

/// The `count` starts of a column, by the threads `first`, `first + step` and so on; those behind the
/// buckets' are n.
template <typename Start>
__device__ void find_starts(const double* sorted, std::int32_t n, const Guide& guide, std::int32_t buckets,
                            Start* starts, std::int32_t count, std::int32_t first, std::int32_t step) {
  for (std::int32_t r = first; r <= n; r += step) {
    const auto bucket = [&](double value) {
      return bucket_of(fmin(fmax(place_along(guide, value), -1.0), 2.0 * buckets) - 0.5, buckets);
    };
    const std::int32_t from = r == 0 ? -1 : bucket(sorted[r - 1]);
    const std::int32_t to = r == n ? count - 1 : bucket(sorted[r]);
    for (std::int32_t b = from + 1; b <= to; ++b) starts[b] = static_cast<Start>(r);
  }
}

}  // namespace assay::kernels::lists
