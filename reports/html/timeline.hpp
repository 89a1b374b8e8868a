#pragma once

#include <map>
#include <set>

#include "reports/change_points.hpp"
#include "reports/html/plot.hpp"
#include "reports/store.hpp"

namespace assay::reports::html {

/// The horizontal axis of plots over runs: one place a run, in the order in which they were begun (clocks
/// jump), with a few dates as ticks and a marker wherever the environment changed.
class Timeline {
 public:
  /// Only the runs whose sequence is in `relevant` take a place.
  Timeline(const std::vector<RunSummary>& runs, const std::set<std::int64_t>& relevant);

  std::size_t size() const { return runs_.size(); }
  std::vector<PlotTick> ticks() const;
  std::vector<PlotMarker> markers() const;

  /// A vertical line where each change point lies, with how much it changed, and its commit range on
  /// hovering.
  std::vector<PlotMarker> markers(const std::vector<const ChangePoint*>& points) const;

  /// One point a run; a gap where `points` has none, and where the environment changed: times before and
  /// after are not joined. `points` is by sequence; its x is filled in here.
  std::vector<PlotPoint> place(const std::map<std::int64_t, PlotPoint>& points) const;

 private:
  bool changed_before(std::size_t place) const;

  std::vector<RunSummary> runs_;
  std::vector<std::string> fingerprints_;
};

}  // namespace assay::reports::html
