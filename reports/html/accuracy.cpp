#include "reports/html/elements.hpp"
#include "reports/html/plot.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

std::vector<Plot> plots_of(const Check& check) {
  std::vector<Plot> out;
  std::map<std::string, std::size_t> index;
  for (const Series& series : check.series) {
    const std::string title = series.plot.empty() ? check.name : series.plot;
    const auto [found, is_new] = index.try_emplace(title, out.size());
    if (is_new) {
      Plot plot;
      plot.title = check.operation + " · " + check.backend + " · " + title;
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
    plot.series.push_back(std::move(line));
  }
  return out;
}

std::string table_of(const Check& check) {
  Grid grid;
  grid.caption = check.operation + " · " + check.backend + " · " +
                 (check.table->title.empty() ? check.name : check.table->title);
  grid.columns = check.table->columns;
  for (const auto& row : check.table->rows) {
    std::vector<Cell> cells;
    for (const std::string& value : row) {
      const bool number = !value.empty() && value.find_first_not_of("+-.0123456789eE") == std::string::npos;
      Cell cell = text_cell(value);
      cell.number = number;
      cells.push_back(std::move(cell));
    }
    grid.rows.push_back(std::move(cells));
  }
  return table(grid);
}

}  // namespace

std::string accuracy(const RunRecord& record) {
  std::string figures, tables;
  for (const Check& check : record.checks) {
    for (const Plot& plot : plots_of(check)) figures += figure(plot);
    if (check.table) tables += table_of(check);
  }
  return gallery(figures) + tables;
}

}  // namespace assay::reports::html
