#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "kernels/spatial/columns.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/spatial/nearest.hpp"

namespace assay::kernels::spatial {

/// The radius within which a strict count with this radius is a count with <=.
inline double closed_radius(double radius, bool strict) {
  return strict ? just_below(radius) : radius;
}

/// Radii of every point for a count with <=: columns before `split` are held to data[row * stride + first],
/// the others to data[row * stride + second].
struct Radii {
  const double* data = nullptr;
  std::int64_t stride = 1;
  std::int64_t first = 0;
  std::int64_t second = 0;
  std::int64_t split = 0;

  double first_of(std::int64_t row) const { return data[row * stride + first]; }
  double second_of(std::int64_t row) const { return data[row * stride + second]; }
};

/// Where a count goes: data[row * stride].
struct Counts {
  std::int64_t* data = nullptr;
  std::int64_t stride = 1;
};

/// Whether row j lies within the radii of row i.
inline bool within(std::span<const Coordinate> coordinates, const Radii& radii, std::int64_t i,
                   std::int64_t j) {
  const double first = radii.first_of(i);
  const double second = radii.second_of(i);
  for (std::size_t c = 0; c < coordinates.size(); ++c)
    if (!(std::fabs(coordinates[c](j) - coordinates[c](i)) <=
          (static_cast<std::int64_t>(c) < radii.split ? first : second)))
      return false;
  return true;
}

/// How many of the rows that are no neighbours of `row` lie within its radii: a count over all points has
/// them too many.
inline std::int64_t excluded_within(std::span<const Coordinate> coordinates, const Radii& radii,
                                    const Exclusion& exclusion, std::int64_t row) {
  const RowRange range = exclusion.of(row);
  if (exclusion.faults().subtract_always) return range.size();
  std::int64_t count = 0;
  for (std::int64_t other = range.begin; other < range.end; ++other)
    count += within(coordinates, radii, row, other);
  return count;
}

}  // namespace assay::kernels::spatial
