#include "kernels/spatial/kd_tree.hpp"

#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "kernels/spatial/nearest_box.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/spatial/kd_tree.cpp"
#include "hwy/foreach_target.h"
#include "kernels/spatial/descent_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::spatial::HWY_NAMESPACE {

template <int kFixed, class List>
HWY_INLINE void OfferLeaf(const KdTree& tree, const Query& query, std::int64_t leaf, RowRange excluded,
                          List& list) {
  const std::int64_t begin = leaf * KdTree::kLeafSize;
  const std::int64_t end = std::min(begin + KdTree::kLeafSize, tree.points());
  for (std::int64_t at = begin; at < end; at += kBlock)
    Offer<kFixed>(query, at, tree.order().data(), excluded, list);
}

/// Offers the candidates' leaves that are near enough for the list.
template <int kFixed, class List>
HWY_INLINE void OfferCandidates(const KdTree& tree, const Query& query, const Candidates& candidates,
                                RowRange excluded, List& list) {
  const Tag tag;
  const std::int64_t d = kFixed > 0 ? kFixed : tree.columns().dimensions();
  for (std::int64_t at = 0; at < candidates.count(); at += kLanes) {
    Vector distance = hn::Zero(tag);
    for (std::int64_t c = 0; c < d; ++c) {
      const Vector q = hn::Set(tag, query.q[c]);
      distance = hn::Max(distance, hn::Max(hn::Sub(hn::LoadU(tag, candidates.lower(c) + at), q),
                                           hn::Sub(q, hn::LoadU(tag, candidates.upper(c) + at))));
    }
    std::uint32_t bits = BitsOf(hn::Le(distance, hn::Set(tag, list.threshold())));
    if (bits == 0) continue;
    HWY_ALIGN double distances[kLanes];
    hn::Store(distance, tag, distances);
    for (; bits != 0; bits &= bits - 1) {
      const int lane = std::countr_zero(bits);
      if (distances[lane] <= list.threshold())
        OfferLeaf<kFixed>(tree, query, candidates.leaf(at + lane), excluded, list);
    }
  }
}

/// Positions [begin, end) are whole leaves.
template <int kFixed, class Result>
HWY_INLINE void NearestOf(const KdTree& tree, const Exclusion& exclusion, std::vector<Result>& results,
                          bool equal, std::int64_t begin, std::int64_t end) {
  const std::int64_t d = tree.columns().dimensions();
  std::vector<double> q(static_cast<std::size_t>(d * KdTree::kLeafSize));
  Candidates candidates(d);
  const bool of_last = mutant("te.knn.tree_bound_of_last_point");
  for (std::int64_t leaf = begin / KdTree::kLeafSize; leaf * KdTree::kLeafSize < end; ++leaf) {
    const std::int64_t first = leaf * KdTree::kLeafSize;
    const std::int64_t last = std::min(first + KdTree::kLeafSize, end);
    double bound = 0;
    for (std::int64_t position = first; position < last; ++position) {
      double* own_q = q.data() + d * (position - first);
      for (std::int64_t c = 0; c < d; ++c) own_q[c] = tree.columns().column(c)[position];
      auto& list = results[static_cast<std::size_t>(position - first)].list();
      list.clear();
      const RowRange excluded = exclusion.of(tree.order()[static_cast<std::size_t>(position)]);
      OfferLeaf<kFixed>(tree, {&tree.columns(), own_q}, leaf, excluded, list);
      bound = of_last ? list.threshold() : std::max(bound, list.threshold());
    }
    const bool together =
        bound <= std::numeric_limits<double>::max() && candidates.Collect(tree, leaf, bound, bound, d, equal);
    for (std::int64_t position = first; position < last; ++position) {
      const std::int32_t row = tree.order()[static_cast<std::size_t>(position)];
      const RowRange excluded = exclusion.of(row);
      Result& result = results[static_cast<std::size_t>(position - first)];
      auto& list = result.list();
      const Query query{&tree.columns(), q.data() + d * (position - first)};
      if (together)
        OfferCandidates<kFixed>(tree, query, candidates, excluded, list);
      else
        Descend(
            tree, query.q, leaf, equal, [&]() HWY_ATTR { return list.threshold(); },
            [&](std::int64_t other) HWY_ATTR { OfferLeaf<kFixed>(tree, query, other, excluded, list); });
      result.take(row);
    }
  }
}

