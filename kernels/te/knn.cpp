#include "kernels/te/knn.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/runtime/thread_pool.hpp"
#include "kernels/spatial/exclusion.hpp"

namespace assay::kernels::te {

void knn(ThreadPool& pool, spatial::Rows points, std::span<const std::int64_t> trial_lengths, std::int64_t k,
         std::int64_t theiler_window, spatial::Search, std::span<double> distances,
         std::span<std::int64_t> indices) {
  const spatial::Exclusion exclusion(points.n, trial_lengths, theiler_window);
  pool.parallel_for(points.n, 64, [&](std::int64_t begin, std::int64_t end, unsigned) {
    std::vector<std::pair<double, std::int64_t>> near;
    for (std::int64_t i = begin; i < end; ++i) {
      near.clear();
      for (std::int64_t j = 0; j < points.n; ++j) {
        if (exclusion.of(i).contains(j)) continue;
        double distance = 0;
        for (std::int64_t c = 0; c < points.d; ++c)
          distance = std::max(distance, std::fabs(points.row(i)[c] - points.row(j)[c]));
        near.emplace_back(distance, j);
      }
      std::partial_sort(near.begin(), near.begin() + k, near.end());
      for (std::int64_t m = 0; m < k; ++m) {
        distances[static_cast<std::size_t>(i * k + m)] = near[static_cast<std::size_t>(m)].first;
        indices[static_cast<std::size_t>(i * k + m)] = near[static_cast<std::size_t>(m)].second;
      }
    }
  });
}

}  // namespace assay::kernels::te
