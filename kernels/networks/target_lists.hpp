#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/networks/sorted_column.hpp"
#include "kernels/spatial/exclusion.hpp"

namespace assay {
class ThreadPool;
}

namespace assay::kernels::networks {

/// The points of one target, (y, z) with one column each, in rising order of z: a position names a point
/// here.
struct TargetPoints {
  TargetPoints(const double* y, const double* z, std::int64_t n);

  std::int64_t n;
  SortedColumn sorted_y, sorted_z;
  std::vector<double> y, z;           ///< by position, filled up with NaN to whole vectors
  std::vector<std::int16_t> y_ranks;  ///< by position, less 2^15
  std::int64_t row(std::int64_t position) const {
    return sorted_z.order()[static_cast<std::size_t>(position)];
  }
  std::int64_t position(std::int64_t row) const { return sorted_z.ranks()[static_cast<std::size_t>(row)]; }
};

/// For every point of a target its admissible neighbours by rising distance max(|dy|, |dz|), as far as they
/// fit: all sources of the target walk along the same list.
class TargetLists {
 public:
  /// Entries taken at once by a walk.
  static constexpr std::int64_t kStep = 4;
  /// Entries of a list for n points: what lies within the radius in (y, z) grows as the cube root of n.
  static std::int64_t depth_for(std::int64_t n) { return n <= 2'000 ? 96 : n <= 6'000 ? 160 : 256; }

  /// Of one point. Behind its `size` entries both arrays hold a whole kStep more: infinities, and the point
  /// itself.
  struct List {
    const double* distances;
    const std::uint16_t* positions;
    std::int64_t size;
    double bound;  ///< no admissible neighbour that is not in the list is nearer than this
  };

  TargetLists() = default;
  void assign(ThreadPool& pool, const TargetPoints& points, const spatial::Exclusion& exclusion);

  List of(std::int64_t position) const {
    const auto at = static_cast<std::size_t>(position);
    return {distances_.data() + stride_ * position, positions_.data() + stride_ * position, sizes_[at],
            bounds_[at]};
  }
  std::int64_t depth() const { return depth_; }

  /// What the vector code writes.
  struct Target {
    double* distances;
    std::uint16_t* positions;
    std::int32_t* size;
    double* bound;
  };
  Target writable(std::int64_t position) {
    const auto at = static_cast<std::size_t>(position);
    return {distances_.data() + stride_ * position, positions_.data() + stride_ * position, &sizes_[at],
            &bounds_[at]};
  }

 private:
  std::int64_t depth_ = 0, stride_ = 0;
  std::vector<double> distances_, bounds_;
  std::vector<std::uint16_t> positions_;
  std::vector<std::int32_t> sizes_;
};

}  // namespace assay::kernels::networks
