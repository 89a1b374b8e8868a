#include "kernels/spatial/kd_tree.hpp"

#include <algorithm>
#include <limits>
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

/// The leaves that matter to any point of one leaf, found by one descent for all of its points. Their boxes stand face by
/// face, so that a point looks at kLanes of them at once.
class Candidates {
 public:
  /// More leaves than this, and every point descends on its own.
  static constexpr std::int64_t kMost = 512;

  explicit Candidates(std::int64_t d) : d_(d), faces_(static_cast<std::size_t>(2 * d * kMost)) {}

  /// Leaves whose box is within the radii of the box of `leaf`. False: too many.
  bool Collect(const KdTree& tree, std::int64_t leaf, double first, double second, std::int64_t split, bool equal) {
    count_ = 0;
    own_ = tree.box(LeafNode(tree, leaf));
    KdTree::Node stack[kStackSize];
    int height = 0;
    stack[height++] = tree.root();
    while (height > 0) {
      const KdTree::Node node = stack[--height];
      const double* box = tree.box(node);
      if (Beyond(box, first, second, split, equal)) continue;
      if (!node.is_leaf()) {
        stack[height++] = node.right();
        stack[height++] = node.left();
      } else if (node.first_leaf != leaf) {
        if (count_ == kMost) return false;
        Append(box, node.first_leaf);
      }
    }
    for (std::int64_t c = 0; c < d_; ++c)  // no point is near what fills up the last group
      for (std::int64_t at = count_; at % kLanes != 0; ++at) {
        faces_[static_cast<std::size_t>(c * kMost + at)] = std::numeric_limits<double>::infinity();
        faces_[static_cast<std::size_t>((d_ + c) * kMost + at)] = -std::numeric_limits<double>::infinity();
      }
    return true;
  }

  std::int64_t count() const { return count_; }
  std::int64_t leaf(std::int64_t at) const { return leaves_[at]; }
  const double* lower(std::int64_t c) const { return faces_.data() + c * kMost; }
  const double* upper(std::int64_t c) const { return faces_.data() + (d_ + c) * kMost; }

 private:
  static KdTree::Node LeafNode(const KdTree& tree, std::int64_t leaf) {
    KdTree::Node node = tree.root();
    while (!node.is_leaf()) node = leaf < node.right().first_leaf ? node.left() : node.right();
    return node;
  }
  bool Beyond(const double* box, double first, double second, std::int64_t split, bool equal) const {
    for (std::int64_t c = 0; c < d_; ++c) {
      const double radius = c < split ? first : second;
      const double gap = std::max(box[c] - own_[d_ + c], own_[c] - box[d_ + c]);
      if (gap > radius || (HWY_UNLIKELY(!equal) && gap == radius)) return true;
    }
    return false;
  }
  void Append(const double* box, std::int64_t leaf) {
    for (std::int64_t c = 0; c < 2 * d_; ++c) faces_[static_cast<std::size_t>(c * kMost + count_)] = box[c];
    leaves_[count_++] = leaf;
  }

  std::int64_t d_;
  std::int64_t count_ = 0;
  const double* own_ = nullptr;
  std::int64_t leaves_[kMost] = {};
  std::vector<double> faces_;
};

template <int kFixed, class List>
HWY_INLINE void OfferLeaf(const KdTree& tree, const Query& query, std::int64_t leaf, RowRange excluded, List& list) {
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
HWY_INLINE void NearestOf(const KdTree& tree, const Exclusion& exclusion, std::vector<Result>& results, bool equal,
                          std::int64_t begin, std::int64_t end) {
  const std::int64_t d = tree.columns().dimensions();
  std::vector<double> q(static_cast<std::size_t>(d * KdTree::kLeafSize));
  Candidates candidates(d);
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
      bound = std::max(bound, list.threshold());
    }
    const bool together = bound <= std::numeric_limits<double>::max() &&
                          candidates.Collect(tree, leaf, bound, bound, d, equal);
    for (std::int64_t position = first; position < last; ++position) {
      const std::int32_t row = tree.order()[static_cast<std::size_t>(position)];
      const RowRange excluded = exclusion.of(row);
      Result& result = results[static_cast<std::size_t>(position - first)];
      auto& list = result.list();
      const Query query{&tree.columns(), q.data() + d * (position - first)};
      if (together)
        OfferCandidates<kFixed>(tree, query, candidates, excluded, list);
      else
        Descend(tree, query.q, leaf, equal, [&]() HWY_ATTR { return list.threshold(); },
                [&](std::int64_t other) HWY_ATTR { OfferLeaf<kFixed>(tree, query, other, excluded, list); });
      result.take(row);
    }
  }
}

template <class Result>
HWY_INLINE void NearestByDimension(const KdTree& tree, const Exclusion& exclusion, std::vector<Result>& results,
                                   bool equal, std::int64_t begin, std::int64_t end) {
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

HWY_INLINE std::int64_t LeafEnd(const KdTree& tree, std::int64_t leaf) {
  return std::min((leaf + 1) * KdTree::kLeafSize, tree.points());
}

template <int kFixed>
HWY_INLINE Counter CountLeaf(const KdTree& tree, const Query& query, std::int64_t leaf, double first, double second,
                             std::int64_t split, Counter counter) {
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
  KdTree::Node stack[kStackSize];
  int height = 0;
  stack[height++] = tree.root();
  while (height > 0) {
    const KdTree::Node node = stack[--height];
    const Overlap overlap =
        OverlapOf(tree.box(node), query.q, tree.columns().dimensions(), first, second, split, near_edge);
    if (overlap == Overlap::none) continue;
    if (overlap == Overlap::whole) {
      inside += tree.points_of(node);
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
      whole = hn::And(whole, hn::Le(HWY_UNLIKELY(near_edge) ? hn::Min(below, above) : hn::Max(below, above), radius));
    }
    const std::uint32_t touched = BitsOf(some);
    const std::uint32_t covered = BitsOf(whole) & touched;
    for (std::uint32_t bits = touched; bits != 0; bits &= bits - 1) {
      const int lane = std::countr_zero(bits);
      const std::int64_t leaf = candidates.leaf(at + lane);
      if ((covered >> lane & 1) != 0)
        inside += LeafEnd(tree, leaf) - leaf * KdTree::kLeafSize;
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
  const hn::RebindToSigned<Tag> tag;
  std::vector<double> q(static_cast<std::size_t>(d));
  const Query query{&tree.columns(), q.data()};
  Candidates candidates(d);
  for (std::int64_t leaf = begin / KdTree::kLeafSize; leaf * KdTree::kLeafSize < end; ++leaf) {
    double largest_first = 0, largest_second = 0;
    for (std::int64_t position = leaf * KdTree::kLeafSize; position < LeafEnd(tree, leaf); ++position) {
      const std::int32_t row = tree.order()[static_cast<std::size_t>(position)];
      largest_first = std::max(largest_first, radii.first_of(row));
      largest_second = std::max(largest_second, radii.second_of(row));
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
      count = Total(own) + CountCandidates<kFixed>(tree, query, candidates, first, second, radii.split, near_edge);
    }
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
    std::vector<NeighbourResult> results(KdTree::kLeafSize, NeighbourResult(options));
    HWY_DYNAMIC_DISPATCH(TreeNearest)(tree, exclusion, results, begin, end);
  });
}

void nearest_radius(ThreadPool& pool, const KdTree& tree, const Exclusion& exclusion, std::int64_t k, double* radii) {
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
