#include "kernels/spatial/sorted_points.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "kernels/spatial/nearest_box.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/spatial/sorted_points.cpp"
#include "hwy/foreach_target.h"
#include "kernels/spatial/distance_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::spatial::HWY_NAMESPACE {

/// Blocks [begin, end) of the sorted points.
struct BlockRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

std::int64_t BlocksOf(const SortedPoints& points) {
  return (points.points() + kBlock - 1) / kBlock;
}

/// Calls visit(position) for blocks of points, outwards from `position` on both sides in turn, until the
/// difference along the axis exceeds reach() there. Returns the blocks that were visited.
template <class Reach, class Visit>
HWY_INLINE BlockRange Walk(const double* axis, std::int64_t blocks, std::int64_t position, const Reach& reach,
                           const Visit& visit) {
  const bool one_sided = mutant("te.knn.walk_ends_on_both_sides");
  const std::int64_t near_edge = mutant("te.range_count.walk_by_far_edge") ? 0 : kBlock - 1;
  const double q = axis[position];
  std::int64_t right = position / kBlock;
  std::int64_t left = right - 1;
  bool right_open = true;
  bool left_open = true;
  while (right_open || left_open) {
    if (right_open) {
      right_open = right < blocks && !(axis[right * kBlock] - q > reach());
      if (right_open) visit(kBlock * right++);
      if (one_sided && !right_open) left_open = false;
    }
    if (left_open) {
      left_open = left >= 0 && !(q - axis[left * kBlock + near_edge] > reach());
      if (left_open) visit(kBlock * left--);
    }
  }
  return {left + 1, std::min(right, blocks)};
}

/// Reads the coordinates of the point at a position.
HWY_INLINE void Load(const SortedPoints& points, std::int64_t position, std::vector<double>& q) {
  for (std::int64_t c = 0; c < points.columns().dimensions(); ++c)
    q[static_cast<std::size_t>(c)] = points.columns().column(c)[position];
}

template <class Result>
HWY_INLINE void NearestOf(const SortedPoints& points, const Exclusion& exclusion, Result& result,
                          std::int64_t blocks, std::int64_t begin, std::int64_t end) {
  const double* axis = points.columns().column(points.axis());
  const std::int32_t* order = points.order().data();
  std::vector<double> q(static_cast<std::size_t>(points.columns().dimensions()));
  const Query query{&points.columns(), q.data()};
  auto& list = result.list();
  const auto reach = [&]() HWY_ATTR { return list.threshold(); };
  for (std::int64_t position = begin; position < end; ++position) {
    const std::int32_t row = order[position];
    const RowRange excluded = exclusion.of(row);
    Load(points, position, q);
    list.clear();
    switch (q.size()) {
      case 2:
        Walk(axis, blocks, position, reach,
             [&](std::int64_t at) HWY_ATTR { Offer<2>(query, at, order, excluded, list); });
        break;
      case 3:
        Walk(axis, blocks, position, reach,
             [&](std::int64_t at) HWY_ATTR { Offer<3>(query, at, order, excluded, list); });
        break;
      default:
        Walk(axis, blocks, position, reach,
             [&](std::int64_t at) HWY_ATTR { Offer<0>(query, at, order, excluded, list); });
    }
    result.take(row);
  }
}

void SortedNearest(const SortedPoints& points, const Exclusion& exclusion, NeighbourResult& result,
                   std::int64_t begin, std::int64_t end) {
  const bool tail_lost = mutant("te.knn.simd_tail_lost");
  NearestOf(points, exclusion, result, tail_lost ? points.points() / kBlock : BlocksOf(points), begin, end);
}
void SortedRadius(const SortedPoints& points, const Exclusion& exclusion, RadiusResult& result,
                  std::int64_t begin, std::int64_t end) {
  NearestOf(points, exclusion, result, BlocksOf(points), begin, end);
}

