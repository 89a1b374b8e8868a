#pragma once

#include <cstdint>

#include "kernels/spatial/nearest.hpp"

namespace assay::kernels::spatial {

/// Takes the radius of a point's k nearest neighbours: data[3 * row + part] for the three parts of the joint
/// space.
class RadiusResult {
 public:
  RadiusResult(std::int64_t k, double* radii) : list_(k), radii_(radii) {}

  SmallestDistances& list() { return list_; }
  void take(std::int64_t row) {
    radii_[3 * row] = radii_[3 * row + 1] = radii_[3 * row + 2] = list_.largest();
  }

 private:
  SmallestDistances list_;
  double* radii_;
};

/// Takes a point's k nearest neighbours: distances and rows at [row * k, row * k + k).
class NeighbourResult {
 public:
  struct Options {
    std::int64_t k = 1;
    std::int64_t skip = 0;       ///< leave out this many of the nearest: a planted fault
    bool by_larger_row = false;  ///< turn the order of ties round: a planted fault
    double* distances = nullptr;
    std::int64_t* rows = nullptr;
  };
  explicit NeighbourResult(const Options& options)
      : options_(options), list_(options.k + options.skip, options.by_larger_row) {}

  NearestNeighbours& list() { return list_; }
  void take(std::int64_t row) {
    list_.write(options_.skip, options_.distances + row * options_.k, options_.rows + row * options_.k);
  }

 private:
  Options options_;
  NearestNeighbours list_;
};

/// The joint space of x, y and z and what algorithm 2 asks of it: radii holds eps three times for every row
/// on entry, and eps_x, eps_y, eps_z on return.
struct BoxTask {
  std::int64_t k = 1;
  std::int64_t ends[3] = {0, 0, 0};  ///< columns of x, then y, then z end here
  bool open_ball = false;            ///< leave out what lies at eps: a planted fault
  double* radii = nullptr;
};

}  // namespace assay::kernels::spatial
