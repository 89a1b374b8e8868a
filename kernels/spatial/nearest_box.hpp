#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::spatial {

/// Distances of one neighbour in the three parts of the joint space (z: 0 where there is none).
struct PartDistances {
  double x = 0, y = 0, z = 0;
  double joint() const { return std::max({x, y, z}); }
};

/// The smallest box around the k nearest of `near`, which holds every neighbour at a joint distance of at
/// most the k-th: the largest x, y and z distance among the k. Where more than k lie there, those tied at the
/// k-th joint distance are ordered by their second largest distance, then by the least; all that share the
/// k-th place are taken.
inline PartDistances nearest_box(std::span<const PartDistances> near, std::size_t k) {
  const auto falling = [](const PartDistances& d) {
    const double least = mutant("te.ksg.box_ties_by_two_parts") ? 0 : std::min({d.x, d.y, d.z});
    const double joint = d.joint();
    return std::array<double, 3>{joint, std::max(std::min(d.x, d.y), std::min(std::max(d.x, d.y), d.z)),
                                 least};
  };
  PartDistances box;
  const auto cover = [&](const PartDistances& d) {
    box = {std::max(box.x, d.x), std::max(box.y, d.y), std::max(box.z, d.z)};
  };
  if (near.size() <= k) {
    for (const PartDistances& d : near) cover(d);
    return box;
  }
  std::vector<std::array<double, 3>> order(near.size());
  std::transform(near.begin(), near.end(), order.begin(), falling);
  const std::size_t one_less = k > 1 && mutant("te.ksg.box_of_one_less") ? 1 : 0;
  const bool all_ties = mutant("te.ksg.box_of_all_ties");
  const auto kth = order.begin() + static_cast<std::ptrdiff_t>(k - 1 - one_less);
  std::nth_element(order.begin(), kth, order.end());
  for (const PartDistances& d : near)
    if (all_ties ? d.joint() <= kth->front() : falling(d) <= *kth) cover(d);
  return box;
}

}  // namespace assay::kernels::spatial
