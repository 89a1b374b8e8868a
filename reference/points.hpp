#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "engine/arguments.hpp"

namespace assay::reference {

/// Points as a matrix, one row a point: (n, d).
using Points = Eigen::MatrixXd;

/// A rank-2 f64 tensor as a matrix; a rank-1 tensor as one column.
inline Points points_of(const ConstTensorView& view) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto rows = static_cast<Eigen::Index>(view.extent(0));
  const auto columns = static_cast<Eigen::Index>(view.rank() > 1 ? view.extent(1) : 1);
  if (rows == 0 || columns == 0) return Points(rows, columns);
  return Eigen::Map<const RowMajor>(view.as<double>().data(), rows, columns);
}

/// Maximum-norm distances from point i to all points: (n). Over no columns every distance is 0.
inline Eigen::VectorXd distances_from(const Points& points, Eigen::Index i) {
  Eigen::VectorXd distances = Eigen::VectorXd::Zero(points.rows());
  for (Eigen::Index c = 0; c < points.cols(); ++c)
    distances = distances.cwiseMax((points.col(c).array() - points(i, c)).abs().matrix());
  return distances;
}

/// Which pairs of points may see each other: not a point and itself, nor rows of one trial at most `window`
/// apart (Theiler 1986, PRA 34, 2427).
class Admissible {
 public:
  Admissible(const Arguments& arguments, Eigen::Index n) : window_(arguments.integer("theiler_window")) {
    if (arguments.has("trial_lengths")) {
      std::int64_t number = 0;
      for (const std::int64_t length : arguments.input("trial_lengths").as<std::int64_t>()) {
        trial_.insert(trial_.end(), static_cast<std::size_t>(length), number);
        ++number;
      }
    } else {
      trial_.assign(static_cast<std::size_t>(n), 0);
    }
  }
  bool operator()(Eigen::Index i, Eigen::Index j) const {
    if (i == j) return false;
    const bool same_trial = trial_[static_cast<std::size_t>(i)] == trial_[static_cast<std::size_t>(j)];
    const std::int64_t apart = i < j ? j - i : i - j;
    return !(same_trial && apart <= window_);
  }
  /// Maximum-norm distances from point i to all that it may see, in order. The others stand together around
  /// i.
  void distances_from(const Points& points, Eigen::Index i, Eigen::ArrayXd& distances) const {
    Eigen::Index before = i, after = points.rows() - 1 - i;
    while (before > 0 && !(*this)(i, before - 1)) --before;
    while (after > 0 && !(*this)(i, points.rows() - after)) --after;
    distances.setZero(before + after);
    for (Eigen::Index c = 0; c < points.cols(); ++c) {
      const auto all = (points.col(c).array() - points(i, c)).abs();
      distances.head(before) = distances.head(before).max(all.head(before));
      distances.tail(after) = distances.tail(after).max(all.tail(after));
    }
  }

 private:
  std::int64_t window_;
  std::vector<std::int64_t> trial_;  ///< number of the trial of each point
};

}  // namespace assay::reference
