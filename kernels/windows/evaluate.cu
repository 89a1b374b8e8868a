// Kraskov's estimate by windows along one sorted coordinate. Eight lanes a query, in two walks: outwards
// until the k-th nearest is known, then over all points within the radius on the axis, which are counted.
// Everything in double, so radii and counts are exact; what it costs is the width of a window, n times a
// power of k / n.
//
//   k up to 32   the k smallest distances in registers (lists of 1, 4, 8, 16 or 32)
//   more         the k-th distance by bisection over its 64 bits, counting over all points: right, not fast
//
// Many points of one column each are swept in float first (sweep.cu).
#include <math_constants.h>
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/te/digamma.hpp"
#include "kernels/windows/evaluate.hpp"
#include "kernels/windows/sweep.hpp"
#include "kernels/windows/window_search.cuh"

namespace assay::kernels::windows {

namespace {

constexpr int kThreads = 128;
constexpr int kQueries = kThreads / kShare;  // of a block
constexpr int kLargestList = 32;

// Planted faults, handed to the kernels by value; constants in the usual build.
struct Faults {
#ifdef ASSAY_MUTANTS
  bool psi_of_n, counts_not_strict, walk_ends_early, excluded_counted, float_radius, last_block_lost,
      ties_ignored, window_loses_first, algorithm2_joint_radius, bound_of_one_lane, equal_heads_dropped,
      box_ties_by_two_parts, box_admits_window, z_radius_of_x, mean_in_float, sum_missing_barrier,
      box_window_strict;
#else
  static constexpr bool psi_of_n = false, counts_not_strict = false, walk_ends_early = false,
                        excluded_counted = false, float_radius = false, last_block_lost = false,
                        ties_ignored = false, window_loses_first = false, algorithm2_joint_radius = false,
                        bound_of_one_lane = false, equal_heads_dropped = false, box_ties_by_two_parts = false,
                        box_admits_window = false, z_radius_of_x = false, mean_in_float = false,
                        sum_missing_barrier = false, box_window_strict = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.ksg.cuda_psi_of_n"),
          mutant("te.ksg.cuda_counts_not_strict"),
          mutant("te.ksg.cuda_walk_ends_early"),
          mutant("te.ksg.cuda_excluded_counted"),
          mutant("te.ksg.cuda_float_radius"),
          mutant("te.ksg.cuda_last_block_lost"),
          mutant("te.ksg.cuda_ties_ignored"),
          mutant("te.ksg.cuda_window_loses_first"),
          mutant("te.ksg.cuda_algorithm2_joint_radius"),
          mutant("te.ksg.cuda_bound_of_one_lane"),
          mutant("te.ksg.cuda_equal_heads_dropped"),
          mutant("te.ksg.cuda_box_ties_by_two_parts"),
          mutant("te.ksg.cuda_box_admits_window"),
          mutant("te.ksg.cuda_z_radius_of_x"),
          mutant("te.ksg.cuda_mean_in_float"),
          mutant("te.ksg.cuda_sum_missing_barrier"),
          mutant("te.ksg.cuda_box_window_strict")};
#else
  return {};
#endif
}

struct Task {
  Targets targets;
  Pairs pairs;
  Options options;
  Outputs outputs;
  const double* psi;
  double constant;     ///< psi(k), less 2/k or 1/k in algorithm 2; plus psi(n) without z
  double* partial;     ///< (pairs, blocks)
  std::int64_t first;  ///< pair of blockIdx.y = 0
  Faults faults;
};

struct Radii {
  double x, y, z;
};

struct Counts {
  std::int32_t xz = 0, yz = 0, z = 0;
};

/// What one query is asked: the same for all lanes of a warp but for its own coordinates.
template <bool kOne>
struct Lane {
  Query<kOne> query;
  Excluded excluded;
  Excluded count_excluded;
  double own;  ///< its axis value
  bool active;
};

template <int kCapacity, bool kOne>
__device__ double nearest_radius(const Task& task, const Lane<kOne>& lane, const std::int32_t* rows,
                                 std::int32_t warp_first) {
  const Coordinates<kOne>& at = lane.query.at;
  if constexpr (kCapacity > 0) {
    // Each lane keeps the k nearest of its share. So does the largest of the lanes' (k / kShare, rounded
    // up)-th bound the k-th of all: every lane has that many within it.
    SmallestValues<kCapacity> list(task.options.k);
    double bound = CUDART_INF;
    const int some = (task.options.k + kShare - 1) / kShare;
    walk_outwards(
        at.axis(), at.n, warp_first, lane.own,
        [&](double gap) {
          if (task.faults.walk_ends_early) return lane.active && gap * 1.25 < bound;
          return lane.active && gap < bound;
        },
        [&](std::int32_t p) {
          const double d = lane.query.joint_distance(p);
          if (d <= bound && !lane.excluded.has(__ldg(rows + p))) list.offer(d);
        },
        [&] {
          const double held = list.smallest(some);
          const double shared = task.faults.bound_of_one_lane ? held : largest_over_query(held);
          bound = over_query(shared < list.largest() ? shared : list.largest(),
                             [](double a, double b) { return a < b ? a : b; });
        });
    // The k-th smallest of the lanes' lists: k times the smallest that any of them holds.
    double eps = 0;
    for (int taken = 0; taken < task.options.k; ++taken) {
      const double own = list.first();
      eps = over_query(own, [](double a, double b) { return a < b ? a : b; });
      const unsigned holders = __ballot_sync(kWholeWarp, own == eps) >> (threadIdx.x % 32 / kShare * kShare) &
                               ((1u << kShare) - 1u);
      const bool first_holder =
          static_cast<int>(threadIdx.x % kShare) == __ffs(static_cast<int>(holders)) - 1;
      if (own == eps && (first_holder || task.faults.equal_heads_dropped)) list.drop_first();
    }
    return eps;
  } else {
    // The smallest v for which at least k distances are <= v. Distances are not negative: their bits order
    // them.
    std::uint64_t low = 0, high = __double_as_longlong(CUDART_INF);
    while (__any_sync(kWholeWarp, low < high)) {
      const std::uint64_t middle = low + (high - low) / 2;
      const double within = __longlong_as_double(static_cast<long long>(middle));
      std::int32_t count = 0;
      for (std::int32_t p = static_cast<std::int32_t>(threadIdx.x % kShare); p < at.n; p += kShare) {
        const double d = lane.query.joint_distance(p);
        count += d <= within && !lane.excluded.has(__ldg(rows + p));
      }
      count = sum_over_query(count);
      if (low >= high) continue;
      if (count >= task.options.k)
        high = middle;
      else
        low = middle + 1;
    }
    return __longlong_as_double(static_cast<long long>(low));
  }
}

__device__ inline void sort_falling(double& a, double& b, double& c) {
  const auto order = [](double& larger, double& smaller) {
    if (smaller > larger) {
      const double kept = larger;
      larger = smaller;
      smaller = kept;
    }
  };
  order(a, b);
  order(b, c);
  order(a, b);
}

/// Positions of the axis that any lane of the warp has within its own range.
__device__ inline AxisRange widest(AxisRange range, bool active) {
  return {static_cast<std::int32_t>(__reduce_min_sync(kWholeWarp, active ? range.begin : INT_MAX)),
          static_cast<std::int32_t>(__reduce_max_sync(kWholeWarp, active ? range.end : 0))};
}

/// Algorithm 2: the largest x, y and z distance among the k nearest; ties as engine/te/ksg.hpp has them: by
/// the second largest of the three distances, then by the least, all that share the k-th place included.
template <bool kOne>
__device__ Radii boxes(const Task& task, const Lane<kOne>& lane, const std::int32_t* rows, double eps) {
  const Coordinates<kOne>& at = lane.query.at;
  const AxisRange own = axis_range(at.axis(), at.n, lane.query.position, lane.own, [&](double gap) {
    return gap < eps || (gap == eps && !task.faults.box_window_strict);
  });
  const AxisRange range = widest(own, lane.active);
  Radii box{0, 0, 0};
  const auto widen = [&](double dx, double dy, double dz) {
    box.x = dx > box.x ? dx : box.x;
    box.y = dy > box.y ? dy : box.y;
    box.z = dz > box.z ? dz : box.z;
  };
  const std::int32_t first = range.begin + static_cast<std::int32_t>(threadIdx.x % kShare);
  std::int32_t below = 0, tied = 0;
  for (std::int32_t p = first; p < range.end; p += kShare) {
    const double dx = lane.query.x_distance(p), dy = lane.query.y_distance(p), dz = lane.query.z_distance(p);
    const double larger = dx > dy ? dx : dy, d = larger > dz ? larger : dz;
    if (d > eps || (lane.excluded.has(__ldg(rows + p)) && !task.faults.box_admits_window)) continue;
    if (d < eps) {
      ++below;
      widen(dx, dy, dz);
    } else {
      ++tied;
    }
  }
  below = sum_over_query(below);
  tied = sum_over_query(tied);
  // How far along the order of the tied points the k-th is: the last (second, third) pair taken.
  double last_second = CUDART_INF, last_third = CUDART_INF;
  std::int32_t needed = task.options.k - below;
  if (task.faults.ties_ignored) needed = tied;
  bool searching = lane.active && tied > needed;
  if (searching) last_second = last_third = -1.0;
  while (__any_sync(kWholeWarp, searching)) {
    double next_second = CUDART_INF, next_third = CUDART_INF;
    std::int32_t many = 0;
    for (std::int32_t p = first; p < range.end; p += kShare) {
      double a = lane.query.x_distance(p), b = lane.query.y_distance(p), c = lane.query.z_distance(p);
      sort_falling(a, b, c);
      if (a != eps || lane.excluded.has(__ldg(rows + p))) continue;
      const bool after = b > last_second || (b == last_second && c > last_third);
      if (!after) continue;
      if (b == next_second && c == next_third) {
        ++many;
      } else if (b < next_second || (b == next_second && c < next_third)) {
        next_second = b;
        next_third = c;
        many = 1;
      }
    }
#pragma unroll
    for (int step = 1; step < kShare; step *= 2) {  // the least of the lanes' pairs, with its number
      const double second = __shfl_xor_sync(kWholeWarp, next_second, step),
                   third = __shfl_xor_sync(kWholeWarp, next_third, step);
      const std::int32_t others = __shfl_xor_sync(kWholeWarp, many, step);
      if (second == next_second && third == next_third) {
        many += others;
      } else if (second < next_second || (second == next_second && third < next_third)) {
        next_second = second;
        next_third = third;
        many = others;
      }
    }
    if (searching) {
      last_second = next_second;
      last_third = next_third;
      needed -= many;
      searching = needed > 0;
    }
  }
  for (std::int32_t p = first; p < range.end; p += kShare) {
    const double dx = lane.query.x_distance(p), dy = lane.query.y_distance(p), dz = lane.query.z_distance(p);
    double a = dx, b = dy, c = dz;
    sort_falling(a, b, c);
    if (a != eps || lane.excluded.has(__ldg(rows + p))) continue;
    const bool third_taken = c <= last_third || task.faults.box_ties_by_two_parts;
    if (b < last_second || (b == last_second && third_taken)) widen(dx, dy, dz);
  }
  return {largest_over_query(box.x), largest_over_query(box.y), largest_over_query(box.z)};
}

template <bool kOne>
__device__ Counts count(const Task& task, const Lane<kOne>& lane, const std::int32_t* rows,
                        const Radii& radii) {
  const Coordinates<kOne>& at = lane.query.at;
  const bool strict = (task.options.algorithm == 1) != task.faults.counts_not_strict;
  const auto within = [strict](double distance, double radius) {
    return strict ? distance < radius : distance <= radius;
  };
  const bool conditional = kOne || at.dz > 0;
  const double along = conditional ? radii.z : radii.y;
  const AxisRange own = axis_range(at.axis(), at.n, lane.query.position, lane.own,
                                   [&](double gap) { return within(gap, along); });
  // Without z the counts of x know nothing of the axis.
  AxisRange range = conditional ? widest(own, lane.active) : AxisRange{0, at.n};
  if (task.faults.window_loses_first) ++range.begin;
  Counts counts;
#pragma unroll 4
  for (std::int32_t p = range.begin + static_cast<std::int32_t>(threadIdx.x % kShare); p < range.end;
       p += kShare) {
    const bool taken =
        task.faults.excluded_counted ? p != lane.query.position : !lane.count_excluded.has(__ldg(rows + p));
    const bool in_x = within(lane.query.x_distance(p), radii.x);
    const bool in_y = within(lane.query.y_distance(p), radii.y);
    const bool in_z = !conditional || within(lane.query.z_distance(p), radii.z);
    counts.z += taken && in_z;
    counts.xz += taken && in_z && in_x;
    counts.yz += taken && in_z && in_y;
  }
  counts.xz = sum_over_query(counts.xz);
  counts.yz = sum_over_query(counts.yz);
  counts.z = sum_over_query(counts.z);
  if (!conditional) counts.z = at.n - 1;
  return counts;
}

__device__ double local_value(const Task& task, const Counts& counts) {
  const double* psi = task.psi;
  const bool conditional = task.targets.dz > 0;
  if (task.options.algorithm == 1) {
    const int shift = task.faults.psi_of_n ? 0 : 1;
    const double first =
        task.constant + ((conditional ? psi[counts.z + shift] : 0.0) - psi[counts.xz + shift]);
    return first - psi[counts.yz + shift];
  }
  if (!conditional) return task.constant - psi[counts.xz] - psi[counts.yz];
  return task.constant + (psi[counts.z] - psi[counts.xz]) - psi[counts.yz] +
         (1.0 / counts.xz + 1.0 / counts.yz);
}

/// Sum over the block in a fixed tree; valid in thread 0.
__device__ double block_sum(double value, const Faults& faults) {
  __shared__ double sums[kThreads];
  sums[threadIdx.x] = faults.mean_in_float ? static_cast<double>(static_cast<float>(value)) : value;
  if (!faults.sum_missing_barrier) __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (static_cast<int>(threadIdx.x) < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  return sums[0];
}

template <int kCapacity, bool kOne>
__global__ void __launch_bounds__(kThreads) evaluate_pairs(Task task) {
  const std::int64_t pair = task.first + blockIdx.y;
  const std::int64_t target = pair / task.pairs.sources;
  const std::int32_t n = task.targets.n;
  const Coordinates<kOne> at{task.pairs.x + pair * task.pairs.dx * n,
                             task.targets.columns + target * (task.targets.dy + task.targets.dz) * n,
                             n,
                             task.pairs.dx,
                             task.targets.dy,
                             task.targets.dz};
  const std::int32_t* rows = task.targets.rows + target * n;
  const std::int32_t position = static_cast<std::int32_t>(blockIdx.x * kQueries + threadIdx.x / kShare);
  const bool active = position < n;
  const std::int32_t held = active ? position : n - 1;
  const std::int32_t row = rows[held];
  const Lane<kOne> lane{Query<kOne>(at, held), excluded_of(task.options.exclusion, row),
                        excluded_of(task.options.count_exclusion, row), at.axis()[held], active};
  const std::int32_t warp_first = position / kQueriesOfWarp * kQueriesOfWarp;

  double value = 0;
  if (warp_first < n) {  // whole warps beyond the end have nothing to do
    double eps = nearest_radius<kCapacity, kOne>(task, lane, rows, warp_first);
    if (task.faults.float_radius) eps = static_cast<double>(static_cast<float>(eps));
    Radii radii{eps, eps, eps};
    if (task.options.algorithm == 2 && !task.faults.algorithm2_joint_radius)
      radii = boxes<kOne>(task, lane, rows, eps);
    if (task.faults.z_radius_of_x) radii.z = radii.x;
    const Counts counts = count<kOne>(task, lane, rows, radii);
    if (active && threadIdx.x % kShare == 0) {
      value = local_value(task, counts);
      const std::int64_t at_row = pair * n + row;
      if (task.outputs.local != nullptr) task.outputs.local[at_row] = value;
      if (task.outputs.radii != nullptr) {
        task.outputs.radii[3 * at_row] = radii.x;
        task.outputs.radii[3 * at_row + 1] = radii.y;
        task.outputs.radii[3 * at_row + 2] = radii.z;
      }
      const std::int64_t slot = task.outputs.slots == nullptr ? pair : task.outputs.slots[pair];
      if (task.outputs.counts != nullptr && slot >= 0) {
        std::int64_t* to = task.outputs.counts + 3 * (slot * n + row);
        to[0] = counts.xz;
        to[1] = counts.yz;
        to[2] = counts.z;
      }
    }
  }
  const double sum = block_sum(value, task.faults);
  if (threadIdx.x == 0)
    task.partial[pair * gridDim.x + blockIdx.x] =
        task.faults.last_block_lost && blockIdx.x > 0 && blockIdx.x == gridDim.x - 1 ? 0.0 : sum;
}

__global__ void __launch_bounds__(kThreads) add_sums(double* sums, std::int32_t blocks, std::int64_t first,
                                                     Pairs pairs, std::int32_t n, Outputs outputs) {
  const std::int64_t pair = first + blockIdx.x;
  double* partial = sums + pair * blocks;
  for (std::int32_t length = blocks; length > 1; length = (length + 1) / 2) {
    const std::int32_t half = (length + 1) / 2;
    for (std::int32_t i = static_cast<std::int32_t>(threadIdx.x); i + half < length; i += kThreads)
      partial[i] += partial[i + half];
    __syncthreads();
  }
  if (threadIdx.x != 0 || outputs.values == nullptr) return;
  const std::int64_t source = outputs.first_source + pair % pairs.sources, target = pair / pairs.sources;
  outputs.values[source / outputs.group * outputs.group_stride + source % outputs.group +
                 target * outputs.target_stride] = partial[0] / n;
}

constexpr std::int64_t kMostRows = 65'535;  // of a grid

template <int kCapacity>
void launch(CUstream_st* stream, const Task& task, dim3 grid) {
  const bool one = task.pairs.dx == 1 && task.targets.dy == 1 && task.targets.dz == 1;
  if (one)
    evaluate_pairs<kCapacity, true><<<grid, kThreads, 0, stream>>>(task);
  else
    evaluate_pairs<kCapacity, false><<<grid, kThreads, 0, stream>>>(task);
}

}  // namespace

void add_partial(CUstream_st* stream, double* partial, std::int32_t blocks, const Targets& targets,
                 const Pairs& pairs, const Outputs& outputs) {
  for (std::int64_t first = 0; first < pairs.count; first += kMostRows)
    add_sums<<<static_cast<unsigned>(std::min(kMostRows, pairs.count - first)), kThreads, 0, stream>>>(
        partial, blocks, first, pairs, targets.n, outputs);
}

void evaluate(CUstream_st* stream, Workspace& workspace, const Targets& targets, const Pairs& pairs,
              const Options& options, const double* psi, const Outputs& outputs) {
  if (pairs.count == 0 || targets.n == 0) return;
  if (sweep_takes(targets, pairs, options)) {
    sweep(stream, workspace, targets, pairs, options, psi, outputs);
    return;
  }
  const Workspace::Frame frame(workspace);
  const auto blocks = static_cast<std::int32_t>((targets.n + kQueries - 1) / kQueries);
  Task task{targets, pairs, options, outputs, psi, 0, nullptr, 0, selected_faults()};
  task.partial = workspace.take<double>(static_cast<std::size_t>(pairs.count * blocks)).data();
  const double k = options.k;
  task.constant = te::digamma(k);
  if (options.algorithm == 2) task.constant -= (targets.dz > 0 ? 2.0 : 1.0) / k;
  if (targets.dz == 0) task.constant += te::digamma(static_cast<double>(targets.n));
  for (task.first = 0; task.first < pairs.count; task.first += kMostRows) {
    const auto some = static_cast<unsigned>(std::min(kMostRows, pairs.count - task.first));
    const dim3 grid(static_cast<unsigned>(blocks), some);
    if (options.k > kLargestList)
      launch<0>(stream, task, grid);
    else if (options.k > 16)
      launch<32>(stream, task, grid);
    else if (options.k > 8)
      launch<16>(stream, task, grid);
    else if (options.k > 4)
      launch<8>(stream, task, grid);
    else if (options.k > 1)
      launch<4>(stream, task, grid);
    else
      launch<1>(stream, task, grid);
  }
  add_partial(stream, task.partial, blocks, targets, pairs, outputs);
  detail::check(cudaGetLastError(), "windows: launch");
}

}  // namespace assay::kernels::windows
