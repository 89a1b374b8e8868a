#include "kernels/te/knn.hpp"

#include <vector>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/spatial/kd_tree.hpp"
#include "kernels/spatial/search.hpp"
#include "kernels/spatial/sorted_points.hpp"

namespace assay::kernels::te {

namespace {

/// k + 1 neighbours where every point has as many, with the fault that wants them.
std::int64_t skipped(const spatial::Exclusion& exclusion, std::int64_t k) {
  if (!mutant("te.knn.skips_nearest")) return 0;
  for (std::int64_t i = 0; i < exclusion.points(); ++i)
    if (exclusion.admissible(i) <= k) return 0;
  return 1;
}

}  // namespace

void knn(ThreadPool& pool, spatial::Rows points, std::span<const std::int64_t> trial_lengths, std::int64_t k,
         std::int64_t theiler_window, spatial::Search search, std::span<double> distances,
         std::span<std::int64_t> indices) {
  if (points.n == 0) return;
  std::vector<double> rounded;
  if (mutant("te.knn.float32_distances")) {
    for (std::int64_t i = 0; i < points.n * points.d; ++i)
      rounded.push_back(static_cast<double>(static_cast<float>(points.data[i])));
    points.data = rounded.data();
  }
  const spatial::Exclusion exclusion(points.n, trial_lengths, theiler_window,
                                     {.window_exclusive = mutant("te.knn.theiler_exclusive"),
                                      .ignore_trials = mutant("te.knn.trial_boundary_ignored"),
                                      .admit_self = mutant("te.knn.includes_self"),
                                      .subtract_always = false});
  std::vector<spatial::Coordinate> coordinates = spatial::coordinates({points});
  if (points.d > 1 && mutant("te.knn.dimension_ignored")) coordinates.pop_back();
  const spatial::NeighbourResult::Options options{.k = k,
                                                  .skip = skipped(exclusion, k),
                                                  .by_larger_row = mutant("te.knn.ties_by_larger_index"),
                                                  .distances = distances.data(),
                                                  .rows = indices.data()};
  if (spatial::tree_for_neighbours(search, points.n, points.d))
    nearest(pool, spatial::KdTree(pool, coordinates, points.n), exclusion, options);
  else
    nearest(pool, spatial::SortedPoints(coordinates, points.n), exclusion, options);
}

}  // namespace assay::kernels::te
