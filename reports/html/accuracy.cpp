#include <algorithm>

#include "reports/escape.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/plot.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

std::string in_words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// "0.0000" for "-0.0000": the sign of a rounded zero says nothing.
std::string without_signed_zero(const std::string& value) {
  const bool is_zero =
      value.size() > 1 && value[0] == '-' && value.find_first_not_of("0.", 1) == std::string::npos;
  return is_zero ? value.substr(1) : value;
}

std::vector<Plot> plots_of(const Check& check) {
  std::vector<Plot> out;
  std::map<std::string, std::size_t> index;
  for (const Series& series : check.series) {
    const std::string title = series.plot.empty() ? check.name : series.plot;
    const auto [found, is_new] = index.try_emplace(title, out.size());
    if (is_new) {
      Plot plot;
      plot.title = in_words(title);
      plot.x_label = series.x_label;
      plot.y_label = series.y_label;
      plot.log_x = series.log_x;
      plot.log_y = series.log_y;
      out.push_back(std::move(plot));
    }
    Plot& plot = out[found->second];
    if (series.truth) {
      plot.level = series.truth;
      plot.level_name = "true value";
    }
    PlotSeries line;
    line.name = series.name;
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      PlotPoint point;
      point.x = series.points[i][0];
      point.y = series.points[i][1];
      if (i < series.y_error.size()) {
        point.low = point.y - series.y_error[i];
        point.high = point.y + series.y_error[i];
      }
      line.points.push_back(point);
    }
    // A line runs from left to right, in whatever order the cases were run.
    std::stable_sort(line.points.begin(), line.points.end(),
                     [](const PlotPoint& a, const PlotPoint& b) { return a.x < b.x; });
    plot.series.push_back(std::move(line));
  }
  return out;
}

std::string table_of(const Check& check) {
  Grid grid;
  grid.caption = check.table->title.empty() ? in_words(check.name) : check.table->title;
  grid.columns = check.table->columns;
  for (const auto& row : check.table->rows) {
    std::vector<Cell> cells;
    for (const std::string& value : row) {
      const bool number = !value.empty() && value.find_first_not_of("+-.0123456789eE") == std::string::npos;
      Cell cell = text_cell(without_signed_zero(value));
      cell.number = number;
      cells.push_back(std::move(cell));
    }
    grid.rows.push_back(std::move(cells));
  }
  return table(grid);
}

}  // namespace

std::string accuracy(const RunRecord& record) {
  std::string out;
  for (const Check& check : record.checks) {
    std::string figures;
    for (const Plot& plot : plots_of(check)) figures += figure(plot);
    if (figures.empty() && !check.table) continue;
    const bool both = !figures.empty() && check.table;
    const std::string evidence = gallery(figures) + (check.table ? table_of(check) : "");
    out += "<h3>" + escape_html(check.operation + " · " + check.backend + " · " + in_words(check.name)) +
           " " + badge(check.verdict) + "</h3>\n" +
           (both ? "<div class=\"beside\">\n" + evidence + "</div>\n" : evidence);
  }
  return out;
}

}  // namespace assay::reports::html
