#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/spatial/columns.hpp"
#include "kernels/spatial/counting.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/spatial/results.hpp"

namespace assay {
class ThreadPool;
}

namespace assay::kernels::spatial {

/// A k-d tree (Bentley 1975; buckets as in Friedman, Bentley, Finkel 1977) whose leaves are searched by
/// vector code. Every node holds the tight box of its points. Pruning compares rounded differences from the
/// box's faces; rounding is monotone, so it never loses a point, nor counts one that is outside.
class KdTree {
 public:
  /// Points of a leaf; all leaves but the last are full.
  static constexpr std::int64_t kLeafSize = 32;

  KdTree(ThreadPool& pool, std::span<const Coordinate> coordinates, std::int64_t n);

  /// A node stands for leaves [first_leaf, first_leaf + leaves). Nodes are numbered in preorder: the left
  /// half of the leaves is node + 1, and a subtree of m leaves has 2 m - 1 nodes.
  struct Node {
    std::int64_t index = 0;
    std::int64_t first_leaf = 0;
    std::int64_t leaves = 0;
    bool is_leaf() const { return leaves == 1; }
    Node left() const { return {index + 1, first_leaf, leaves / 2}; }
    Node right() const { return {index + 2 * (leaves / 2), first_leaf + leaves / 2, leaves - leaves / 2}; }
  };
  Node root() const { return {0, 0, leaves()}; }

  const Columns& columns() const { return columns_; }
  const std::vector<std::int32_t>& order() const { return order_; }
  std::int64_t points() const { return static_cast<std::int64_t>(order_.size()); }
  std::int64_t leaves() const { return (points() + kLeafSize - 1) / kLeafSize; }
  std::int64_t points_of(const Node& node) const {
    return std::min(points(), (node.first_leaf + node.leaves) * kLeafSize) - node.first_leaf * kLeafSize;
  }
  /// d lower faces, then d upper faces.
  const double* box(const Node& node) const { return boxes_.data() + node.index * 2 * columns_.dimensions(); }

 private:
  struct Key {
    double value;
    std::int32_t row;
  };
  void split(std::span<const Coordinate> coordinates, Node node, std::vector<Key>& keys);
  void enclose(Node node);
  double* box_of(const Node& node) { return boxes_.data() + node.index * 2 * columns_.dimensions(); }

  std::vector<std::int32_t> order_;
  Columns columns_;
  std::vector<double> boxes_;
};

/// As those of SortedPoints (sorted_points.hpp).
void nearest(ThreadPool& pool, const KdTree& tree, const Exclusion& exclusion,
             const NeighbourResult::Options& options);
void nearest_radius(ThreadPool& pool, const KdTree& tree, const Exclusion& exclusion, std::int64_t k,
                    double* radii);
void boxes(ThreadPool& pool, const KdTree& tree, const Exclusion& exclusion, const BoxTask& task);
void count(ThreadPool& pool, const KdTree& tree, std::span<const Coordinate> coordinates,
           const Exclusion& exclusion, const Radii& radii, const Counts& counts);

}  // namespace assay::kernels::spatial
