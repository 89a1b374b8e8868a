#include "ci/program/network_html/layout.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace assay::program::network_html {
namespace {

using Places = std::vector<Place>;

/// Three circles in turn: on a single one nodes would mirror each other, which forces alone do not undo.
Places start_places(std::size_t nodes) {
  Places out(nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    const double turn = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(nodes);
    const double radius = 0.35 + 0.1 * static_cast<double>(i % 3);
    out[i] = {radius * std::cos(turn), radius * std::sin(turn)};
  }
  return out;
}

/// Of the ideal distance: edges up to here do not pull, so that an arrow has room for its head.
constexpr double shortest = 0.8;

void add(Place& to, const Place& from, double share) {
  to.x += from.x * share;
  to.y += from.y * share;
}

/// All nodes push each other away, edges pull, and the middle pulls a little, so that parts without an edge
/// between them do not drift apart.
Places forces(const Places& places, const std::vector<std::pair<std::size_t, std::size_t>>& edges,
              double ideal, double gravity) {
  Places out(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    add(out[i], places[i], -gravity);
    for (std::size_t j = i + 1; j < places.size(); ++j) {
      const Place apart{places[i].x - places[j].x, places[i].y - places[j].y};
      const double squared = std::max(apart.x * apart.x + apart.y * apart.y, 1e-9);
      const double push = ideal * ideal / squared;
      add(out[i], apart, push);
      add(out[j], apart, -push);
    }
  }
  for (const auto& [a, b] : edges) {
    const Place apart{places[a].x - places[b].x, places[a].y - places[b].y};
    const double pull = std::max(0.0, std::hypot(apart.x, apart.y) - shortest * ideal) / ideal;
    add(out[a], apart, -pull);
    add(out[b], apart, pull);
  }
  return out;
}

void spread(Places& places, double Place::*along, double extent) {
  if (places.empty()) return;
  const auto by = [&](const Place& a, const Place& b) { return a.*along < b.*along; };
  const auto [low, high] = std::minmax_element(places.begin(), places.end(), by);
  const double first = (*low).*along, room = (*high).*along - first;
  for (Place& place : places)
    place.*along = room > 1e-12 ? (place.*along - first) / room * extent : extent / 2;
}

}  // namespace

std::vector<Place> force_layout(std::size_t nodes,
                                const std::vector<std::pair<std::size_t, std::size_t>>& edges, double width,
                                double height) {
  Places places = start_places(nodes);
  const double squared = static_cast<double>(nodes) * static_cast<double>(nodes);
  const int steps = static_cast<int>(std::clamp(6e7 / std::max(squared, 1.0), 150.0, 600.0));
  const double ideal = 0.75 / std::sqrt(std::max(1.0, static_cast<double>(nodes)));
  for (int step = 0; step < steps; ++step) {
    const double most = 0.1 * (1 - static_cast<double>(step) / steps) + 0.0005;
    const Places force = forces(places, edges, ideal, 1.2 * ideal * std::sqrt(static_cast<double>(nodes)));
    for (std::size_t i = 0; i < nodes; ++i) {
      const double size = std::hypot(force[i].x, force[i].y);
      if (size > 0) add(places[i], force[i], std::min(size, most) / size);
    }
  }
  spread(places, &Place::x, width);
  spread(places, &Place::y, height);
  return places;
}

}  // namespace assay::program::network_html
