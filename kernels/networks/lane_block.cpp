// Eight lanes of a target, point by point. The radius: all lanes walk along the point's list at once, keep
// their k smallest max(list distance, |dx|) without a branch, and stop together where the list's own distance
// reaches the k-th of every lane: what follows can enter no lane. A lane whose k-th lies beyond what the list
// holds is an outlier in x, where |dx| alone leaves few candidates: it walks along x instead. The counts:
// n_yz is a position in the list, n_z a window of sorted z, n_xz those points of the window whose rank in x
// falls into the interval of ranks within the radius: 16 (AVX2) or 32 (AVX-512) points an instruction.
#include "kernels/networks/lane_block.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/runtime/mutant.hpp"
#include "kernels/networks/pairwise_sum.hpp"
#include "kernels/spatial/nearest.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/networks/lane_block.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::networks::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<double>;
using Vector = hn::Vec<Tag>;

constexpr std::int64_t kWidth = static_cast<std::int64_t>(HWY_LANES(double));
/// Vectors of lanes in one walk: two, so that their chains of minima overlap, where the block holds two.
constexpr std::int64_t kTogether = std::min<std::int64_t>(2, LaneBlock::kLanes / kWidth);
constexpr std::int64_t kWalked = kTogether * kWidth;

/// The faults of this file, read once a block.
struct Faults {
  bool list_stops_early, list_ties_counted, tail_lost, outlier_keeps_radius, window_kept;
};

/// Takes a distance in each lane into the k smallest so far, best[0] the smallest.
template <int kFixed>
HWY_INLINE void Insert(Vector distance, Vector* best, int k) {
  const int last = (kFixed > 0 ? kFixed : k) - 1;
  for (int at = 0; at < last; ++at) {
    const Vector larger = hn::Max(best[at], distance);
    best[at] = hn::Min(best[at], distance);
    distance = larger;
  }
  best[last] = hn::Min(best[last], distance);
}

/// The k-th smallest distance in the list of each of kWalked lanes, to `eps`, and how many list distances are
/// below it, to `nearer`. Bit l of what is returned: no point that is not in the list can be nearer in lane
/// l.
template <int kFixed>
unsigned WalkList(const TargetLists::List& list, const double* x, std::int64_t position, int k,
                  const Faults& faults, double* eps, std::int64_t* nearer) {
  constexpr std::int64_t kLanes = LaneBlock::kLanes;
  constexpr std::int64_t kStep = TargetLists::kStep;
  const Tag tag;
  const int size = kFixed > 0 ? kFixed : k;
  Vector of_x[kTogether];
  Vector best[kTogether][kFixed > 0 ? kFixed : LaneBlock::kMostNeighbours];
  for (std::int64_t v = 0; v < kTogether; ++v) {
    of_x[v] = hn::LoadU(tag, x + position * kLanes + v * kWidth);
    for (int at = 0; at < size; ++at) best[v][at] = hn::Set(tag, std::numeric_limits<double>::infinity());
  }
  std::int64_t entry = 0;
  while (entry < list.size) {
    for (std::int64_t step = 0; step < kStep; ++step, ++entry) {
      const Vector along = hn::Set(tag, list.distances[entry]);
      const double* other = x + static_cast<std::int64_t>(list.positions[entry]) * kLanes;
      for (std::int64_t v = 0; v < kTogether; ++v)
        Insert<kFixed>(hn::Max(along, hn::Abs(hn::Sub(hn::LoadU(tag, other + v * kWidth), of_x[v]))), best[v],
                       k);
    }
    const double next = list.distances[entry + (faults.list_stops_early && entry < list.size ? kStep : 0)];
    bool all = true;
    for (std::int64_t v = 0; v < kTogether; ++v)
      all = all && hn::AllTrue(tag, hn::Le(best[v][size - 1], hn::Set(tag, next)));
    if (all) break;
  }
  const hn::RebindToSigned<Tag> counter;
  hn::Vec<decltype(counter)> count[kTogether];
  Vector radius[kTogether];
  for (std::int64_t v = 0; v < kTogether; ++v) {
    count[v] = hn::Zero(counter);
    radius[v] = best[v][size - 1];
    hn::StoreU(radius[v], tag, eps + v * kWidth);
  }
  const double most = std::numeric_limits<double>::max();
  for (std::int64_t at = 0; at < entry; ++at) {
    const double distance = list.distances[at];
    const Vector along =
        hn::Set(tag, faults.list_ties_counted && distance <= most ? spatial::just_below(distance) : distance);
    for (std::int64_t v = 0; v < kTogether; ++v)
      count[v] =
          hn::Sub(count[v], hn::VecFromMask(counter, hn::RebindMask(counter, hn::Lt(along, radius[v]))));
  }
  unsigned closed = 0;
  for (std::int64_t v = 0; v < kTogether; ++v) {
    hn::StoreU(count[v], counter, nearer + v * kWidth);
    std::uint8_t bits[8] = {};
    hn::StoreMaskBits(tag, hn::Le(radius[v], hn::Set(tag, list.bound)), bits);
    closed |= static_cast<unsigned>(bits[0]) << (v * kWidth);
  }
  return closed;
}

