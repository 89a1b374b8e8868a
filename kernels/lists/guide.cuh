#pragma once

// Ranks along a sorted column: a table of starts says between which ranks to bisect, and the comparisons are
// the ones of a loop over all values, rounded differences against the radius.
#include <cstdint>

#include "kernels/lists/lists.hpp"

namespace assay::kernels::lists {

/// Where a value lies in units of buckets, before it is cut to one.
__device__ inline double place_along(const Guide& guide, double value) {
  return (value - guide.low) * guide.per;
}

/// The bucket of a place, given half less than it, which is below 2^31: rounded down, and within
/// [0, buckets). A whole number may go either way, always the same.
__device__ inline std::int32_t bucket_of(double half_less, std::int32_t buckets) {
  // what is added to 2^52 + 2^51 is rounded to a whole number, which the sum's low word holds
  return min(max(__double2loint(half_less + 0x1.8p52), 0), buckets - 1);
}

struct RankRange {
  std::int32_t begin, end;
  __device__ bool has(std::int32_t rank) const {
    return static_cast<std::uint32_t>(rank - begin) < static_cast<std::uint32_t>(end - begin);
  }
};

template <typename Start>
struct SortedColumn {
  const double* values;
  const Start* starts;
  Guide guide;
  std::int32_t n, buckets;
};

/// The buckets that a place, whose rounding is unknown, lies in: those of what is a little lower and a little
/// higher.
struct BucketPair {
  std::int32_t lower, upper;
};
constexpr double kFarthestPlace = 0x1p22;
/// `place` is below kFarthestPlace either way. Places are off by rounding alone, some 2^-53 of their distance
/// from the guide's low; half of 2^-8 of a bucket covers that.
__device__ inline BucketPair buckets_around(double place, std::int32_t buckets) {
  // what is added to 2^44 + 2^43 is rounded to a multiple of 2^-8, which the sum's low word holds
  const std::int32_t fixed = min(max(__double2loint(place + 0x1.8p44), 1), (buckets << 8) - 2);
  return {(fixed - 1) >> 8, (fixed + 1) >> 8};
}

/// Ranks of the values nearer than eps to the one at `rank`, which is `own`; with `closed` those at eps too.
/// `trusting` takes the starts without looking (a planted fault).
template <typename Start>
__device__ RankRange ranks_within(const SortedColumn<Start>& column, std::int32_t rank, double own,
                                  double eps, bool closed, bool trusting) {
  const double place = place_along(column.guide, own), reach = eps * column.guide.per;
  const auto near = [&](double gap) { return closed ? gap <= eps : gap < eps; };
  // [low, high] holds the first that is in, [upper_low, upper_high] the last.
  std::int32_t low = 0, high = rank, upper_low = rank, upper_high = column.n - 1;
  if (fabs(place) + reach < kFarthestPlace) {  // what is farther out is bisected from end to end
    const BucketPair below = buckets_around(place - reach, column.buckets),
                     above = buckets_around(place + reach, column.buckets);
    low = static_cast<std::int32_t>(column.starts[below.lower]);
    high = min(rank, static_cast<std::int32_t>(column.starts[below.upper + 1]));
    upper_low = max(rank, static_cast<std::int32_t>(column.starts[above.lower]) - 1);
    upper_high = static_cast<std::int32_t>(column.starts[above.upper + 1]) - 1;
  }
  // Both ends in one loop: two independent chains of loads. Once an end is found, looking at its middle leaves
  // it where it is.
  while ((low < high || upper_low < upper_high) && !trusting) {
    const std::int32_t middle = (low + high) >> 1, upper_middle = (upper_low + upper_high + 1) >> 1;
    const bool in = near(own - column.values[middle]), upper_in = near(column.values[upper_middle] - own);
    if (in)
      high = middle;
    else
      low = middle + 1;
    if (upper_in)
      upper_low = upper_middle;
    else
      upper_high = upper_middle - 1;
  }
  const std::int32_t begin = min(low, rank);
  return {begin, near(0.0) ? upper_high + 1 : begin};  // where the value itself is not in, nothing is
}

}  // namespace assay::kernels::lists
