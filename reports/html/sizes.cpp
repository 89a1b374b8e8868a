#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/plot.hpp"
#include "reports/html/sections.hpp"
#include "reports/scaling.hpp"

namespace assay::reports::html {
namespace {

/// As people call it: "N" for "n".
std::string shown_axis(const std::string& axis) {
  return axis == "n" ? "N" : axis;
}

std::string series_name(const Growth& growth) {
  const std::string& who = growth.peer.empty() ? growth.backend : growth.peer;
  return growth.fixed.empty() ? who : who + " · " + growth.fixed;
}

PlotSeries series_of(const Growth& growth) {
  PlotSeries series;
  series.name = series_name(growth);
  series.dashed = !growth.peer.empty();
  for (std::size_t i = 0; i < growth.at.size(); ++i) {
    const Benchmark& benchmark = *growth.points[i];
    PlotPoint point;
    point.x = growth.at[i];
    point.y = benchmark.median_ns;
    if (benchmark.high_ns > 0.0) {
      point.low = benchmark.low_ns;
      point.high = benchmark.high_ns;
    }
    point.note = benchmark.label;
    series.points.push_back(point);
  }
  return series;
}

std::string power(const std::string& axis, double exponent) {
  return shown_axis(axis) + "^" + fmt::format("{:.3g}", exponent);
}

/// A line of the predicted slope through the middle of what was measured.
PlotSeries predicted_line(const Growth& growth, const GrowthFit& measured, const Scaling& predicted) {
  PlotSeries line;
  line.name = "predicted, " + power(growth.axis, predicted.exponent);
  line.dots = false;
  line.dashed = true;
  for (const double x : {growth.at.front(), growth.at.back()})
    line.points.push_back(
        {x, std::exp(measured.level + predicted.exponent * (std::log(x) - measured.mean_log_x))});
  return line;
}

/// Three points make a line of a plot; two do where the axis is the problem's size.
bool worth_a_line(const Growth& growth) {
  return growth.of_size || growth.at.size() > 2;
}

std::string exponents(const RunRecord& record, const std::vector<Growth>& all) {
  Grid grid;
  grid.caption = "How the time grows: exponents by least squares on the logarithms, with standard errors";
  grid.columns = {"operation", "over", "case", "points", "range", "measured", "predicted", "because"};
  std::size_t predicted_rows = 0;
  for (const Growth& growth : all) {
    const auto measured = fit(growth);
    if (!measured || growth.at.size() < 3) continue;
    const auto predicted = prediction_for(record, growth);
    std::vector<Cell> row{
        text_cell(growth.operation),
        text_cell(shown_axis(growth.axis)),
        text_cell(series_name(growth)),
        count_cell(static_cast<long long>(growth.at.size())),
        text_cell(format_number(growth.at.front()) + " – " + format_number(growth.at.back())),
        number_cell(measured->exponent, fmt::format("{:.2f} ± {:.2f}", measured->exponent, measured->error)),
        predicted ? number_cell(predicted->exponent, fmt::format("{:.2f}", predicted->exponent))
                  : text_cell("–"),
        {predicted ? "<small>" + escape_html(predicted->why) + "</small>" : "–"}};
    // What is predicted comes first: it can be wrong.
    const auto at =
        predicted ? grid.rows.begin() + static_cast<std::ptrdiff_t>(predicted_rows++) : grid.rows.end();
    grid.rows.insert(at, std::move(row));
  }
  return grid.rows.empty() ? "" : table(grid, 12);
}

}  // namespace

std::string sizes(const RunRecord& record) {
  const std::vector<Growth> all = growths(record);
  std::string figures;
  for (std::size_t first = 0; first < all.size();) {
    std::size_t end = first;
    Plot plot;
    plot.title = all[first].operation + " · time over " + shown_axis(all[first].axis);
    plot.x_label = shown_axis(all[first].axis);
    plot.y_label = "median time";
    plot.y_unit = PlotUnit::time_ns;
    plot.log_x = plot.log_y = true;
    std::vector<PlotSeries> lines;
    for (; end < all.size() && all[end].operation == all[first].operation && all[end].axis == all[first].axis;
         ++end) {
      if (!worth_a_line(all[end])) continue;
      plot.series.push_back(series_of(all[end]));
      const auto measured = fit(all[end]);
      const auto predicted = prediction_for(record, all[end]);
      if (measured && predicted) lines.push_back(predicted_line(all[end], *measured, *predicted));
    }
    // One line of the prediction is enough to compare slopes with.
    if (!lines.empty()) plot.series.push_back(lines.front());
    if (!plot.series.empty()) figures += figure(plot);
    first = end;
  }
  return gallery(figures) + exponents(record, all);
}

}  // namespace assay::reports::html
