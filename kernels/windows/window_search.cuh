#pragma once

// Device code of a search along one sorted coordinate, the axis: eight lanes a query, the four queries of a
// warp side by side on the axis, each candidate read by one lane of every query. Distances are |a - b|
// rounded once in double and compared as such; the axis only says where to stop, which rounding, being
// monotone, never makes wrong.
#include <cstdint>

#include "kernels/spatial/exclusion_view.hpp"

namespace assay::kernels::windows {

inline constexpr unsigned kWholeWarp = 0xFFFFFFFFu;

/// Coordinates of one pair, column by column in the order of the target's axis: coordinate c of the point at
/// position p is column(c)[p]; x first, then y, then z. kOne: one column each.
template <bool kOne>
struct Coordinates {
  const double* x;   ///< (dx, n)
  const double* yz;  ///< (dy + dz, n)
  std::int32_t n;
  std::int32_t dx, dy, dz;

  __device__ const double* y_column(int c) const { return yz + std::int64_t{c} * n; }
  __device__ const double* z_column(int c) const { return yz + std::int64_t{(kOne ? 1 : dy) + c} * n; }
  /// What the points are sorted by: the first column of z, or of y where there is no z.
  __device__ const double* axis() const { return kOne || dz > 0 ? z_column(0) : yz; }
};

__device__ inline double difference(double a, double b) {
  return fabs(a - b);
}

/// How many columns of a part have the query's own values in registers; further ones are read again.
inline constexpr int kHeld = 2;

/// Largest difference over the columns of a part between the point at position p and the query's own.
__device__ inline double part_distance(const double* columns, int count, std::int32_t n, std::int32_t p,
                                       std::int32_t own_position, const double (&own)[kHeld]) {
  double largest = 0;
#pragma unroll
  for (int c = 0; c < kHeld; ++c)
    if (c < count) {
      const double d = difference(__ldg(columns + std::int64_t{c} * n + p), own[c]);
      largest = d > largest ? d : largest;
    }
  for (int c = kHeld; c < count; ++c) {
    const double* column = columns + std::int64_t{c} * n;
    const double d = difference(__ldg(column + p), __ldg(column + own_position));
    largest = d > largest ? d : largest;
  }
  return largest;
}

/// A query with its own coordinates at hand.
template <bool kOne>
struct Query {
  static constexpr int kOwn = kOne ? 1 : kHeld;
  Coordinates<kOne> at;
  std::int32_t position;
  double x[kOwn], y[kOwn], z[kOwn];

  __device__ Query(const Coordinates<kOne>& coordinates, std::int32_t where)
      : at(coordinates), position(where) {
    const auto hold = [&](double(&own)[kOwn], const double* columns, int count) {
#pragma unroll
      for (int c = 0; c < kOwn; ++c)
        own[c] = kOne || c < count ? columns[std::int64_t{c} * at.n + position] : 0.0;
    };
    hold(x, at.x, at.dx);
    hold(y, at.yz, at.dy);
    hold(z, at.z_column(0), at.dz);
  }
  __device__ double x_distance(std::int32_t p) const {
    if constexpr (kOne)
      return difference(__ldg(at.x + p), x[0]);
    else
      return part_distance(at.x, at.dx, at.n, p, position, x);
  }
  __device__ double y_distance(std::int32_t p) const {
    if constexpr (kOne)
      return difference(__ldg(at.yz + p), y[0]);
    else
      return part_distance(at.yz, at.dy, at.n, p, position, y);
  }
  __device__ double z_distance(std::int32_t p) const {
    if constexpr (kOne)
      return difference(__ldg(at.yz + at.n + p), z[0]);
    else
      return part_distance(at.z_column(0), at.dz, at.n, p, position, z);
  }
  __device__ double joint_distance(std::int32_t p) const {
    const double dx = x_distance(p), dy = y_distance(p), dz = z_distance(p);
    const double larger = dx > dy ? dx : dy;
    return larger > dz ? larger : dz;
  }
};

/// Which rows a query leaves out.
struct Excluded {
  std::uint32_t begin = 0, length = 0;
  __device__ bool has(std::int32_t row) const { return static_cast<std::uint32_t>(row) - begin < length; }
};

__device__ inline Excluded excluded_of(const spatial::ExclusionView& exclusion, std::int32_t row) {
  std::int32_t begin = 0, end = 0;
  exclusion.of(row, begin, end);
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)};
}

/// Lanes that share a query: lane % kShare looks at every kShare-th candidate.
inline constexpr int kShare = 8;
inline constexpr int kQueriesOfWarp = 32 / kShare;

