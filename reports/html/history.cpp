#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/plot.hpp"
#include "reports/html/sections.hpp"
#include "reports/html/timeline.hpp"

namespace assay::reports::html {
namespace {

using Points = std::map<std::int64_t, PlotPoint>;

/// Medians of ours by operation, then by case and backend.
std::map<std::string, std::map<std::string, Points>> medians_by_case(const History& history) {
  std::map<std::string, std::map<std::string, Points>> out;
  for (const BenchmarkPoint& measured : history.benchmarks) {
    if (!measured.peer.empty()) continue;
    PlotPoint point;
    if (measured.validity == Validity::valid && measured.median_ns > 0.0) {
      point.y = measured.median_ns;
      if (measured.high_ns > 0.0) {
        point.low = measured.low_ns;
        point.high = measured.high_ns;
      }
    }
    out[measured.operation][measured.label + " · " + measured.backend][measured.sequence] = point;
  }
  return out;
}

}  // namespace

std::string history(const ReportInput& input) {
  std::set<std::int64_t> measured_runs;
  for (const BenchmarkPoint& point : input.history.benchmarks) measured_runs.insert(point.sequence);
  const Timeline timeline(input.history.runs, measured_runs);
  if (timeline.size() < 2)
    return section("history", "History",
                   paragraph(timeline.size() == 0 ? "No run of this branch has measured anything yet."
                                                  : "One run so far: a history begins with the second.",
                             "none"));
  std::string body = paragraph(
      "Medians with their 95 % intervals over the runs of this branch, oldest first. The line "
      "is broken where a run has no valid time and where the environment changed.");
  const auto operations = medians_by_case(input.history);
  for (const auto& [operation, cases] : operations) {
    std::string figures;
    for (const auto& [name, points] : cases) {
      Plot plot;
      plot.title = operation + " · " + name;
      plot.x_label = "run";
      plot.y_label = "median time";
      plot.y_unit = PlotUnit::time_ns;
      plot.x_ticks = timeline.ticks();
      plot.markers = timeline.markers();
      plot.series.push_back({operation, timeline.place(points)});
      figures += figure(plot);
    }
    const std::string title =
        operation + " (" + format_count(static_cast<long long>(cases.size()), "case") + ")";
    if (!figures.empty()) body += fold(title, gallery(figures), operations.size() <= 3);
  }
  return section("history", "History", body);
}

}  // namespace assay::reports::html
