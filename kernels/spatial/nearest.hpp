#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::spatial {

/// Up to this k the best are kept sorted, beyond it in a heap.
inline constexpr std::size_t kSortedListSize = 32;

/// The largest double below a distance (a number that is not negative): what is not above it is below the
/// distance.
inline double just_below(double distance) {
  if (distance == 0.0) return -std::numeric_limits<double>::denorm_min();
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(distance) - 1);
}

/// The k smallest of the distances that are offered: all that a radius needs. At first it holds infinities.
class SmallestDistances {
 public:
  explicit SmallestDistances(std::int64_t k) : values_(static_cast<std::size_t>(k)) { clear(); }

  void clear() {
    std::fill(values_.begin(), values_.end(), std::numeric_limits<double>::infinity());
    threshold_ = std::numeric_limits<double>::infinity();
  }
  /// A distance above this changes nothing.
  double threshold() const { return threshold_; }
  /// The k-th smallest.
  double largest() const {
    const bool last = values_.size() <= kSortedListSize || mutant("te.ksg.heap_ends_with_largest");
    return last ? values_.back() : values_.front();
  }

  /// Precondition: distance <= threshold().
  void offer(double distance, std::int64_t) {
    if (values_.size() <= kSortedListSize) {
      for (double& value : values_) {  // carries the larger on: no branch
        const double larger = std::max(value, distance);
        value = std::min(value, distance);
        distance = larger;
      }
    } else {
      std::pop_heap(values_.begin(), values_.end());
      values_.back() = distance;
      std::push_heap(values_.begin(), values_.end());
    }
    threshold_ = just_below(largest());
  }

 private:
  std::vector<double> values_;
  double threshold_ = 0;
};

/// The k nearest by (distance, row).
class NearestNeighbours {
 public:
  using Neighbour = std::pair<double, std::int64_t>;

  /// `by_larger_row`: a planted fault, the order of ties turned round.
  NearestNeighbours(std::int64_t k, bool by_larger_row) : k_(k), sign_(by_larger_row ? -1 : 1) {
    values_.reserve(static_cast<std::size_t>(k));
  }

  void clear() {
    values_.clear();
    threshold_ = std::numeric_limits<double>::infinity();
  }
  double threshold() const { return threshold_; }

  /// Precondition: distance <= threshold().
  void offer(double distance, std::int64_t row) {
    const Neighbour neighbour{distance, sign_ * row};
    const bool full = static_cast<std::int64_t>(values_.size()) == k_;
    const bool sorted = static_cast<std::size_t>(k_) <= kSortedListSize;
    const bool last = sorted || mutant("te.knn.heap_ends_with_largest");
    if (full && !(neighbour < (last ? values_.back() : values_.front()))) return;
    if (sorted) {
      if (!full) values_.push_back(neighbour);
      std::size_t at = values_.size() - 1;
      for (; at > 0 && neighbour < values_[at - 1]; --at) values_[at] = values_[at - 1];
      values_[at] = neighbour;
    } else {
      if (full) {
        std::pop_heap(values_.begin(), values_.end());
        values_.back() = neighbour;
      } else {
        values_.push_back(neighbour);
      }
      std::push_heap(values_.begin(), values_.end());
    }
    if (static_cast<std::int64_t>(values_.size()) == k_)
      threshold_ = (sorted ? values_.back() : values_.front()).first;
  }

  /// Sorts and writes them, leaving out the first `skip`; to be cleared before it is used again.
  void write(std::int64_t skip, double* distances, std::int64_t* rows) {
    if (static_cast<std::size_t>(k_) > kSortedListSize) std::sort_heap(values_.begin(), values_.end());
    for (auto at = static_cast<std::size_t>(skip); at < values_.size(); ++at) {
      *distances++ = values_[at].first;
      *rows++ = sign_ * values_[at].second;
    }
  }

 private:
  std::int64_t k_;
  std::int64_t sign_;
  double threshold_ = std::numeric_limits<double>::infinity();
  std::vector<Neighbour> values_;
};

}  // namespace assay::kernels::spatial