/// Over the lanes of a query.
template <class Value, class Combine>
__device__ Value over_query(Value value, const Combine& combine) {
#pragma unroll
  for (int step = 1; step < kShare; step *= 2)
    value = combine(value, __shfl_xor_sync(kWholeWarp, value, step));
  return value;
}
__device__ inline std::int32_t sum_over_query(std::int32_t value) {
  return over_query(value, [](std::int32_t a, std::int32_t b) { return a + b; });
}
__device__ inline double largest_over_query(double value) {
  return over_query(value, [](double a, double b) { return a > b ? a : b; });
}

/// Visits positions outwards from the warp's own queries, nearest on the axis first on either side, each by
/// one lane of every query. `wants(gap)` says whether a lane may still need a point that lies `gap` away on
/// the axis; a side ends when no lane does. `visit(p)` is called for positions within [0, n) only; `pause()`
/// by all lanes between steps.
template <class Wants, class Visit, class Pause>
__device__ void walk_outwards(const double* axis, std::int32_t n, std::int32_t warp_first, double own,
                              const Wants& wants, const Visit& visit, const Pause& pause) {
  constexpr int kRounds = 4;
  const auto share = static_cast<std::int32_t>(threadIdx.x % kShare);
  const std::int32_t warp_end = min(warp_first + kQueriesOfWarp, n);
  for (std::int32_t p = warp_first + share; p < warp_end; p += kShare) visit(p);
  pause();
  std::int32_t left = warp_first - 1, right = warp_end;
  bool left_open = left >= 0, right_open = right < n;
  while (left_open || right_open) {
    if (right_open) {
      right_open = __any_sync(kWholeWarp, wants(__ldg(axis + right) - own));
      if (right_open) {
#pragma unroll
        for (int u = 0; u < kRounds; ++u)
          if (right + u * kShare + share < n) visit(right + u * kShare + share);
        right += kRounds * kShare;
        right_open = right < n;
      }
    }
    if (left_open) {
      left_open = __any_sync(kWholeWarp, wants(own - __ldg(axis + left)));
      if (left_open) {
#pragma unroll
        for (int u = 0; u < kRounds; ++u)
          if (left - u * kShare - share >= 0) visit(left - u * kShare - share);
        left -= kRounds * kShare;
        left_open = left >= 0;
      }
    }
    pause();
  }
}

/// The k smallest values seen, k <= kCapacity: the places that k leaves over hold -1, below any distance, so
/// that the largest place is always the k-th smallest.
template <int kCapacity>
struct SmallestValues {
  double values[kCapacity];

  __device__ explicit SmallestValues(int k) {
#pragma unroll
    for (int j = 0; j < kCapacity; ++j) values[j] = j < kCapacity - k ? -1.0 : CUDART_INF;
  }
  __device__ double largest() const {
    return values[kCapacity - 1];
  }
  /// The smallest of them.
  __device__ double first() const {
    double smallest = CUDART_INF;
#pragma unroll
    for (int j = kCapacity - 1; j >= 0; --j) smallest = values[j] >= 0 ? values[j] : smallest;
    return smallest;
  }
  /// The smallest but `rank` - 1 of them, rank from 1.
  __device__ double smallest(int rank) const {
    double found = CUDART_INF;
    int left = rank;
#pragma unroll
    for (int j = 0; j < kCapacity; ++j)
      if (values[j] >= 0 && left-- == 1) found = values[j];
    return found;
  }
  /// Leaves the smallest out.
  __device__ void drop_first() {
    bool dropped = false;
#pragma unroll
    for (int j = 0; j < kCapacity; ++j)
      if (!dropped && values[j] >= 0) {
        values[j] = -1.0;
        dropped = true;
      }
  }
  __device__ void offer(double value) {
    if (!(value < values[kCapacity - 1])) return;
#pragma unroll
    for (int j = kCapacity - 1; j > 0; --j)
      values[j] = value < values[j - 1] ? values[j - 1] : (value < values[j] ? value : values[j]);
    values[0] = value < values[0] ? value : values[0];
  }
};

/// First position in [low, high) for which `inside` holds, where it holds from some position on; high if for
/// none.
template <class Inside>
__device__ std::int32_t first_inside(std::int32_t low, std::int32_t high, const Inside& inside) {
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    if (inside(middle))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/// Positions [begin, end) whose axis value lies within the radius of the query's: all other points lie
/// outside.
struct AxisRange {
  std::int32_t begin, end;
};
template <class Within>
__device__ AxisRange axis_range(const double* axis, std::int32_t n, std::int32_t position, double own,
                                const Within& within) {
  AxisRange range;
  range.begin = first_inside(0, position, [&](std::int32_t p) { return within(own - axis[p]); });
  range.end = first_inside(position, n, [&](std::int32_t p) { return !within(axis[p] - own); });
  return range;
}

}  // namespace assay::kernels::windows