void SortedBoxes(const SortedPoints& points, const Exclusion& exclusion, const BoxTask& task,
                 std::int64_t begin, std::int64_t end) {
  const double* axis = points.columns().column(points.axis());
  const std::int32_t* order = points.order().data();
  std::vector<double> q(static_cast<std::size_t>(points.columns().dimensions()));
  std::vector<PartDistances> near;
  const Query query{&points.columns(), q.data()};
  for (std::int64_t position = begin; position < end; ++position) {
    const std::int32_t row = order[position];
    const RowRange excluded = exclusion.of(row);
    double* radii = task.radii + 3 * row;
    const double radius = closed_radius(radii[0], task.open_ball);
    Load(points, position, q);
    near.clear();
    Walk(
        axis, BlocksOf(points), position, [&]() HWY_ATTR { return radius; },
        [&](std::int64_t at) HWY_ATTR { GatherBlock(query, at, order, excluded, radius, task.ends, near); });
    const PartDistances box = nearest_box(near, static_cast<std::size_t>(task.k));
    radii[0] = box.x;
    radii[1] = box.y;
    radii[2] = box.z;
  }
}

void SortedCount(const SortedPoints& points, const Radii& radii, const Counts& counts, std::int64_t begin,
                 std::int64_t end) {
  const double* axis = points.columns().column(points.axis());
  const std::int32_t* order = points.order().data();
  const std::int64_t blocks = BlocksOf(points);
  const bool end_lost = mutant("te.range_count.window_off_by_one");
  const bool by_position = mutant("te.range_count.radius_of_position");
  std::vector<double> q(static_cast<std::size_t>(points.columns().dimensions()));
  const Query query{&points.columns(), q.data()};
  const hn::RebindToSigned<Tag> tag;
  for (std::int64_t position = begin; position < end; ++position) {
    const std::int32_t row = order[position];
    Load(points, position, q);
    const double first = radii.first_of(by_position ? position : row);
    const double second = radii.second_of(by_position ? position : row);
    const double along = points.axis() < radii.split ? first : second;
    Counter counter = hn::Zero(tag);
    Counter before = counter;
    const auto visit = [&](std::int64_t at) HWY_ATTR {
      before = counter;
      for (std::int64_t lane = 0; lane < kBlock; lane += kLanes)
        counter = Add(counter, q.size() == 2 ? Within<2>(query, at + lane, first, second, radii.split)
                                             : Within<0>(query, at + lane, first, second, radii.split));
    };
    Walk(
        axis, blocks, position, [&]() HWY_ATTR { return along; }, visit);
    counts.data[row * counts.stride] = Total(end_lost ? before : counter);
  }
}

/// Points within a radius in the columns [begin, end).
template <int kFixed>
HWY_INLINE Mask Inside(const Query& query, std::int64_t position, Vector radius, std::int64_t begin,
                       std::int64_t end) {
  Mask inside = hn::Le(Difference(query.columns->column(begin), position, query.q[begin]), radius);
  if (kFixed == 1) return inside;
  for (std::int64_t c = begin + 1; c < end; ++c)
    inside = hn::And(inside, hn::Le(Difference(query.columns->column(c), position, query.q[c]), radius));
  return inside;
}

/// The three counts over the blocks that can hold anything; what is excluded is still in them.
template <int kFixed>
HWY_INLINE void CountParts(const Query& query, BlockRange range, const double* radii,
                           const std::int64_t* ends, bool x_without_z, std::int64_t* counts) {
  const Tag tag;
  const hn::RebindToSigned<Tag> integers;
  const Vector rx = hn::Set(tag, radii[0]), ry = hn::Set(tag, radii[1]), rz = hn::Set(tag, radii[2]);
  const bool y_alone = mutant("te.ksg.condition_missing_in_yz");
  Counter n_xz = hn::Zero(integers), n_yz = n_xz, n_z = n_xz;
  for (std::int64_t at = range.begin * kBlock; at < range.end * kBlock; at += kLanes) {
    const Mask in_z = Inside<kFixed>(query, at, rz, ends[1], ends[2]);
    const Mask in_x = Inside<kFixed>(query, at, rx, 0, ends[0]);
    n_z = Add(n_z, in_z);
    n_xz = Add(n_xz, HWY_UNLIKELY(x_without_z) ? in_x : hn::And(in_z, in_x));
    const Mask in_y = Inside<kFixed>(query, at, ry, ends[0], ends[1]);
    n_yz = Add(n_yz, y_alone ? in_y : hn::And(in_z, in_y));
  }
  counts[0] = Total(n_xz);
  counts[1] = Total(n_yz);
  counts[2] = Total(n_z);
}

