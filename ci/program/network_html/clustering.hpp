#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace assay::program::network_html {

/// Two clusters that become one. Numbers below the count of leaves are leaves, count + i is what merge i
/// made.
struct Merge {
  std::size_t first = 0, second = 0;
  float similarity = 0;  ///< the mean over all pairs of a leaf of one and a leaf of the other
};

struct Clustering {
  std::vector<Merge> merges;       ///< count - 1, a cluster after the two it is made of
  std::vector<std::size_t> order;  ///< the leaves from left to right
};

/// Average linkage (Sokal, Michener 1958) of `count` leaves by the chain of nearest neighbours (Murtagh
/// 1983): time in proportion to count squared, memory 2 count^2 bytes. `similarity(i, j)` is symmetric and
/// finite. Each merge lays its two sides so that the leaves which meet are the most similar ones of the four
/// ways (Gruvaeus, Wainer 1972). Ties go to the lower number, so that the same input gives the same order.
Clustering average_linkage(std::size_t count,
                           const std::function<float(std::size_t, std::size_t)>& similarity);

}  // namespace assay::program::network_html
