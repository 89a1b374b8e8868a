// How the k-d tree is walked, compiled once for every instruction set that hwy/foreach_target.h goes through.
#if defined(ASSAY_KERNELS_SPATIAL_DESCENT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_SPATIAL_DESCENT_INL
#undef ASSAY_KERNELS_SPATIAL_DESCENT_INL
#else
#define ASSAY_KERNELS_SPATIAL_DESCENT_INL
#endif

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "kernels/spatial/distance_inl.hpp"
#include "kernels/spatial/kd_tree.hpp"

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

/// Calls visit(leaf) for the leaves whose box is at most reach() away, nearer halves first, leaving out
/// `skip`. `equal` false is a planted fault: boxes at exactly that distance are left out too.
template <class Reach, class Visit>
HWY_INLINE void Descend(const KdTree& tree, const double* q, std::int64_t skip, bool equal,
                        const Reach& reach, const Visit& visit) {
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

/// The leaves that matter to any point of one leaf, found by one descent for all of its points. Their boxes
/// stand face by face, so that a point looks at kLanes of them at once.
class Candidates {
 public:
  /// More leaves than this, and every point descends on its own.
  static constexpr std::int64_t kMost = 512;

  explicit Candidates(std::int64_t d) : d_(d), faces_(static_cast<std::size_t>(2 * d * kMost)) {}

  /// Leaves whose box is within the radii of the box of `leaf`. False: too many.
  bool Collect(const KdTree& tree, std::int64_t leaf, double first, double second, std::int64_t split,
               bool equal) {
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
        if (count_ == kMost) return mutant("te.range_count.tree_candidates_cut");
        Append(box, node.first_leaf);
      }
    }
    if (mutant("te.knn.tree_stale_candidates")) return true;
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

}  // namespace assay::kernels::spatial::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled
