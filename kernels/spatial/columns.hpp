#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tensors/tensor.hpp"
#include "kernels/spatial/rows.hpp"

namespace assay::kernels::spatial {

/// One coordinate of the points, as the caller holds it: element i is data[i * stride].
struct Coordinate {
  const double* data = nullptr;
  std::int64_t stride = 1;
  double operator()(std::int64_t i) const { return data[i * stride]; }
};

/// The coordinates of points that are held in several matrices: the joint space of x, y and z.
std::vector<Coordinate> coordinates(std::initializer_list<Rows> parts);

/// Points column by column in an order of one's choice, 64-byte aligned. Each column is filled up with NaN to
/// a multiple of the widest step of a loop, so that a padded lane fails every comparison and no loop needs a
/// tail.
class Columns {
 public:
  static constexpr std::int64_t kPadding = 32;  // doubles

  Columns() = default;
  /// order[position] is the row that stands there.
  Columns(std::span<const Coordinate> coordinates, std::span<const std::int32_t> order);

  /// Replaces columns [first, first + coordinates.size()), same order.
  void assign(std::int64_t first, std::span<const Coordinate> coordinates,
              std::span<const std::int32_t> order);

  std::int64_t points() const { return n_; }
  std::int64_t dimensions() const { return d_; }
  const double* column(std::int64_t c) const { return values_ + c * stride_; }

 private:
  std::int64_t n_ = 0;
  std::int64_t d_ = 0;
  std::int64_t stride_ = 0;
  Tensor memory_;
  double* values_ = nullptr;
};

/// Rows in rising order of one coordinate; equal values by rising row. A radix sort: linear time.
std::vector<std::int32_t> sorted_order(Coordinate coordinate, std::int64_t n);

/// The coordinate (of those from `first` to `last`) along which a window of fixed width holds the fewest
/// points: the one with the widest middle half, estimated from at most 1,024 rows.
std::int64_t widest_coordinate(std::span<const Coordinate> coordinates, std::int64_t n, std::int64_t first,
                               std::int64_t last);

}  // namespace assay::kernels::spatial
