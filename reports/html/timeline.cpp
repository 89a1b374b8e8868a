#include "reports/html/timeline.hpp"

#include <algorithm>

#include "reports/format.hpp"

namespace assay::reports::html {

Timeline::Timeline(const std::vector<RunSummary>& runs, const std::set<std::int64_t>& relevant) {
  for (const RunSummary& run : runs) {
    if (!relevant.count(run.sequence)) continue;
    runs_.push_back(run);
    fingerprints_.push_back(run.run.environment.fingerprint());
  }
}

bool Timeline::changed_before(std::size_t place) const {
  return place > 0 && fingerprints_[place] != fingerprints_[place - 1];
}

std::vector<PlotTick> Timeline::ticks() const {
  std::vector<PlotTick> out;
  if (runs_.empty()) return out;
  const bool one_day =
      runs_.front().run.started_at.substr(0, 10) == runs_.back().run.started_at.substr(0, 10);
  const std::size_t stride = std::max<std::size_t>(1, (runs_.size() + 4) / 5);
  for (std::size_t i = 0; i < runs_.size(); i += stride) {
    const std::string moment = format_moment(runs_[i].run.started_at);
    const bool whole = moment.size() == 16;
    out.push_back({static_cast<double>(i), !whole    ? moment
                                           : one_day ? moment.substr(11)
                                                     : moment.substr(5, 5)});
  }
  return out;
}

std::vector<PlotMarker> Timeline::markers() const {
  std::vector<PlotMarker> out;
  for (std::size_t i = 1; i < runs_.size(); ++i)
    if (changed_before(i)) out.push_back({static_cast<double>(i) - 0.5, "environment changed"});
  if (out.size() > 2)  // many words would lie over each other; the lines are enough then
    for (std::size_t i = 1; i < out.size(); ++i) out[i].label.clear();
  return out;
}

std::vector<PlotMarker> Timeline::markers(const std::vector<const ChangePoint*>& points) const {
  std::vector<PlotMarker> out;
  for (const ChangePoint* point : points)
    for (std::size_t i = 1; i < runs_.size(); ++i)
      if (runs_[i].sequence == point->sequence_after)
        out.push_back({static_cast<double>(i) - 0.5, format_change(point->ratio),
                       format_change(point->ratio) + " from " + format_moment(point->started_after) + ", " +
                           commit_range(*point),
                       true});
  return out;
}

std::vector<PlotPoint> Timeline::place(const std::map<std::int64_t, PlotPoint>& points) const {
  std::vector<PlotPoint> out;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const double x = static_cast<double>(i);
    if (changed_before(i)) {
      PlotPoint pause;
      pause.x = x - 0.5;
      out.push_back(pause);
    }
    PlotPoint point;
    if (const auto found = points.find(runs_[i].sequence); found != points.end()) point = found->second;
    point.x = x;
    if (point.note.empty()) {
      point.note = format_moment(runs_[i].run.started_at);
      if (!runs_[i].run.commit.empty()) point.note += ", " + format_short(runs_[i].run.commit);
    }
    out.push_back(std::move(point));
  }
  return out;
}

}  // namespace assay::reports::html