template <class Result>
HWY_INLINE void NearestByDimension(const KdTree& tree, const Exclusion& exclusion,
                                   std::vector<Result>& results, bool equal, std::int64_t begin,
                                   std::int64_t end) {
  switch (tree.columns().dimensions()) {
    case 2:
      return NearestOf<2>(tree, exclusion, results, equal, begin, end);
    case 3:
      return NearestOf<3>(tree, exclusion, results, equal, begin, end);
    default:
      return NearestOf<0>(tree, exclusion, results, equal, begin, end);
  }
}

void TreeNearest(const KdTree& tree, const Exclusion& exclusion, std::vector<NeighbourResult>& results,
                 std::int64_t begin, std::int64_t end) {
  NearestByDimension(tree, exclusion, results, !mutant("te.knn.tree_prunes_equal"), begin, end);
}
void TreeRadius(const KdTree& tree, const Exclusion& exclusion, std::vector<RadiusResult>& results,
                std::int64_t begin, std::int64_t end) {
  NearestByDimension(tree, exclusion, results, true, begin, end);
}

void TreeBoxes(const KdTree& tree, const Exclusion& exclusion, const BoxTask& task, std::int64_t begin,
               std::int64_t end) {
  std::vector<double> q(static_cast<std::size_t>(tree.columns().dimensions()));
  std::vector<PartDistances> near;
  const bool window_kept = mutant("te.ksg.tree_box_admits_window");
  const Query query{&tree.columns(), q.data()};
  for (std::int64_t position = begin; position < end; ++position) {
    const std::int32_t row = tree.order()[static_cast<std::size_t>(position)];
    const RowRange excluded = window_kept ? RowRange{row, row + 1} : exclusion.of(row);
    double* radii = task.radii + 3 * row;
    const double radius = closed_radius(radii[0], task.open_ball);
    Load(tree, position, q);
    near.clear();
    Descend(
        tree, q.data(), -1, true, [&]() HWY_ATTR { return radius; },
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

HWY_INLINE std::int64_t LeafEnd(const KdTree& tree, std::int64_t leaf) {
  return std::min((leaf + 1) * KdTree::kLeafSize, tree.points());
}

template <int kFixed>
HWY_INLINE Counter CountLeaf(const KdTree& tree, const Query& query, std::int64_t leaf, double first,
                             double second, std::int64_t split, Counter counter) {
  for (std::int64_t at = leaf * KdTree::kLeafSize; at < LeafEnd(tree, leaf); at += kLanes)
    counter = Add(counter, Within<kFixed>(query, at, first, second, split));
  return counter;
}

/// Points within the radii, by a descent of the point's own.
template <int kFixed>
HWY_INLINE std::int64_t CountAlone(const KdTree& tree, const Query& query, double first, double second,
                                   std::int64_t split, bool near_edge) {
  const hn::RebindToSigned<Tag> tag;
  Counter counter = hn::Zero(tag);
  std::int64_t inside = 0;
  const bool full_leaves = mutant("te.range_count.tree_node_counted_full");
  KdTree::Node stack[kStackSize];
  int height = 0;
  stack[height++] = tree.root();
  while (height > 0) {
    const KdTree::Node node = stack[--height];
    const Overlap overlap =
        OverlapOf(tree.box(node), query.q, tree.columns().dimensions(), first, second, split, near_edge);
    if (overlap == Overlap::none) continue;
    if (overlap == Overlap::whole) {
      inside += full_leaves ? node.leaves * KdTree::kLeafSize : tree.points_of(node);
    } else if (node.is_leaf()) {
      counter = CountLeaf<kFixed>(tree, query, node.first_leaf, first, second, split, counter);
    } else {
      stack[height++] = node.right();
      stack[height++] = node.left();
    }
  }
  return inside + Total(counter);
}

/// Points of the candidates' leaves within the radii.
template <int kFixed>
HWY_INLINE std::int64_t CountCandidates(const KdTree& tree, const Query& query, const Candidates& candidates,
                                        double first, double second, std::int64_t split, bool near_edge) {
  const Tag tag;
  const hn::RebindToSigned<Tag> integers;
  const std::int64_t d = kFixed > 0 ? kFixed : tree.columns().dimensions();
  Counter counter = hn::Zero(integers);
  std::int64_t inside = 0;
  const bool full = mutant("te.range_count.tree_leaf_counted_full");
  for (std::int64_t at = 0; at < candidates.count(); at += kLanes) {
    Mask some = hn::FirstN(tag, static_cast<std::size_t>(std::min(kLanes, candidates.count() - at)));
    Mask whole = some;
    for (std::int64_t c = 0; c < d; ++c) {
      const Vector q = hn::Set(tag, query.q[c]);
      const Vector radius = hn::Set(tag, c < split ? first : second);
      const Vector lower = hn::LoadU(tag, candidates.lower(c) + at);
      const Vector upper = hn::LoadU(tag, candidates.upper(c) + at);
      some = hn::And(some, hn::And(hn::Le(hn::Sub(lower, q), radius), hn::Le(hn::Sub(q, upper), radius)));
      const Vector below = hn::Sub(q, lower);
      const Vector above = hn::Sub(upper, q);
      whole = hn::And(
          whole, hn::Le(HWY_UNLIKELY(near_edge) ? hn::Min(below, above) : hn::Max(below, above), radius));
    }
    const std::uint32_t touched = BitsOf(some);
    const std::uint32_t covered = BitsOf(whole) & touched;
    for (std::uint32_t bits = touched; bits != 0; bits &= bits - 1) {
      const int lane = std::countr_zero(bits);
      const std::int64_t leaf = candidates.leaf(at + lane);
      if ((covered >> lane & 1) != 0)
        inside += full ? KdTree::kLeafSize : LeafEnd(tree, leaf) - leaf * KdTree::kLeafSize;
      else
        counter = CountLeaf<kFixed>(tree, query, leaf, first, second, split, counter);
    }
  }
  return inside + Total(counter);
}

/// Positions [begin, end) are whole leaves.
template <int kFixed>
HWY_INLINE void CountOf(const KdTree& tree, const Radii& radii, const Counts& counts, std::int64_t begin,
                        std::int64_t end) {
  const std::int64_t d = tree.columns().dimensions();
  const bool near_edge = mutant("te.range_count.box_inside_by_near_edge");
  const bool own_lost = mutant("te.range_count.tree_own_leaf_lost");
  const bool of_last = mutant("te.range_count.tree_radius_of_last_point");
  const hn::RebindToSigned<Tag> tag;
  std::vector<double> q(static_cast<std::size_t>(d));
  const Query query{&tree.columns(), q.data()};
  Candidates candidates(d);
  for (std::int64_t leaf = begin / KdTree::kLeafSize; leaf * KdTree::kLeafSize < end; ++leaf) {
    double largest_first = 0, largest_second = 0;
    for (std::int64_t position = leaf * KdTree::kLeafSize; position < LeafEnd(tree, leaf); ++position) {
      const std::int32_t row = tree.order()[static_cast<std::size_t>(position)];
      largest_first = std::max(of_last ? 0 : largest_first, radii.first_of(row));
      largest_second = std::max(of_last ? 0 : largest_second, radii.second_of(row));
    }
    const bool together = candidates.Collect(tree, leaf, largest_first, largest_second, radii.split, true);
    for (std::int64_t position = leaf * KdTree::kLeafSize; position < LeafEnd(tree, leaf); ++position) {
      const std::int32_t row = tree.order()[static_cast<std::size_t>(position)];
      const double first = radii.first_of(row);
      const double second = radii.second_of(row);
      Load(tree, position, q);
      std::int64_t& count = counts.data[row * counts.stride];
      if (!together) {
        count = CountAlone<kFixed>(tree, query, first, second, radii.split, near_edge);
        continue;
      }
      const Counter own = CountLeaf<kFixed>(tree, query, leaf, first, second, radii.split, hn::Zero(tag));
      count = (own_lost ? 0 : Total(own)) +
              CountCandidates<kFixed>(tree, query, candidates, first, second, radii.split, near_edge);
    }
  }
}

void TreeCount(const KdTree& tree, const Radii& radii, const Counts& counts, std::int64_t begin,
               std::int64_t end) {
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
    std::vector<NeighbourResult> results(KdTree::kLeafSize, NeighbourResult(options));
    HWY_DYNAMIC_DISPATCH(TreeNearest)(tree, exclusion, results, begin, end);
  });
}

void nearest_radius(ThreadPool& pool, const KdTree& tree, const Exclusion& exclusion, std::int64_t k,
                    double* radii) {
  pool.parallel_for(tree.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    std::vector<RadiusResult> results(KdTree::kLeafSize, RadiusResult(k, radii));
    HWY_DYNAMIC_DISPATCH(TreeRadius)(tree, exclusion, results, begin, end);
  });
}

void boxes(ThreadPool& pool, const KdTree& tree, const Exclusion& exclusion, const BoxTask& task) {
  pool.parallel_for(tree.points(), kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    HWY_DYNAMIC_DISPATCH(TreeBoxes)(tree, exclusion, task, begin, end);
  });
}

void count(ThreadPool& pool, const KdTree& tree, std::span<const Coordinate> coordinates,
           const Exclusion& exclusion, const Radii& radii, const Counts& counts) {
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
