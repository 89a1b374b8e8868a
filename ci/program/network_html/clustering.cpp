#include "ci/program/network_html/clustering.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace assay::program::network_html {
namespace {

/// A symmetric matrix without its diagonal.
class Similarities {
 public:
  Similarities(std::size_t count, const std::function<float(std::size_t, std::size_t)>& of)
      : count_(count), values_(count * (count - 1) / 2) {
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = i + 1; j < count; ++j) at(i, j) = of(i, j);
  }
  float& at(std::size_t i, std::size_t j) {
    if (i > j) std::swap(i, j);
    return values_[i * (2 * count_ - i - 1) / 2 + (j - i - 1)];
  }

 private:
  std::size_t count_;
  std::vector<float> values_;
};

/// The chain of nearest neighbours: each the most similar to the one before, until two have each other.
class Linkage {
 public:
  Linkage(std::size_t count, const std::function<float(std::size_t, std::size_t)>& similarity)
      : similarities_(count, similarity), active_(count), node_(count), size_(count, 1), count_(count) {
    std::iota(active_.begin(), active_.end(), std::size_t{0});
    node_ = active_;
  }

  std::vector<Merge> merges() {
    while (active_.size() > 1) {
      if (chain_.empty()) chain_.push_back(active_.front());
      const std::size_t last = chain_.back();
      std::optional<std::size_t> before;
      if (chain_.size() > 1) before = chain_[chain_.size() - 2];
      const std::size_t nearest = nearest_of(last, before);
      if (nearest == before) {
        chain_.resize(chain_.size() - 2);
        join(std::min(last, nearest), std::max(last, nearest));
      } else {
        chain_.push_back(nearest);
      }
    }
    return std::move(merges_);
  }

 private:
  std::size_t nearest_of(std::size_t one, const std::optional<std::size_t>& before) {
    // Among equals the one before: else the chain could run in a circle.
    std::size_t best = before.value_or(active_.front() == one ? active_[1] : active_.front());
    float most = similarities_.at(one, best);
    for (const std::size_t other : active_) {
      if (other == one) continue;
      const float value = similarities_.at(one, other);
      if (value > most) {
        most = value;
        best = other;
      }
    }
    return best;
  }

  void join(std::size_t kept, std::size_t gone) {
    merges_.push_back({node_[kept], node_[gone], similarities_.at(kept, gone)});
    active_.erase(std::lower_bound(active_.begin(), active_.end(), gone));
    const auto a = static_cast<float>(size_[kept]), b = static_cast<float>(size_[gone]);
    for (const std::size_t other : active_) {
      if (other == kept) continue;
      float& value = similarities_.at(kept, other);
      const auto [low, high] = std::minmax(value, similarities_.at(gone, other));
      // A mean that rounding moved past both of its parts could break the chain.
      value = std::clamp((a * value + b * similarities_.at(gone, other)) / (a + b), float(low), float(high));
    }
    size_[kept] += size_[gone];
    node_[kept] = count_ + merges_.size() - 1;
  }

  Similarities similarities_;
  std::vector<std::size_t> active_;  // rising
  std::vector<std::size_t> node_;    // by slot: the number of the cluster in it
  std::vector<std::size_t> size_;
  std::vector<std::size_t> chain_;
  std::vector<Merge> merges_;
  std::size_t count_;
};

using Leaves = std::vector<std::size_t>;

Leaves laid_together(Leaves left, Leaves right,
                     const std::function<float(std::size_t, std::size_t)>& similarity) {
  const float ways[4] = {similarity(left.back(), right.front()), similarity(left.back(), right.back()),
                         similarity(left.front(), right.front()), similarity(left.front(), right.back())};
  const auto best = std::max_element(std::begin(ways), std::end(ways)) - std::begin(ways);
  if (best >= 2) std::reverse(left.begin(), left.end());
  if (best % 2 == 1) std::reverse(right.begin(), right.end());
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace

Clustering average_linkage(std::size_t count,
                           const std::function<float(std::size_t, std::size_t)>& similarity) {
  Clustering made;
  if (count == 0) return made;
  if (count > 1) made.merges = Linkage(count, similarity).merges();
  std::vector<Leaves> clusters(count);
  for (std::size_t i = 0; i < count; ++i) clusters[i] = {i};
  for (const Merge& merge : made.merges) {
    clusters.push_back(
        laid_together(std::move(clusters[merge.first]), std::move(clusters[merge.second]), similarity));
  }
  made.order = std::move(clusters.back());
  return made;
}

}  // namespace assay::program::network_html
