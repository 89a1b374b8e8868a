#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/plot.hpp"
#include "reports/html/sections.hpp"
#include "reports/html/timeline.hpp"

namespace assay::reports::html {
namespace {

using Points = std::map<std::int64_t, PlotPoint>;

std::string case_name(const std::string& label, const std::string& backend) {
  return label + " · " + backend;
}

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
    out[measured.operation][case_name(measured.label, measured.backend)][measured.sequence] = point;
  }
  return out;
}

/// All change points in words, the newest first: what a reader takes to `git bisect`.
std::string change_table(const std::vector<ChangePoint>& points) {
  Grid grid;
  grid.caption = "Change points of the medians, newest first";
  grid.columns = {"case", "commits", "from run", "before", "after", "change", "p"};
  for (const ChangePoint& point : points)
    grid.rows.push_back({code_cell(point.operation + "/" + point.label + "/" + point.backend),
                         code_cell(commit_range(point)), text_cell(format_moment(point.started_after)),
                         time_cell(point.median_before_ns), time_cell(point.median_after_ns),
                         number_cell(point.ratio, format_change(point.ratio)), number_cell(point.p_value)});
  return table(grid, 15);
}

std::string change_section(const ReportInput& input) {
  if (input.change_points.empty())
    return paragraph("No change point: no case has a shift that stays, within one environment.", "none");
  return paragraph(
             "A change point is where a shift begins that stays (E-divisive means, Matteson and James 2014, "
             "on the "
             "logarithms of the medians, within one environment; each at a level of 1 % by permutation, "
             "unadjusted "
             "for the number of cases). It came in with one of the commits after the first of the range.") +
         change_table(input.change_points);
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
  body += change_section(input);
  std::map<std::pair<std::string, std::string>, std::vector<const ChangePoint*>> changes;
  for (const ChangePoint& point : input.change_points)
    changes[{point.operation, case_name(point.label, point.backend)}].push_back(&point);
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
      const auto changed = timeline.markers(changes[{operation, name}]);
      plot.markers.insert(plot.markers.end(), changed.begin(), changed.end());
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
