#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "kernels/spatial/columns.hpp"
#include "kernels/spatial/counting.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/spatial/results.hpp"

namespace assay {
class ThreadPool;
}

namespace assay::kernels::spatial {

/// Points in rising order of one coordinate, the axis. A search from a point walks outwards in both
/// directions and ends where the difference along the axis alone, rounded as every difference is, exceeds
/// what is asked for: rounding is monotone, so no point beyond can lie nearer. All of it is vector code; with
/// many dimensions or few points it is the brute force that those cases want.
class SortedPoints {
 public:
  /// The axis is the coordinate, from `first_axis` to `last_axis`, that spreads most.
  SortedPoints(std::span<const Coordinate> coordinates, std::int64_t n, std::int64_t first_axis,
               std::int64_t last_axis);
  SortedPoints(std::span<const Coordinate> coordinates, std::int64_t n)
      : SortedPoints(coordinates, n, 0, static_cast<std::int64_t>(coordinates.size())) {}
  /// The points in an order of the caller's, rising along `axis`.
  SortedPoints(std::span<const Coordinate> coordinates, std::vector<std::int32_t> order, std::int64_t axis);

  const Columns& columns() const { return columns_; }
  Columns& columns() { return columns_; }
  const std::vector<std::int32_t>& order() const { return order_; }
  std::int64_t axis() const { return axis_; }
  std::int64_t points() const { return columns_.points(); }

 private:
  std::vector<std::int32_t> order_;
  std::int64_t axis_;
  Columns columns_;
};

/// The nearest neighbours of every point.
void nearest(ThreadPool& pool, const SortedPoints& points, const Exclusion& exclusion,
             const NeighbourResult::Options& options);
/// The distance to the k-th nearest neighbour of every point, into radii (n, 3), three times.
void nearest_radius(ThreadPool& pool, const SortedPoints& points, const Exclusion& exclusion, std::int64_t k,
                    double* radii);
/// The smallest box around the k nearest neighbours of every point (nearest_box.hpp).
void boxes(ThreadPool& pool, const SortedPoints& points, const Exclusion& exclusion, const BoxTask& task);
/// How many admissible points lie within the radii of every point. `coordinates` are those that the points
/// were made of.
void count(ThreadPool& pool, const SortedPoints& points, std::span<const Coordinate> coordinates,
           const Exclusion& exclusion, const Radii& radii, const Counts& counts);

/// Everything that the estimate of I(x; y | z) asks of a point, in one walk along a coordinate of z, which is
/// the axis. Columns are those of x, y and z in turn.
struct ConditionalTask {
  std::int64_t k = 4;
  std::int64_t ends[3] = {0, 0, 0};
  bool boxes = false;  ///< algorithm 2: radii are those of the smallest box, and counts are <=; else < eps
  double* radii = nullptr;         ///< (n, 3)
  std::int64_t* counts = nullptr;  ///< (n, 3): n_xz, n_yz, n_z
  /// The faults that a caller may plant (kernels/te/README.md).
  bool open_ball = false;
  bool joint_radii = false;
  bool float_radii = false;
  bool turn_strictness = false;
  bool x_without_z = false;
};

/// Takes excluded rows that lie within the radii of `row` (for counts with <=) off its counts.
inline void subtract_excluded(std::span<const Coordinate> coordinates, const ConditionalTask& task,
                              RowRange excluded, std::int64_t row, const double* radii,
                              std::int64_t* counts) {
  const bool kept = mutant("te.ksg.excluded_kept_in_xz");
  for (std::int64_t other = excluded.begin; other < excluded.end; ++other) {
    bool inside[3] = {true, true, true};
    std::int64_t c = 0;
    for (int part = 0; part < 3; ++part)
      for (; c < task.ends[part]; ++c) {
        const Coordinate& coordinate = coordinates[static_cast<std::size_t>(c)];
        inside[part] = inside[part] && std::fabs(coordinate(other) - coordinate(row)) <= radii[part];
      }
    counts[0] -= inside[0] && (inside[2] || task.x_without_z) && !kept;
    counts[1] -= inside[1] && inside[2];
    counts[2] -= inside[2];
  }
}

void conditional(ThreadPool& pool, const SortedPoints& points, std::span<const Coordinate> coordinates,
                 const Exclusion& exclusion, const Exclusion& count_exclusion, const ConditionalTask& task);

}  // namespace assay::kernels::spatial
