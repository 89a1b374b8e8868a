#pragma once

#include <cstdint>

#include "engine/arguments.hpp"
#include "reference/points.hpp"

namespace assay::reference::te {

/// How many admissible points lie within each point's own radius, one distance after the other.
inline void run_range_count(const Arguments& arguments, const Outputs& outputs) {
  const Points points = points_of(arguments.input("points"));
  const auto radii = arguments.input("radii").as<double>();
  const bool strict = arguments.flag("strict");
  const Admissible admissible(arguments, points.rows());
  const auto counts = outputs.at("counts").as<std::int64_t>();

  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const Eigen::VectorXd all = distances_from(points, i);
    const double radius = radii[static_cast<std::size_t>(i)];
    std::int64_t count = 0;
    for (Eigen::Index j = 0; j < points.rows(); ++j)
      if (admissible(i, j) && (strict ? all(j) < radius : all(j) <= radius)) ++count;
    counts[static_cast<std::size_t>(i)] = count;
  }
}

}  // namespace assay::reference::te
