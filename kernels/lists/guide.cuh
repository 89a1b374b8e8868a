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

/// Ranks of the values nearer than eps to the one at `rank`, which is `own`; with `closed` those at eps too.
/// `trusting` takes the starts without looking (a planted fault).
template <typename Start>
__device__ RankRange ranks_within(const SortedColumn<Start>& column, std::int32_t rank, double own,
                                  double eps, bool closed, bool trusting) {
  // Places are off by rounding alone, some 2^-53 of their distance from the guide's low; a thousandth of a
  // bucket covers that below 2^30 buckets. What is farther out is bisected from end to end.
  constexpr double slack = 0x1p-10, half = 0.5, far = 0x1p30;
  const double place = place_along(column.guide, own), reach = eps * column.guide.per;
  const bool guided = fabs(place) + reach < far;
  const auto near = [&](double gap) { return closed ? gap <= eps : gap < eps; };
  std::int32_t low = 0, high = rank, upper_low = rank, upper_high = column.n;
  if (guided) {
    low = column.starts[bucket_of(place - reach - (half + slack), column.buckets)];
    high = min(rank, static_cast<std::int32_t>(
                         column.starts[bucket_of(place - reach - (half - slack), column.buckets) + 1]));
    upper_low = max(rank, static_cast<std::int32_t>(
                              column.starts[bucket_of(place + reach - (half + slack), column.buckets)]));
    upper_high = column.starts[bucket_of(place + reach - (half - slack), column.buckets) + 1];
  }
  // Both ends in one loop: two independent chains of loads.
  while ((low < high || upper_low < upper_high) && !trusting) {
    const std::int32_t middle = (low + high) / 2, upper_middle = (upper_low + upper_high) / 2;
    // where an end is found, middle is that end: it may be one beyond the values
    const bool in = near(own - column.values[middle]);
    const bool upper_in = near(column.values[min(upper_middle, column.n - 1)] - own);
    if (low < high) {
      if (in)
        high = middle;
      else
        low = middle + 1;
    }
    if (upper_low < upper_high) {
      if (upper_in)
        upper_low = upper_middle + 1;
      else
        upper_high = upper_middle;
    }
  }
  const std::int32_t begin = min(low, rank);
  return {begin, max(upper_low, begin)};
}

}  // namespace assay::kernels::lists
