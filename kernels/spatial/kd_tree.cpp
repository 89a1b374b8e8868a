#include "kernels/spatial/kd_tree.hpp"

#include <algorithm>
#include <utility>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "kernels/spatial/nearest_box.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/spatial/kd_tree.cpp"
#include "hwy/foreach_target.h"
#include "kernels/spatial/distance_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::spatial::HWY_NAMESPACE {

/// Halving at most 2^31 points leaves fewer levels than this, and each holds back one node.
inline constexpr int kStackSize = 64;

/// Distance from the point to the nearest face of the box, 0 inside: no point of the box lies nearer.
HWY_INLINE double BoxDistance(const double* box, const double* q, std::int64_t d) {
  double distance = 0;
  for (std::int64_t c = 0; c < d; ++c) distance = std::max({distance, box[c] - q[c], q[c] - box[d + c]});
  return distance;
}

HWY_INLINE void Load(const KdTree& tree, std::int64_t position, std::vector<double>& q) {
  for (std::int64_t c = 0; c < tree.columns().dimensions(); ++c)
    q[static_cast<std::size_t>(c)] = tree.columns().column(c)[position];
}

/// Calls visit(leaf) for the leaves whose box is at most reach() away, nearer halves first, leaving out `skip`. `equal`
/// false is a planted fault: boxes at exactly that distance are left out too.
template <class Reach, class Visit>
HWY_INLINE void Descend(const KdTree& tree, const double* q, std::int64_t skip, bool equal, const Reach& reach,
                        const Visit& visit) {
  const std::int64_t d = tree.columns().dimensions();
  struct Waiting {
    KdTree::Node node;
    double distance;
  };
  Waiting stack[kStackSize];
  int height = 0;
  stack[height++] = {tree.root(), BoxDistance(tree.box(tree.root()), q, d)};
  const auto beyond = [&](double distance) HWY_ATTR {
    return distance > reach() || (HWY_UNLIKELY(!equal) && distance == reach());
  };
  while (height > 0) {
    Waiting current = stack[--height];
    if (beyond(current.distance)) continue;
    while (!current.node.is_leaf()) {
      Waiting near{current.node.left(), 0}, far{current.node.right(), 0};
      near.distance = BoxDistance(tree.box(near.node), q, d);
      far.distance = BoxDistance(tree.box(far.node), q, d);
      if (far.distance < near.distance) std::swap(near, far);
      if (!beyond(far.distance)) stack[height++] = far;
      current = near;
      if (beyond(near.distance)) break;
    }
    if (current.node.is_leaf() && current.node.first_leaf != skip && !beyond(current.distance))
      visit(current.node.first_leaf);
  }
}

template <int kFixed, class List>
HWY_INLINE void OfferLeaf(const KdTree& tree, const Query& query, std::int64_t leaf, RowRange excluded, List& list) {
  const std::int64_t begin = leaf * KdTree::kLeafSize;
  const std::int64_t end = std::min(begin + KdTree::kLeafSize, tree.points());
  for (std::int64_t at = begin; at < end; at += kBlock)
    Offer<kFixed>(query, at, tree.order().data(), excluded, list);
}

template <int kFixed, class Result>
HWY_INLINE void NearestOf(const KdTree& tree, const Exclusion& exclusion, Result& result, bool equal,
                          std::int64_t begin, std::int64_t end) {
  std::vector<double> q(static_cast<std::size_t>(tree.columns().dimensions()));
  const Query query{&tree.columns(), q.data()};
  auto& list = result.list();
  for (std::int64_t position = begin; position < end; ++position) {
    const std::int32_t row = tree.order()[static_cast<std::size_t>(position)];
    const RowRange excluded = exclusion.of(row);
    const std::int64_t own = position / KdTree::kLeafSize;
    Load(tree, position, q);
    list.clear();
    OfferLeaf<kFixed>(tree, query, own, excluded, list);
    Descend(tree, q.data(), own, equal, [&]() HWY_ATTR { return list.threshold(); },
            [&](std::int64_t leaf) HWY_ATTR { OfferLeaf<kFixed>(tree, query, leaf, excluded, list); });
    result.take(row);
  }
}

template <class Result>
HWY_INLINE void NearestByDimension(const KdTree& tree, const Exclusion& exclusion, Result& result, bool equal,
                                   std::int64_t begin, std::int64_t end) {
  switch (tree.columns().dimensions()) {
    case 2:
      return NearestOf<2>(tree, exclusion, result, equal, begin, end);
    case 3:
      return NearestOf<3>(tree, exclusion, result, equal, begin, end);
    default:
      return NearestOf<0>(tree, exclusion, result, equal, begin, end);
  }
}

void TreeNearest(const KdTree& tree, const Exclusion& exclusion, NeighbourResult& result, std::int64_t begin,
                 std::int64_t end) {
  NearestByDimension(tree, exclusion, result, !mutant("te.knn.tree_prunes_equal"), begin, end);
}
void TreeRadius(const KdTree& tree, const Exclusion& exclusion, RadiusResult& result, std::int64_t begin,
                std::int64_t end) {
  NearestByDimension(tree, exclusion, result, true, begin, end);
}

