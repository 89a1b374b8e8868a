#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <vector>

namespace assay::analysis {

/// One number for every pair: row the source, column the target. Empty where it was not asked for.
template <typename T>
class PairMatrix {
 public:
  PairMatrix() = default;
  PairMatrix(std::size_t sources, std::size_t targets, T value)
      : sources_(sources), targets_(targets), cells_(sources * targets, value) {}

  bool empty() const { return cells_.empty(); }
  std::size_t sources() const { return sources_; }
  std::size_t targets() const { return targets_; }
  T& operator()(std::size_t source, std::size_t target) { return cells_[source * targets_ + target]; }
  const T& operator()(std::size_t source, std::size_t target) const {
    return cells_[source * targets_ + target];
  }
  /// Checked. Throws std::out_of_range, for an empty matrix too.
  const T& at(std::size_t source, std::size_t target) const {
    if (source >= sources_ || target >= targets_) throw std::out_of_range("PairMatrix: no such pair");
    return (*this)(source, target);
  }
  std::span<T> cells() { return cells_; }
  std::span<const T> cells() const { return cells_; }
  std::span<const T> row(std::size_t source) const {
    return std::span<const T>(cells_).subspan(source * targets_, targets_);
  }

 private:
  std::size_t sources_ = 0, targets_ = 0;
  std::vector<T> cells_;
};

}  // namespace assay::analysis
