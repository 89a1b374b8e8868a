#include "kernels/te/range_count.hpp"

#include <algorithm>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "kernels/spatial/counting.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/spatial/kd_tree.hpp"
#include "kernels/spatial/search.hpp"
#include "kernels/spatial/sorted_points.hpp"

namespace assay::kernels::te {

void range_count(ThreadPool& pool, spatial::Rows points, std::span<const double> radii,
                 std::span<const std::int64_t> trial_lengths, bool strict, std::int64_t theiler_window,
                 spatial::Search search, std::span<std::int64_t> counts) {
  if (points.n == 0) return;
  if (mutant("te.range_count.not_strict")) strict = false;
  const bool rounded = mutant("te.range_count.float32_distances");
  std::vector<double> closed(radii.size());
  std::transform(radii.begin(), radii.end(), closed.begin(), [=](double radius) {
    return spatial::closed_radius(rounded ? static_cast<double>(static_cast<float>(radius)) : radius, strict);
  });
  const spatial::Exclusion exclusion(
      points.n, trial_lengths, theiler_window,
      {.window_exclusive = mutant("te.range_count.theiler_exclusive"),
       .ignore_trials = mutant("te.range_count.trial_boundary_ignored"),
       .admit_self = mutant("te.range_count.counts_self"),
       .subtract_always = mutant("te.range_count.excluded_always_subtracted")});
  const std::vector<spatial::Coordinate> coordinates = spatial::coordinates({points});
  const spatial::Radii within{.data = closed.data(), .stride = 1, .first = 0, .second = 0, .split = points.d};
  const spatial::Counts into{.data = counts.data(), .stride = 1};
  if (spatial::tree_for_counts(search, points.n, points.d))
    count(pool, spatial::KdTree(pool, coordinates, points.n), coordinates, exclusion, within, into);
  else
    count(pool, spatial::SortedPoints(coordinates, points.n), coordinates, exclusion, within, into);
  if (mutant("te.range_count.last_chunk_lost"))
    std::fill(counts.end() - std::min<std::ptrdiff_t>(64, counts.end() - counts.begin()), counts.end(), 0);
}

}  // namespace assay::kernels::te