void TreeBoxes(const KdTree& tree, const Exclusion& exclusion, const BoxTask& task, std::int64_t begin,
               std::int64_t end) {
  std::vector<double> q(static_cast<std::size_t>(tree.columns().dimensions()));
  std::vector<PartDistances> near;
  const Query query{&tree.columns(), q.data()};
  for (std::int64_t position = begin; position < end; ++position) {
    const std::int32_t row = tree.order()[static_cast<std::size_t>(position)];
    const RowRange excluded = exclusion.of(row);
    double* radii = task.radii + 3 * row;
    const double radius = closed_radius(radii[0], task.open_ball);
    Load(tree, position, q);
    near.clear();
    Descend(tree, q.data(), -1, true, [&]() HWY_ATTR { return radius; },
            [&](std::int64_t leaf) HWY_ATTR {
              const std::int64_t first = leaf * KdTree::kLeafSize;
              const std::int64_t last = std::min(first + KdTree::kLeafSize, tree.points());
              for (std::int64_t at = first; at < last; at += kBlock)
                GatherBlock(query, at, tree.order().data(), excluded, radius, task.ends, near);
            });
    const PartDistances box = nearest_box(near, static_cast<std::size_t>(task.k));
    radii[0] = box.x;
    radii[1] = box.y;
    radii[2] = box.z;
  }
}

enum class Overlap { none, part, whole };

/// Whether a box lies outside the radii, across them or within. `near_edge`: a planted fault.
HWY_INLINE Overlap OverlapOf(const double* box, const double* q, std::int64_t d, double first, double second,
                             std::int64_t split, bool near_edge) {
  bool whole = true;
  for (std::int64_t c = 0; c < d; ++c) {
    const double radius = c < split ? first : second;
    const double below = q[c] - box[c];  // to the lower face, where q is above it
    const double above = box[d + c] - q[c];
    if (-below > radius || -above > radius) return Overlap::none;
    whole = whole && (HWY_UNLIKELY(near_edge) ? std::min(below, above) : std::max(below, above)) <= radius;
  }
  return whole ? Overlap::whole : Overlap::part;
}

template <int kFixed>
HWY_INLINE void CountOf(const KdTree& tree, const Radii& radii, const Counts& counts, std::int64_t begin,
                        std::int64_t end) {
  const std::int64_t d = kFixed > 0 ? kFixed : tree.columns().dimensions();
  const bool near_edge = mutant("te.range_count.box_inside_by_near_edge");
  std::vector<double> q(static_cast<std::size_t>(d));
  const Query query{&tree.columns(), q.data()};
  const hn::RebindToSigned<Tag> tag;
  KdTree::Node stack[kStackSize];
  for (std::int64_t position = begin; position < end; ++position) {
    const std::int32_t row = tree.order()[static_cast<std::size_t>(position)];
    const double first = radii.first_of(row);
    const double second = radii.second_of(row);
    Load(tree, position, q);
    Counter counter = hn::Zero(tag);
    std::int64_t inside = 0;
    int height = 0;
    stack[height++] = tree.root();
    while (height > 0) {
      const KdTree::Node node = stack[--height];
      const Overlap overlap = OverlapOf(tree.box(node), q.data(), d, first, second, radii.split, near_edge);
      if (overlap == Overlap::none) continue;
      if (overlap == Overlap::whole) {
        inside += tree.points_of(node);
      } else if (node.is_leaf()) {
        const std::int64_t from = node.first_leaf * KdTree::kLeafSize;
        for (std::int64_t at = from; at < from + tree.points_of(node); at += kLanes)
          counter = Add(counter, Within<kFixed>(query, at, first, second, radii.split));
      } else {
        stack[height++] = node.right();
        stack[height++] = node.left();
      }
    }
    counts.data[row * counts.stride] = inside + Total(counter);
  }
}

void TreeCount(const KdTree& tree, const Radii& radii, const Counts& counts, std::int64_t begin, std::int64_t end) {
  switch (tree.columns().dimensions()) {
    case 2:
      return CountOf<2>(tree, radii, counts, begin, end);
    case 3:
      return CountOf<3>(tree, radii, counts, begin, end);
    default:
      return CountOf<0>(tree, radii, counts, begin, end);
  }
}

}  // namespace assay::kernels::spatial::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::spatial {

HWY_EXPORT(TreeNearest);
HWY_EXPORT(TreeRadius);
HWY_EXPORT(TreeBoxes);
HWY_EXPORT(TreeCount);

namespace {

constexpr std::int64_t kGrain = 8 * KdTree::kLeafSize;

}  // namespace

void nearest(ThreadPool& pool, const KdTree& tree, const Exclusion& exclusion,
             const NeighbourResult::Options& options) {
  pool.parallel_for(tree.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    NeighbourResult result(options);
    HWY_DYNAMIC_DISPATCH(TreeNearest)(tree, exclusion, result, begin, end);
  });
}

void nearest_radius(ThreadPool& pool, const KdTree& tree, const Exclusion& exclusion, std::int64_t k, double* radii) {
  pool.parallel_for(tree.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    RadiusResult result(k, radii);
    HWY_DYNAMIC_DISPATCH(TreeRadius)(tree, exclusion, result, begin, end);
  });
}

void boxes(ThreadPool& pool, const KdTree& tree, const Exclusion& exclusion, const BoxTask& task) {
  pool.parallel_for(tree.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    HWY_DYNAMIC_DISPATCH(TreeBoxes)(tree, exclusion, task, begin, end);
  });
}

void count(ThreadPool& pool, const KdTree& tree, std::span<const Coordinate> coordinates, const Exclusion& exclusion,
           const Radii& radii, const Counts& counts) {
  pool.parallel_for(tree.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    HWY_DYNAMIC_DISPATCH(TreeCount)(tree, radii, counts, begin, end);
    for (std::int64_t position = begin; position < end; ++position) {
      const std::int32_t row = tree.order()[static_cast<std::size_t>(position)];
      counts.data[row * counts.stride] -= excluded_within(coordinates, radii, exclusion, row);
    }
  });
}

}  // namespace assay::kernels::spatial
#endif  // HWY_ONCE