using Walk = decltype(WalkList<0>);

/// How many of the ranks at [at.first, at.last) lie in [within.first, within.last).
HWY_INLINE std::int64_t CountRanks(const std::int16_t* ranks, Interval at, Interval within, bool tail_lost) {
  const hn::ScalableTag<std::int16_t> tag;
  const auto lanes = static_cast<std::int32_t>(hn::Lanes(tag));
  // r - first < last - first without sign, as one comparison with sign of numbers shifted by 2^15
  const auto first = hn::Set(tag, static_cast<std::int16_t>(within.first));
  const auto length = hn::Set(tag, static_cast<std::int16_t>(within.last - within.first - 32'768));
  std::size_t count = 0;
  std::int32_t from = at.first;
  for (; from + lanes <= at.last; from += lanes)
    count += hn::CountTrue(tag, hn::Lt(hn::Sub(hn::LoadU(tag, ranks + from), first), length));
  if (from < at.last && !tail_lost) {
    const auto valid = hn::FirstN(tag, static_cast<std::size_t>(at.last - from));
    count += hn::CountTrue(tag, hn::And(valid, hn::Lt(hn::Sub(hn::LoadU(tag, ranks + from), first), length)));
  }
  return static_cast<std::int64_t>(count);
}

/// SortedColumn::within by vectors: all values of a cell are compared at once, without a branch on the data.
HWY_INLINE Interval Within(const SortedColumn& column, double value, double eps) {
  const Tag tag;
  if (column.largest_cell() > 4 * kWidth) return column.within(value, eps);
  const Vector of = hn::Set(tag, value), radius = hn::Set(tag, eps);
  Interval found{column.start_of(value - eps), column.start_of(value + eps)};
  const double* left = column.values() + found.first;
  const double* right = column.values() + found.last;
  for (std::int64_t at = 0; at < column.largest_cell(); at += kWidth) {
    found.first +=
        static_cast<std::int32_t>(hn::CountTrue(tag, hn::Ge(hn::Sub(of, hn::LoadU(tag, left + at)), radius)));
    found.last += static_cast<std::int32_t>(
        hn::CountTrue(tag, hn::Lt(hn::Sub(hn::LoadU(tag, right + at), of), radius)));
  }
  return column.checked(found, value, eps);
}

/// One point in one lane.
struct Query {
  const LaneTask& task;
  const LaneBlock::View& view;
  std::int64_t lane, position;
  spatial::RowRange excluded;

  const SortedColumn& source() const { return *view.lanes[static_cast<std::size_t>(lane)].source; }
  double x(std::int64_t at) const { return view.x[at * LaneBlock::kLanes + lane]; }
  const std::int16_t* ranks() const {
    return view.ranks + (mutant("te.network.ranks_of_first_lane") ? 0 : lane) * view.stride;
  }
};

HWY_INLINE void PositionsByRank(const LaneBlock::View& view, std::int64_t lane, std::int64_t n) {
  const std::int16_t* ranks = view.ranks + lane * view.stride;
  for (std::int64_t position = 0; position < n; ++position)
    view.by_rank[lane * view.stride + ranks[position] + 32'768] = static_cast<std::uint16_t>(position);
}

/// The radius of an outlier, from both sides along x: `eps` is at least the k-th smallest distance.
HWY_INLINE double WalkAlongX(const Query& query, double eps) {
  const TargetPoints& points = *query.task.points;
  const double* values = query.source().values();
  const std::uint16_t* by_rank = query.view.by_rank + query.lane * query.view.stride;
  const auto at = static_cast<std::size_t>(query.position);
  const double x = query.x(query.position), y = points.y[at], z = points.z[at];
  const auto k = static_cast<std::size_t>(query.task.k);
  const bool window_kept = mutant("te.network.outlier_admits_window");
  double best[LaneBlock::kMostNeighbours];
  std::fill_n(best, k, eps);
  const auto offer = [&](std::int64_t rank, double dx) {
    const std::size_t other = by_rank[rank];
    double distance = std::max({dx, std::fabs(points.y[other] - y), std::fabs(points.z[other] - z)});
    if (!(distance < best[k - 1])) return;
    if (query.excluded.contains(points.row(static_cast<std::int64_t>(other))) && !window_kept) return;
    std::size_t place = k - 1;
    for (; place > 0 && distance < best[place - 1]; --place) best[place] = best[place - 1];
    best[place] = distance;
  };
  const std::int64_t rank = query.ranks()[at] + 32'768;
  std::int64_t left = rank - 1, right = rank + 1;
  for (bool open = true; open;) {
    open = false;
    if (left >= 0 && x - values[left] < best[k - 1]) {
      offer(left, x - values[left]);
      --left;
      open = true;
    }
    if (right < points.n && values[right] - x < best[k - 1]) {
      offer(right, values[right] - x);
      ++right;
      open = true;
    }
  }
  return best[k - 1];
}

struct PointCounts {
  std::int64_t xz = 0, yz = 0, z = 0;
};

/// Takes off what the windows counted of the excluded rows beside the point itself.
HWY_INLINE void SubtractExcluded(const Query& query, double eps, bool yz_too, PointCounts& counts) {
  const TargetPoints& points = *query.task.points;
  const auto at = static_cast<std::size_t>(query.position);
  const double x = query.x(query.position), y = points.y[at], z = points.z[at];
  for (std::int64_t row = query.excluded.begin; row < query.excluded.end; ++row) {
    const std::int64_t other = points.position(row);
    if (!(std::fabs(points.z[static_cast<std::size_t>(other)] - z) < eps)) continue;
    --counts.z;
    counts.xz -= std::fabs(query.x(other) - x) < eps ? 1 : 0;
    counts.yz -= yz_too && std::fabs(points.y[static_cast<std::size_t>(other)] - y) < eps ? 1 : 0;
  }
}

/// The windows of one point in one lane.
struct Windows {
  Interval x, z;
};

/// Strict counts from the windows. `listed`: yz holds the count from the list.
HWY_INLINE PointCounts CountPoint(const Query& query, const Windows& windows, double eps, bool listed,
                                  std::int64_t nearer, const Faults& faults) {
  PointCounts counts{.xz = CountRanks(query.ranks(), windows.z, windows.x, faults.tail_lost),
                     .yz = nearer,
                     .z = windows.z.last - windows.z.first};
  if (HWY_UNLIKELY(!listed)) {
    const TargetPoints& points = *query.task.points;
    const double y = points.y[static_cast<std::size_t>(query.position)];
    counts.yz = CountRanks(points.y_ranks.data(), windows.z, Within(points.sorted_y, y, eps), false);
  }
  if (query.excluded.size() == 1 || faults.window_kept) {  // the point itself, which every window holds
    --counts.z;
    --counts.xz;
    counts.yz -= listed ? 0 : 1;
  } else {
    SubtractExcluded(query, eps, !listed, counts);
  }
  return counts;
}

/// Step by step for all lanes of a point, so that a branch that goes the wrong way in one step (and they do
/// in the counts) holds up none of the work of another.
void EvaluatePoints(const LaneTask& task, const LaneBlock::View& view, Walk* walk, const Faults& faults) {
  constexpr std::int64_t kLanes = LaneBlock::kLanes;
  const TargetPoints& points = *task.points;
  const auto used = static_cast<std::int64_t>(view.lanes.size());
  unsigned prepared = 0;  // lanes whose positions by rank are there
  double eps[kLanes];
  std::int64_t nearer[kLanes];
  Windows windows[kLanes];
  const std::int64_t shift = mutant("te.network.psi_of_n_yz") ? 0 : 1;
  for (std::int64_t position = 0; position < points.n; ++position) {
    const TargetLists::List list = task.lists->of(position);
    const std::int64_t row = points.row(position);
    const spatial::RowRange excluded = task.exclusion->of(row);
    unsigned closed = 0;
    for (std::int64_t first = 0; first < used; first += kWalked)
      closed |=
          walk(list, view.x + first, position, static_cast<int>(task.k), faults, eps + first, nearer + first)
          << first;
    for (std::int64_t lane = 0; lane < used && !faults.outlier_keeps_radius; ++lane) {
      if ((closed >> lane & 1) != 0) continue;
      if ((prepared >> lane & 1) == 0) PositionsByRank(view, lane, points.n);
      prepared |= 1u << lane;
      eps[lane] = WalkAlongX({task, view, lane, position, excluded}, eps[lane]);
    }
    const double z = points.z[static_cast<std::size_t>(position)];
    for (std::int64_t lane = 0; lane < used; ++lane) {
      const double radius =
          std::max(eps[lane], std::numeric_limits<double>::denorm_min());  // windows hold the point
      windows[lane] = {Within(*view.lanes[static_cast<std::size_t>(lane)].source,
                              view.x[position * kLanes + lane], radius),
                       Within(points.sorted_z, z, radius)};
    }
    for (std::int64_t lane = 0; lane < used; ++lane) {
      PointCounts counts;  // none where k points coincide with this one
      if (eps[lane] > 0 || mutant("te.network.coincident_points_counted"))
        counts = CountPoint({task, view, lane, position, excluded}, windows[lane], eps[lane],
                            (closed >> lane & 1) != 0, nearer[lane], faults);
      view.local[row * kLanes + lane] =
          task.constant + (task.psi[counts.z + 1] - task.psi[counts.xz + 1]) - task.psi[counts.yz + shift];
      if (std::int64_t* out = view.lanes[static_cast<std::size_t>(lane)].counts;
          HWY_UNLIKELY(out != nullptr)) {
        out[3 * row] = counts.xz;
        out[3 * row + 1] = counts.yz;
        out[3 * row + 2] = counts.z;
      }
    }
  }
}

void EvaluateBlock(const LaneTask& task, const LaneBlock::View& view) {
  const Faults faults{.list_stops_early = mutant("te.network.list_stops_early"),
                      .list_ties_counted = mutant("te.network.list_ties_counted"),
                      .tail_lost = mutant("te.network.rank_tail_lost"),
                      .outlier_keeps_radius = mutant("te.network.outlier_keeps_list_radius"),
                      .window_kept = mutant("te.network.window_not_in_counts")};
  Walk* const walks[] = {WalkList<0>, WalkList<1>, WalkList<2>, WalkList<3>, WalkList<4>};
  EvaluatePoints(task, view, walks[task.k <= 4 ? task.k : 0], faults);
}

}  // namespace assay::kernels::networks::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::networks {

HWY_EXPORT(EvaluateBlock);

void LaneBlock::fill(const TargetPoints& points, std::span<const Lane> lanes) {
  const std::int64_t n = points.n, stride = n + 64;
  const bool keeps_order = mutant("te.network.surrogate_keeps_order");
  x_.resize(static_cast<std::size_t>(n * kLanes), 0.0);
  ranks_.resize(static_cast<std::size_t>(stride * kLanes), 0);
  by_rank_.resize(ranks_.size());
  local_.resize(static_cast<std::size_t>(n * kLanes));
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    const SortedColumn& source = *lanes[lane].source;
    double* x = x_.data() + lane;
    std::int16_t* ranks = ranks_.data() + static_cast<std::int64_t>(lane) * stride;
    for (std::int64_t position = 0; position < n; ++position) {
      const auto row = static_cast<std::size_t>(points.row(position));
      const std::uint16_t rank =
          source.ranks()[lanes[lane].rows == nullptr || keeps_order ? row : lanes[lane].rows[row]];
      x[position * kLanes] = source.values()[rank];
      ranks[position] = static_cast<std::int16_t>(rank - 32'768);
    }
  }
  // lanes that are not used repeat the last one, so that no walk waits for them
  for (std::int64_t position = 0; position < n && lanes.size() < kLanes; ++position)
    for (auto lane = static_cast<std::int64_t>(lanes.size()); lane < kLanes; ++lane)
      x_[static_cast<std::size_t>(position * kLanes + lane)] =
          x_[static_cast<std::size_t>(position * kLanes) + lanes.size() - 1];
}

void LaneBlock::evaluate(const LaneTask& task, std::span<const Lane> lanes) {
  const std::int64_t n = task.points->n;
  fill(*task.points, lanes);
  HWY_DYNAMIC_DISPATCH(EvaluateBlock)
  (task, {.lanes = lanes,
          .x = x_.data(),
          .ranks = ranks_.data(),
          .by_rank = by_rank_.data(),
          .stride = n + 64,
          .local = local_.data()});
  one_lane_.resize(static_cast<std::size_t>(n));
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    for (std::size_t row = 0; row < one_lane_.size(); ++row) one_lane_[row] = local_[row * kLanes + lane];
    *lanes[lane].value = pairwise_sum(one_lane_) / static_cast<double>(n);
  }
}

}  // namespace assay::kernels::networks
#endif  // HWY_ONCE
