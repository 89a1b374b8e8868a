#include "kernels/networks/sorted_column.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace assay::kernels::networks {

SortedColumn::SortedColumn(spatial::Coordinate coordinate, std::int64_t n)
    : n_(n), order_(spatial::sorted_order(coordinate, n)), ranks_(static_cast<std::size_t>(n)) {
  const auto size = static_cast<std::size_t>(n);
  values_.reserve(size);
  for (std::size_t at = 0; at < size; ++at) {
    values_.push_back(coordinate(order_[at]));
    ranks_[static_cast<std::size_t>(order_[at])] = static_cast<std::uint16_t>(at);
  }

  // two cells a value; one in all where the range is none or its cells have no width in double
  auto cells = static_cast<std::int64_t>(std::bit_ceil(2 * size));
  const double range = values_.back() - values_.front();
  low_ = values_.front();
  scale_ = static_cast<double>(cells) / range;
  if (!std::isfinite(range) || !std::isfinite(scale_) || scale_ == 0.0) {
    cells = 1;
    scale_ = 0;
  }
  last_cell_ = static_cast<double>(cells - 1);
  std::vector<std::int32_t> counts(static_cast<std::size_t>(cells), 0);
  for (const double value : values_) ++counts[static_cast<std::size_t>(cell_of(value))];
  starts_.reserve(counts.size());
  std::int32_t start = 0;
  for (const std::int32_t count : counts) {
    starts_.push_back(static_cast<std::uint16_t>(start));
    start += count;
    largest_cell_ = std::max(largest_cell_, count);
  }
  first_step_ = static_cast<std::int32_t>(std::bit_floor(static_cast<std::uint32_t>(largest_cell_)));
  // bisections and vectors may look beyond the last value
  constexpr std::size_t kPadding = 64;
  values_.insert(values_.end(), 2 * static_cast<std::size_t>(first_step_) + kPadding,
                 std::numeric_limits<double>::infinity());
}

std::int32_t SortedColumn::bisect_left(double value, double eps) const {
  const auto end = values_.begin() + n_;
  return static_cast<std::int32_t>(
      std::partition_point(values_.begin(), end, [=](double other) { return value - other >= eps; }) -
      values_.begin());
}

std::int32_t SortedColumn::bisect_right(double value, double eps) const {
  const auto end = values_.begin() + n_;
  return static_cast<std::int32_t>(
      std::partition_point(values_.begin(), end, [=](double other) { return other - value < eps; }) -
      values_.begin());
}

}  // namespace assay::kernels::networks