template <int kFixed>
HWY_INLINE void ConditionalOf(const SortedPoints& points, std::span<const Coordinate> coordinates,
                              const Exclusion& exclusion, const Exclusion& count_exclusion,
                              const ConditionalTask& task, std::int64_t begin, std::int64_t end) {
  const double* axis = points.columns().column(points.axis());
  const std::int32_t* order = points.order().data();
  const std::int64_t blocks = BlocksOf(points);
  std::vector<double> q(coordinates.size());
  const Query query{&points.columns(), q.data()};
  SmallestDistances list(task.k);
  std::vector<PartDistances> near;
  const bool strict = task.boxes == task.turn_strictness;
  for (std::int64_t position = begin; position < end; ++position) {
    const std::int32_t row = order[position];
    const RowRange excluded = exclusion.of(row);
    Load(points, position, q);
    list.clear();
    BlockRange range = Walk(
        axis, blocks, position, [&]() HWY_ATTR { return list.threshold(); },
        [&](std::int64_t at) HWY_ATTR { Offer<3 * kFixed>(query, at, order, excluded, list); });
    double* radii = task.radii + 3 * row;
    const double eps =
        task.float_radii ? static_cast<double>(static_cast<float>(list.largest())) : list.largest();
    radii[0] = radii[1] = radii[2] = eps;
    if (task.boxes) {
      const double within = closed_radius(eps, task.open_ball);
      near.clear();
      range = Walk(
          axis, blocks, position, [&]() HWY_ATTR { return eps; },
          [&](std::int64_t at)
              HWY_ATTR { GatherBlock(query, at, order, excluded, within, task.ends, near); });
      const PartDistances box = nearest_box(near, static_cast<std::size_t>(task.k));
      if (!task.joint_radii) {
        radii[0] = box.x;
        radii[1] = box.y;
        radii[2] = box.z;
      }
    }
    const double closed[3] = {closed_radius(radii[0], strict), closed_radius(radii[1], strict),
                              closed_radius(radii[2], strict)};
    if (HWY_UNLIKELY(task.x_without_z)) range = {0, blocks};
    std::int64_t* counts = task.counts + 3 * row;
    CountParts<kFixed>(query, range, closed, task.ends, task.x_without_z, counts);
    subtract_excluded(coordinates, task, count_exclusion.of(row), row, closed, counts);
  }
}

void SortedConditional(const SortedPoints& points, std::span<const Coordinate> coordinates,
                       const Exclusion& exclusion, const Exclusion& count_exclusion,
                       const ConditionalTask& task, std::int64_t begin, std::int64_t end) {
  if (coordinates.size() == 3)
    ConditionalOf<1>(points, coordinates, exclusion, count_exclusion, task, begin, end);
  else
    ConditionalOf<0>(points, coordinates, exclusion, count_exclusion, task, begin, end);
}

}  // namespace assay::kernels::spatial::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::spatial {

HWY_EXPORT(SortedNearest);
HWY_EXPORT(SortedRadius);
HWY_EXPORT(SortedBoxes);
HWY_EXPORT(SortedCount);
HWY_EXPORT(SortedConditional);

namespace {

constexpr std::int64_t kGrain = 256;

}  // namespace

SortedPoints::SortedPoints(std::span<const Coordinate> coordinates, std::vector<std::int32_t> order,
                           std::int64_t axis)
    : order_(std::move(order)), axis_(axis), columns_(coordinates, order_) {}

