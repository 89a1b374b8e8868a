#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/arguments.hpp"
#include "reference/points.hpp"

namespace assay::reference::te {

/// The k nearest neighbours in the maximum norm by sorting all admissible pairs (distance, index): the pairs'
/// own order is the rule for ties.
inline void run_knn(const Arguments& arguments, const Outputs& outputs) {
  const Points points = points_of(arguments.input("points"));
  const auto k = static_cast<std::size_t>(arguments.integer("k"));
  const Admissible admissible(arguments, points.rows());
  const auto distances = outputs.at("distances").as<double>();
  const auto indices = outputs.at("indices").as<std::int64_t>();

  std::vector<std::pair<double, std::int64_t>> others;
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const Eigen::VectorXd all = distances_from(points, i);
    others.clear();
    for (Eigen::Index j = 0; j < points.rows(); ++j)
      if (admissible(i, j)) others.emplace_back(all(j), j);
    std::sort(others.begin(), others.end());
    for (std::size_t m = 0; m < k; ++m) {
      distances[static_cast<std::size_t>(i) * k + m] = others.at(m).first;
      indices[static_cast<std::size_t>(i) * k + m] = others.at(m).second;
    }
  }
}

}  // namespace assay::reference::te
