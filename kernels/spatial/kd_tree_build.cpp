#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/runtime/thread_pool.hpp"
#include "kernels/spatial/kd_tree.hpp"

namespace assay::kernels::spatial {

namespace {

/// The coordinate that spreads most over 16 of the rows.
std::size_t splitting_coordinate(std::span<const Coordinate> coordinates, std::span<const std::int32_t> rows) {
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

/// Nodes of this many leaves are split by one worker each.
constexpr std::int64_t kLeavesOfATask = 64;

}  // namespace

KdTree::KdTree(ThreadPool& pool, std::span<const Coordinate> coordinates, std::int64_t n)
    : order_(static_cast<std::size_t>(n)) {
  std::iota(order_.begin(), order_.end(), 0);
  std::vector<Node> large{root()};
  std::vector<Node> tasks;
  std::vector<std::pair<double, std::int32_t>> keys;
  while (!large.empty()) {  // the upper levels, until the pieces are many
    const Node node = large.back();
    large.pop_back();
    if (node.leaves <= kLeavesOfATask) {
      tasks.push_back(node);
      continue;
    }
    split(coordinates, node, keys);
    large.push_back(node.right());
    large.push_back(node.left());
  }
  pool.parallel_for(static_cast<std::int64_t>(tasks.size()), 1, [&](std::int64_t begin, std::int64_t, unsigned) {
    std::vector<Node> stack{tasks[static_cast<std::size_t>(begin)]};
    std::vector<std::pair<double, std::int32_t>> own_keys;
    while (!stack.empty()) {
      const Node node = stack.back();
      stack.pop_back();
      if (node.leaves < 2) continue;
      split(coordinates, node, own_keys);
      stack.push_back(node.right());
      stack.push_back(node.left());
    }
  });
  columns_ = Columns(coordinates, order_);
  boxes_.resize(static_cast<std::size_t>((2 * leaves() - 1) * 2 * columns_.dimensions()));
  enclose(root());
}

void KdTree::split(std::span<const Coordinate> coordinates, Node node,
                   std::vector<std::pair<double, std::int32_t>>& keys) {
  const std::span<std::int32_t> rows(order_.data() + node.first_leaf * kLeafSize,
                                     static_cast<std::size_t>(points_of(node)));
  const Coordinate& coordinate = coordinates[splitting_coordinate(coordinates, rows)];
  keys.clear();
  for (const std::int32_t row : rows) keys.emplace_back(coordinate(row), row);
  const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(points_of(node.left()));
  std::nth_element(keys.begin(), middle, keys.end());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = keys[i].second;
}

void KdTree::enclose(Node node) {
  const std::int64_t d = columns_.dimensions();
  double* box = box_of(node);
  if (!node.is_leaf()) {
    enclose(node.left());
    enclose(node.right());
    const double* left = box_of(node.left());
    const double* right = box_of(node.right());
    for (std::int64_t c = 0; c < d; ++c) {
      box[c] = std::min(left[c], right[c]);
      box[d + c] = std::max(left[d + c], right[d + c]);
    }
    return;
  }
  const std::int64_t first = node.first_leaf * kLeafSize;
  for (std::int64_t c = 0; c < d; ++c) {
    const auto [low, high] = std::minmax_element(columns_.column(c) + first, columns_.column(c) + first + points_of(node));
    box[c] = *low;
    box[d + c] = *high;
  }
}

}  // namespace assay::kernels::spatial
