#include "kernels/te/range_count.hpp"

#include <algorithm>
#include <cmath>

#include "engine/runtime/thread_pool.hpp"
#include "kernels/spatial/exclusion.hpp"

namespace assay::kernels::te {

void range_count(ThreadPool& pool, spatial::Rows points, std::span<const double> radii,
                 std::span<const std::int64_t> trial_lengths, bool strict, std::int64_t theiler_window,
                 spatial::Search, std::span<std::int64_t> counts) {
  const spatial::Exclusion exclusion(points.n, trial_lengths, theiler_window);
  pool.parallel_for(points.n, 64, [&](std::int64_t begin, std::int64_t end, unsigned) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::int64_t count = 0;
      const double radius = radii[static_cast<std::size_t>(i)];
      for (std::int64_t j = 0; j < points.n; ++j) {
        if (exclusion.of(i).contains(j)) continue;
        double distance = 0;
        for (std::int64_t c = 0; c < points.d; ++c)
          distance = std::max(distance, std::fabs(points.row(i)[c] - points.row(j)[c]));
        count += strict ? distance < radius : distance <= radius;
      }
      counts[static_cast<std::size_t>(i)] = count;
    }
  });
}

}  // namespace assay::kernels::te
