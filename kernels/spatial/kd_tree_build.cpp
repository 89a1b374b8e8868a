#include <algorithm>
#include <limits>
#include <numeric>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "kernels/spatial/kd_tree.hpp"

namespace assay::kernels::spatial {

namespace {

/// The coordinate that spreads most over 16 of the rows.
std::size_t splitting_coordinate(std::span<const Coordinate> coordinates,
                                 std::span<const std::int32_t> rows) {
  if (coordinates.size() == 1) return 0;
  constexpr std::size_t kSample = 16;
  const std::size_t step = std::max<std::size_t>(rows.size() / kSample, 1);
  std::size_t widest = 0;
  double widest_spread = -1;
  for (std::size_t c = 0; c < coordinates.size(); ++c) {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (std::size_t i = 0; i < rows.size(); i += step) {
      const double value = coordinates[c](rows[i]);
      low = std::min(low, value);
      high = std::max(high, value);
    }
    if (high - low > widest_spread) {
      widest_spread = high - low;
      widest = c;
    }
  }
  return widest;
}

}  // namespace

KdTree::KdTree(ThreadPool& pool, std::span<const Coordinate> coordinates, std::int64_t n)
    : order_(static_cast<std::size_t>(n)) {
  std::iota(order_.begin(), order_.end(), 0);
  // level by level: the nodes of one level have nothing in common
  std::vector<Node> level{root()};
  std::vector<std::vector<Key>> keys(pool.threads());
  while (!level.empty()) {
    std::vector<Node> next;
    for (const Node& node : level)
      if (!node.is_leaf()) {
        next.push_back(node.left());
        next.push_back(node.right());
      }
    const auto nodes = static_cast<std::int64_t>(level.size());
    pool.parallel_for(nodes, std::max<std::int64_t>(nodes / 64, 1),
                      [&](std::int64_t begin, std::int64_t end, unsigned worker) {
                        for (std::int64_t at = begin; at < end; ++at)
                          if (const Node& node = level[static_cast<std::size_t>(at)]; !node.is_leaf())
                            split(coordinates, node, keys[worker]);
                      });
    level.swap(next);
  }
  columns_ = Columns(coordinates, order_);
  boxes_.resize(static_cast<std::size_t>((2 * leaves() - 1) * 2 * columns_.dimensions()));
  enclose(root());
}

void KdTree::split(std::span<const Coordinate> coordinates, Node node, std::vector<Key>& keys) {
  const std::span<std::int32_t> rows(order_.data() + node.first_leaf * kLeafSize,
                                     static_cast<std::size_t>(points_of(node)));
  const Coordinate& coordinate = coordinates[splitting_coordinate(coordinates, rows)];
  keys.clear();
  for (const std::int32_t row : rows) keys.push_back({coordinate(row), row});
  const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(points_of(node.left()));
  std::nth_element(keys.begin(), middle, keys.end(),
                   [](const Key& a, const Key& b) { return a.value < b.value; });
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = keys[i].row;
}

void KdTree::enclose(Node node) {
  const std::int64_t d = columns_.dimensions();
  double* box = box_of(node);
  if (!node.is_leaf()) {
    enclose(node.left());
    enclose(node.right());
    const double* left = box_of(node.left());
    const double* right = mutant("te.range_count.tree_box_of_left_half") ? left : box_of(node.right());
    for (std::int64_t c = 0; c < d; ++c) {
      box[c] = std::min(left[c], right[c]);
      box[d + c] = std::max(left[d + c], right[d + c]);
    }
    return;
  }
  const std::int64_t first = node.first_leaf * kLeafSize;
  const std::int64_t lost = points_of(node) > 1 && mutant("te.knn.tree_box_loses_last") ? 1 : 0;
  for (std::int64_t c = 0; c < d; ++c) {
    const auto [low, high] =
        std::minmax_element(columns_.column(c) + first, columns_.column(c) + first + points_of(node) - lost);
    box[c] = *low;
    box[d + c] = *high;
  }
}

}  // namespace assay::kernels::spatial
