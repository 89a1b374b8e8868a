#pragma once

// A point of a pair with x, y and z of one column each, by a warp that sweeps over the point's window along
// z, its lanes the next 32 candidates to either side.
//
//   reach   outwards until z alone is farther than the k-th best; each lane keeps its k + 1 smallest
//           joint distances in float, sorted only when a candidate may be among them
//   count   once more over what lies within the radius along z: the candidates nearer than the radius
//           in (x, z) and in (y, z), and those that rounding could move across it
//
// The k-th neighbour itself lies at the radius. Where it is the only one that rounding could move, its own
// distances in double decide, and all other comparisons are as double's. Elsewhere (ties, rarely) the warp
// searches and counts the point again in double.
#include <math_constants.h>
#include <vector_types.h>

#include <cstdint>

#include "kernels/windows/window_search.cuh"

namespace assay::kernels::windows {

/// Guesses before the first and after the last: a chunk may reach there.
inline constexpr std::int32_t kMargin = 32;

struct SweepFaults {
#ifdef ASSAY_MUTANTS
  bool no_recheck, ends_early, chunk_lost;
#else
  static constexpr bool no_recheck = false, ends_early = false, chunk_lost = false;
#endif
};

struct Sweep {
  std::int32_t k;
  SweepFaults faults;
};

__device__ inline double larger(double a, double b) {
  return a > b ? a : b;
}

/// One pair, as a warp sees it.
struct View {
  const float* x;
  const float2* plane;
  const double *x_exact, *y_exact, *z_exact;
  const std::int32_t* rows;
  std::int32_t n;
};

struct Counts {
  std::int32_t xz = 0, yz = 0;
};

/// A point by a whole warp in double: its radius, and its counts.
template <int kCapacity>
__device__ double search_double(const Sweep& sweep, const View& view, std::int32_t p,
                                const Excluded& excluded, Counts& counts) {
  const auto lane = static_cast<std::int32_t>(threadIdx.x % 32);
  const double x = view.x_exact[p], y = view.y_exact[p], z = view.z_exact[p];
  double values[kCapacity];
#pragma unroll
  for (int j = 0; j < kCapacity; ++j) values[j] = CUDART_INF;
  const auto to_x = [&](std::int32_t q) { return fabs(x - view.x_exact[q]); };
  const auto to_y = [&](std::int32_t q) { return fabs(y - view.y_exact[q]); };
  const auto to_z = [&](std::int32_t q) { return fabs(z - view.z_exact[q]); };
  // Chunks of 32 below and above in turn. A bound of the k-th distance: k lanes have something within it.
  double bound = CUDART_INF;
  for (std::int32_t m = 0; 32 * m < view.n; ++m) {
    const std::int32_t at[2] = {p - 1 - 32 * m - lane, p + 1 + 32 * m + lane};
    double gap = CUDART_INF;
#pragma unroll
    for (int side = 0; side < 2; ++side) {
      const std::int32_t q = at[side];
      if (q < 0 || q >= view.n) continue;
      gap = fmin(gap, to_z(q));
      if (excluded.has(view.rows[q])) continue;
      const double d = larger(to_x(q), larger(to_y(q), to_z(q)));
#pragma unroll
      for (int j = kCapacity - 1; j > 0; --j) values[j] = fmin(values[j], fmax(values[j - 1], d));
      values[0] = fmin(values[0], d);
    }
    gap = __shfl_sync(kWholeWarp, gap, 31);  // of the outermost; infinity where a lane has neither
    bound = gap;
    if (__popc(__ballot_sync(kWholeWarp, values[0] < bound)) >= sweep.k) break;
  }
  double eps = 0;
  for (std::int32_t round = 0; round < sweep.k; ++round) {
    eps = values[0];
    for (int step = 16; step > 0; step /= 2) eps = fmin(eps, __shfl_xor_sync(kWholeWarp, eps, step));
    const unsigned holders = __ballot_sync(kWholeWarp, values[0] == eps);
    if (lane == __ffs(static_cast<int>(holders)) - 1) {
#pragma unroll
      for (int j = 0; j + 1 < kCapacity; ++j) values[j] = values[j + 1];
      values[kCapacity - 1] = CUDART_INF;
    }
  }
  bool lower = true, upper = true;
  for (std::int32_t m = 0; lower || upper; ++m) {
    const std::int32_t below = p - 1 - 32 * m - lane, above = p + 1 + 32 * m + lane;
    lower = lower && below >= 0 && to_z(below) < eps;
    upper = upper && above < view.n && to_z(above) < eps;
    if (lower && !excluded.has(view.rows[below])) {
      counts.xz += to_x(below) < eps;
      counts.yz += to_y(below) < eps;
    }
    if (upper && !excluded.has(view.rows[above])) {
      counts.xz += to_x(above) < eps;
      counts.yz += to_y(above) < eps;
    }
    lower = __any_sync(kWholeWarp, lower);
    upper = __any_sync(kWholeWarp, upper);
  }
  counts.xz = __reduce_add_sync(kWholeWarp, counts.xz);
  counts.yz = __reduce_add_sync(kWholeWarp, counts.yz);
  return eps;
}

/// Points whose z is nearer than eps to that at p, less those that are excluded; by a whole warp, which
/// narrows each end down by a thirty-second at a time.
__device__ inline std::int32_t count_along(const View& view, std::int32_t p, double eps,
                                           const Excluded& excluded) {
  const auto lane = static_cast<std::int32_t>(threadIdx.x % 32);
  const double z = view.z_exact[p];
  // Positions at which `inside` holds from `from` on, towards `end` (exclusive), step by step of `direction`.
  const auto length_of = [&](std::int32_t most, std::int32_t direction) {
    std::int32_t low = 0, high = most;  // inside below low, outside from high on
    while (low < high) {
      const std::int32_t step = (high - low + 31) / 32, at = low + step * lane;
      const bool inside = at < high && fabs(z - view.z_exact[p + direction * (at + 1)]) < eps;
      const std::int32_t held = __popc(__ballot_sync(kWholeWarp, inside));
      // the first `held` probes are inside
      if (held == 0) {
        high = low;
      } else {
        const std::int32_t last = low + step * (held - 1);
        high = min(high, low + step * held);
        low = last + 1;
      }
    }
    return low;
  };
  const std::int32_t lower = length_of(p, -1), upper = length_of(view.n - 1 - p, 1);
  std::int32_t count = lower + upper;
  if (excluded.length > 1) {
    std::int32_t out = 0;
    for (std::int32_t q = p - lower + lane; q <= p + upper; q += 32)
      out += q != p && excluded.has(view.rows[q]);
    count -= static_cast<std::int32_t>(__reduce_add_sync(kWholeWarp, out));
  }
  return count;
}

/// A point in float: the radius as double has it, and the counts. False where float does not know.
template <int kCapacity, bool kWindow>
__device__ bool search_float(const Sweep& sweep, const View& view, std::int32_t p, const Excluded& excluded,
                             double& eps, Counts& counts) {
  const auto lane = static_cast<std::int32_t>(threadIdx.x % 32);
  const float x = view.x[p], z = view.plane[p].x, y = view.plane[p].y;
  const std::int32_t k = sweep.k;
  struct Distances {
    float x, y, z;
  };
  // The point itself is not looked at; without a window nothing else is excluded.
  const auto distances_to = [&](std::int32_t q) {
    const float2 at = __ldg(view.plane + q);
    Distances d{fabsf(__ldg(view.x + q) - x), fabsf(at.y - y), fabsf(at.x - z)};
    if constexpr (kWindow)
      if (q >= 0 && q < view.n && excluded.has(__ldg(view.rows + q))) d.x = d.y = CUDART_INF_F;
    return d;
  };
  float best[kCapacity + 1];
#pragma unroll
  for (int j = 0; j <= kCapacity; ++j) best[j] = CUDART_INF_F;
  const auto insert = [&](float d) {
#pragma unroll
    for (int j = kCapacity; j > 0; --j) best[j] = fminf(best[j], fmaxf(best[j - 1], d));
    best[0] = fminf(best[0], d);
  };
  float bound = CUDART_INF_F;  // not below the (k + 1)-th smallest of all so far
  for (std::int32_t below = p - 1 - lane, above = p + 1 + lane;; below -= 32, above += 32) {
    // Where a side has ended, its last lanes stay in the margin, at an infinite distance.
    const Distances lower = distances_to(max(below, -1)), upper = distances_to(min(above, view.n));
    const float near = fmaxf(lower.x, fmaxf(lower.y, lower.z)), far = fmaxf(upper.x, fmaxf(upper.y, upper.z));
    if (__any_sync(kWholeWarp, fminf(near, far) < bound)) {
      insert(near);
      insert(far);
      // Each of several groups of lanes has one within its least, and the largest of those is a bound.
      float least = fminf(best[0], __shfl_xor_sync(kWholeWarp, best[0], 16));
      if constexpr (kCapacity <= 4) least = fminf(least, __shfl_xor_sync(kWholeWarp, least, 8));
      bound = __uint_as_float(__reduce_max_sync(kWholeWarp, __float_as_uint(least)));
    }
    float gap = __shfl_sync(kWholeWarp, fminf(lower.z, upper.z), 31);
    if (sweep.faults.ends_early) gap *= 1.5f;
    if (gap == CUDART_INF_F) {  // both sides have ended in this chunk
      if (__shfl_sync(kWholeWarp, below, 31) < 0 && __shfl_sync(kWholeWarp, above, 31) >= view.n) break;
    }
    // k + 1 lanes have something nearer than all that is to come.
    if (__popc(__ballot_sync(kWholeWarp, best[0] < gap)) > k) break;
  }
  float before = 0, reach = 0, next = 0;
  for (std::int32_t round = 0; round <= k; ++round) {
    before = reach;
    reach = next;
    next = __uint_as_float(__reduce_min_sync(kWholeWarp, __float_as_uint(best[0])));
    const unsigned holders = __ballot_sync(kWholeWarp, best[0] == next);
    if (lane == __ffs(static_cast<int>(holders)) - 1) {
#pragma unroll
      for (int j = 0; j < kCapacity; ++j) best[j] = best[j + 1];
      best[kCapacity] = CUDART_INF_F;
    }
  }
  // What rounding may have moved a distance by, either way: 2^-24 of each coordinate and of their difference,
  // and twice as much again.
  const float margin = 0x1p-21f * (fmaxf(fabsf(x), fmaxf(fabsf(y), fabsf(z))) + reach) + 0x1p-140f;
  if (!(reach < 0x1p126f)) return false;
  std::int32_t doubtful = 0, neighbour = -1;
  std::uint32_t in_xz = 0, in_yz = 0;
  const float within = reach + margin;
  const auto look = [&](std::int32_t q) {
    const Distances d = distances_to(q);
    const float beyond_x = fmaxf(d.x, d.z) - reach, beyond_y = fmaxf(d.y, d.z) - reach;
    in_xz += __float_as_uint(beyond_x) >> 31;
    in_yz += __float_as_uint(beyond_y) >> 31;
    if (fminf(fabsf(beyond_x), fabsf(beyond_y)) <= margin) {
      ++doubtful;
      neighbour = q;
    }
    return d.z <= within;
  };
  const std::int32_t first = sweep.faults.chunk_lost ? 32 : 0;
  for (std::int32_t q = p - 1 - first - lane; __any_sync(kWholeWarp, look(max(q, -1))); q -= 32) {
  }
  for (std::int32_t q = p + 1 + first + lane; __any_sync(kWholeWarp, look(min(q, view.n))); q += 32) {
  }
  doubtful = static_cast<std::int32_t>(__reduce_add_sync(kWholeWarp, doubtful));
  if (!(sweep.faults.no_recheck ? doubtful > 0 : doubtful == 1)) return false;
  neighbour = __reduce_max_sync(kWholeWarp, neighbour);
  const Distances d = distances_to(neighbour);
  const double exact_x = fabs(view.x_exact[p] - view.x_exact[neighbour]),
               exact_y = fabs(view.y_exact[p] - view.y_exact[neighbour]),
               exact_z = fabs(view.z_exact[p] - view.z_exact[neighbour]);
  eps = larger(exact_x, larger(exact_y, exact_z));
  // All but the neighbour are counted as double counts them; it is counted here.
  counts.xz = static_cast<std::int32_t>(__reduce_add_sync(kWholeWarp, in_xz)) +
              (larger(exact_x, exact_z) < eps) - (fmaxf(d.x, d.z) - reach < 0);
  counts.yz = static_cast<std::int32_t>(__reduce_add_sync(kWholeWarp, in_yz)) +
              (larger(exact_y, exact_z) < eps) - (fmaxf(d.y, d.z) - reach < 0);
  return true;
}

/// All of a point by a whole warp: what it found stands in every lane.
template <int kCapacity, bool kWindow>
__device__ double sweep_point(const Sweep& sweep, const View& view, std::int32_t p, const Excluded& excluded,
                              Counts& counts, std::int32_t& n_z) {
  double eps = 0;
  if (!search_float<kCapacity, kWindow>(sweep, view, p, excluded, eps, counts)) {
    counts = {};
    eps = search_double<kCapacity>(sweep, view, p, excluded, counts);
  }
  n_z = count_along(view, p, eps, excluded);
  return eps;
}

}  // namespace assay::kernels::windows