SortedPoints::SortedPoints(std::span<const Coordinate> coordinates, std::int64_t n, std::int64_t first_axis,
                           std::int64_t last_axis)
    : axis_(widest_coordinate(coordinates, n, first_axis, last_axis)) {
  order_ = sorted_order(coordinates[static_cast<std::size_t>(axis_)], n);
  columns_ = Columns(coordinates, order_);
}

void nearest(ThreadPool& pool, const SortedPoints& points, const Exclusion& exclusion,
             const NeighbourResult::Options& options) {
  pool.parallel_for(points.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    NeighbourResult result(options);
    HWY_DYNAMIC_DISPATCH(SortedNearest)(points, exclusion, result, begin, end);
  });
}

void nearest_radius(ThreadPool& pool, const SortedPoints& points, const Exclusion& exclusion, std::int64_t k,
                    double* radii) {
  pool.parallel_for(points.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    RadiusResult result(k, radii);
    HWY_DYNAMIC_DISPATCH(SortedRadius)(points, exclusion, result, begin, end);
  });
}

void boxes(ThreadPool& pool, const SortedPoints& points, const Exclusion& exclusion, const BoxTask& task) {
  pool.parallel_for(points.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    HWY_DYNAMIC_DISPATCH(SortedBoxes)(points, exclusion, task, begin, end);
  });
}

namespace {

/// Along one axis the points within a radius are the positions [first, last), found by bisection on the
/// predicate itself: |axis - q| <= radius, rounded, is monotone on either side of q.
void count_along_axis(const SortedPoints& points, const Radii& radii, const Counts& counts,
                      std::int64_t begin, std::int64_t end) {
  const double* axis = points.columns().column(0);
  const bool end_lost = mutant("te.range_count.window_off_by_one");
  const bool left_strict = mutant("te.range_count.left_edge_strict");
  // the number of values, from `first` on, for which before() holds; no branch on the data
  const auto bisect = [](const double* first, std::int64_t length, const auto& before) {
    const double* from = first;
    while (length > 1) {
      const std::int64_t half = length / 2;
      from += before(from[half - 1]) ? half : 0;
      length -= half;
    }
    return from - first + (length == 1 && before(*from) ? 1 : 0);
  };
  for (std::int64_t position = begin; position < end; ++position) {
    const std::int32_t row = points.order()[static_cast<std::size_t>(position)];
    const double q = axis[position];
    const double radius = radii.split > 0 ? radii.first_of(row) : radii.second_of(row);
    std::int64_t inside = 0;
    if (radius >= 0) {
      const std::int64_t before = bisect(axis, position, [=](double value) {
        return left_strict ? q - value >= radius : q - value > radius;
      });
      const std::int64_t after = bisect(axis + position, points.points() - position,
                                        [=](double value) { return value - q <= radius; });
      inside = position - before + after - (end_lost ? 1 : 0);
    }
    counts.data[row * counts.stride] = inside;
  }
}

}  // namespace

void count(ThreadPool& pool, const SortedPoints& points, std::span<const Coordinate> coordinates,
           const Exclusion& exclusion, const Radii& radii, const Counts& counts) {
  pool.parallel_for(points.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    if (points.columns().dimensions() == 1)
      count_along_axis(points, radii, counts, begin, end);
    else
      HWY_DYNAMIC_DISPATCH(SortedCount)(points, radii, counts, begin, end);
    for (std::int64_t position = begin; position < end; ++position) {
      const std::int32_t row = points.order()[static_cast<std::size_t>(position)];
      counts.data[row * counts.stride] -= excluded_within(coordinates, radii, exclusion, row);
    }
  });
}

void conditional(ThreadPool& pool, const SortedPoints& points, std::span<const Coordinate> coordinates,
                 const Exclusion& exclusion, const Exclusion& count_exclusion, const ConditionalTask& task) {
  pool.parallel_for(points.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    HWY_DYNAMIC_DISPATCH(SortedConditional)
    (points, coordinates, exclusion, count_exclusion, task, begin, end);
  });
}

}  // namespace assay::kernels::spatial
#endif  // HWY_ONCE
