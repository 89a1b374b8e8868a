#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/plot.hpp"
#include "reports/html/sections.hpp"
#include "reports/html/timeline.hpp"

namespace assay::reports::html {
namespace {

/// The utilisation of each case as a dot on a logarithmic axis from 1e-6 to 10, with a line at the bound.
std::string strip(const Check& check) {
  constexpr double width = 170, height = 20, smallest = -6.0, largest = 1.0;
  const auto at = [&](double value) {
    const double exponent = value > 0.0 ? std::log10(value) : smallest;
    return 4 + (std::clamp(exponent, smallest, largest) - smallest) / (largest - smallest) * (width - 8);
  };
  std::string dots;
  int shown = 0;
  for (const UtilisationSample& sample : check.samples) {
    if (!(sample.allowed > 0.0) || !std::isfinite(sample.observed)) continue;
    if (++shown > 300) break;
    dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{}\" r=\"2.2\"/>", at(sample.observed / sample.allowed),
                        height / 2);
  }
  if (dots.empty()) return "–";
  return fmt::format(
      "<svg class=\"strip\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"utilisation of {2} cases\">"
      "<line x1=\"{3:.1f}\" x2=\"{3:.1f}\" y1=\"0\" y2=\"{1}\"/>{4}</svg>",
      width, height, shown, at(1.0), dots);
}

std::string present_table(const RunRecord& record) {
  std::vector<const Check*> ordered;
  for (const Check& check : record.checks)
    if (check.utilisation) ordered.push_back(&check);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Check* a, const Check* b) { return *a->utilisation > *b->utilisation; });
  Grid grid;
  grid.caption = "Observed error over the error allowed, highest first";
  grid.columns = {
      "operation", "check", "backend", "worst", "observed", "allowed", "each case: 1e-6 … bound … 10"};
  for (const Check* check : ordered)
    grid.rows.push_back({text_cell(check->operation),
                         text_cell(check->name),
                         text_cell(check->backend),
                         {meter(*check->utilisation, format_number(*check->utilisation),
                                *check->utilisation > 1.0 ? "bad" : "plain"),
                          fmt::format("{}", *check->utilisation)},
                         number_cell(check->observed_error),
                         number_cell(check->allowed_error),
                         {strip(*check)}});
  return table(grid, 15);
}

using Points = std::map<std::int64_t, PlotPoint>;

std::string over_time(const History& history) {
  constexpr std::size_t most_lines = 6;
  std::set<std::int64_t> relevant;
  std::map<std::string, std::map<std::string, Points>> plots;  // operation and backend, then check
  for (const CheckPoint& check : history.checks) {
    if (!check.utilisation || !std::isfinite(*check.utilisation)) continue;
    relevant.insert(check.sequence);
    PlotPoint point;
    point.y = *check.utilisation;
    plots[check.operation + " · " + check.backend][check.name][check.sequence] = point;
  }
  const Timeline timeline(history.runs, relevant);
  if (timeline.size() < 2) return {};
  std::string figures;
  for (const auto& [title, checks] : plots) {
    std::vector<std::pair<double, std::string>> by_worst;
    for (const auto& [name, points] : checks) {
      double worst = 0.0;
      for (const auto& [sequence, point] : points) worst = std::max(worst, point.y);
      by_worst.emplace_back(-worst, name);
    }
    std::sort(by_worst.begin(), by_worst.end());
    Plot plot;
    plot.title = title + (by_worst.size() > most_lines ? " (the six highest)" : "");
    plot.x_label = "run";
    plot.y_label = "share of the bound";
    plot.log_y = true;
    plot.level = 1.0;
    plot.level_name = "bound";
    plot.x_ticks = timeline.ticks();
    plot.markers = timeline.markers();
    for (std::size_t i = 0; i < by_worst.size() && i < most_lines; ++i)
      plot.series.push_back({by_worst[i].second, timeline.place(checks.at(by_worst[i].second))});
    figures += figure(plot);
  }
  return figures.empty() ? "" : fold("Over the runs of this branch", gallery(figures), plots.size() <= 4);
}

}  // namespace

std::string utilisation(const ReportInput& input) {
  std::string body = present_table(input.run);
  if (body.empty())
    body = paragraph("No check of this run has recorded an error against a bound.", "none");
  else
    body = paragraph(
               "How much of its error bound each check used. It is information and never a verdict: a bound "
               "that "
               "is nearly used up, or one that nothing comes near, is worth a look.") +
           body;
  return section("utilisation", "Bound utilisation", body + over_time(input.history));
}

}  // namespace assay::reports::html
