#pragma once

#include <cstdint>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "kernels/spatial/columns.hpp"

namespace assay::kernels::networks {

/// Positions [first, last) in rising order; empty where last <= first.
struct Interval {
  std::int32_t first = 0;
  std::int32_t last = 0;
};

/// One coordinate of n points in rising order, and a table that says where in it a value stands: cells of
/// equal width, each with the position of its first value, so that a bound is found by bisection of one cell.
class SortedColumn {
 public:
  /// Up to this many values: positions are kept in 16 bits.
  static constexpr std::int64_t kMostValues = 65'535;

  SortedColumn(spatial::Coordinate coordinate, std::int64_t n);

  std::int64_t size() const { return n_; }
  /// Rising; followed by infinities.
  const double* values() const { return values_.data(); }
  /// The row that stands at each position.
  const std::vector<std::int32_t>& order() const { return order_; }
  /// The position of each row.
  const std::vector<std::uint16_t>& ranks() const { return ranks_; }

  /// The values v with |v - value| < eps, the difference rounded once; `value` is one of the column's, eps >
  /// 0. `scan` does the same with vectors where cells are small (lane_block.cpp).
  Interval within(double value, double eps) const {
    return checked({left_of(value, eps), right_of(value, eps)}, value, eps);
  }
  /// The position of the first value in the cell of `value`. No value before the cell of fl(value - eps) and
  /// none behind that of fl(value + eps) is within eps of `value`: fl(v - eps) is the double nearest to v -
  /// eps, so what lies beyond it differs by at least eps.
  std::int32_t start_of(double value) const { return starts_[static_cast<std::size_t>(cell_of(value))]; }
  /// The most values that a cell holds. As many infinities and more follow the last value.
  std::int32_t largest_cell() const { return largest_cell_; }
  /// An interval whose ends were looked for in the cells of fl(value -+ eps) alone. On the near sides of
  /// those cells a difference may be rounded across the radius, seldom enough for a bisection of all values.
  Interval checked(Interval found, double value, double eps) const {
    if (mutant("te.network.interval_unchecked")) return found;
    if (outside_left(found.first, value, eps)) found.first = bisect_left(value, eps);
    if (!inside_right(found.last - 1, value, eps)) found.last = bisect_right(value, eps);
    return found;
  }

 private:
  bool outside_left(std::int32_t at, double value, double eps) const {
    return value - values_[static_cast<std::size_t>(at)] >= eps;
  }
  bool inside_right(std::int32_t at, double value, double eps) const {
    return values_[static_cast<std::size_t>(at)] - value < eps;
  }

  std::int32_t cell_of(double value) const {
    double cell = (value - low_) * scale_;
    cell = cell > 0 ? cell : 0;  // what is not a number too
    cell = cell < last_cell_ ? cell : last_cell_;
    return static_cast<std::int32_t>(cell);
  }
  std::int32_t left_of(double value, double eps) const {
    std::int32_t at = start_of(value - eps);
    for (std::int32_t step = first_step_; step > 0; step >>= 1)
      at += step & -static_cast<std::int32_t>(outside_left(at + step - 1, value, eps));
    return at;
  }
  std::int32_t right_of(double value, double eps) const {
    std::int32_t at = start_of(value + eps);
    for (std::int32_t step = first_step_; step > 0; step >>= 1)
      at += step & -static_cast<std::int32_t>(inside_right(at + step - 1, value, eps));
    return at;
  }
  std::int32_t bisect_left(double value, double eps) const;
  std::int32_t bisect_right(double value, double eps) const;

  // what `within` reads comes first, side by side
  double low_ = 0, scale_ = 0, last_cell_ = 0;
  std::int32_t largest_cell_ = 0;
  std::int32_t first_step_ = 1;  ///< half of the smallest power of two above the values of any cell
  std::vector<double> values_;
  std::vector<std::uint16_t> starts_;
  std::int64_t n_;
  std::vector<std::int32_t> order_;
  std::vector<std::uint16_t> ranks_;
};

}  // namespace assay::kernels::networks
