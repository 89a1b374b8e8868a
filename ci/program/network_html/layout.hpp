#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace assay::program::network_html {

struct Place {
  double x = 0, y = 0;
};

/// Where to draw the nodes of a graph in a box of that size: forces (Fruchterman, Reingold 1991) from a
/// circle in the order of the nodes, so that nothing is drawn by lot. Nodes keep to the box, its whole extent
/// is used, and the same graph gives the same places. Time in proportion to nodes squared.
std::vector<Place> force_layout(std::size_t nodes,
                                const std::vector<std::pair<std::size_t, std::size_t>>& edges, double width,
                                double height);

}  // namespace assay::program::network_html
