#include "reports/html/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/axis.hpp"
#include "reports/html/elements.hpp"

namespace assay::reports::html {
namespace {

constexpr double width = 520, height = 300;
constexpr double left = 66, right = width - 14, top = 24, bottom = height - 48;
constexpr int colours = 8;

std::string shown(double value, PlotUnit unit) {
  if (unit == PlotUnit::time_ns) return format_time(value);
  if (unit == PlotUnit::share) return format_percent(value);
  return format_number(value);
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot)
      : plot_(plot),
        x_(all([](const PlotPoint& p) { return std::vector<double>{p.x}; }, {}), plot.log_x, false, left,
           right),
        y_(all(
               [](const PlotPoint& p) {
                 return std::vector<double>{p.y, p.low.value_or(p.y), p.high.value_or(p.y)};
               },
               plot.level),
           plot.log_y, plot.y_from_zero, bottom, top) {}

  bool empty() const { return x_.empty() || y_.empty() || !has_point_; }

  std::string svg() const {
    std::string out = fmt::format(
        "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}: {} over {}\"><title>{}</title>\n",
        width, height, escape_html(plot_.title), escape_html(plot_.y_label), escape_html(plot_.x_label),
        escape_html(plot_.title));
    out += grid() + markers() + level();
    for (std::size_t i = 0; i < plot_.series.size(); ++i) out += series(plot_.series[i], i % colours);
    return out + "</svg>\n";
  }

 private:
  template <typename Values>
  std::vector<double> all(Values values, const std::optional<double>& extra) {
    std::vector<double> out;
    for (const PlotSeries& series : plot_.series)
      for (const PlotPoint& point : series.points) {
        if (!std::isfinite(point.y)) {
          // A gap still takes its place on the horizontal axis.
          out.push_back(values(point).front());
          continue;
        }
        has_point_ = true;
        for (const double value : values(point)) out.push_back(value);
      }
    if (extra) out.push_back(*extra);
    return out;
  }

  std::string grid() const {
    std::string out = "<g class=\"grid\">";
    for (const PlotTick& tick : y_.labelled_ticks(plot_.y_unit)) {
      const double y = y_.at(tick.at);
      out +=
          fmt::format("<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", left, right, y, y);
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", left - 7, y + 4,
                         escape_html(tick.label));
    }
    const auto x_ticks = plot_.x_ticks.empty() ? x_.labelled_ticks(PlotUnit::number) : plot_.x_ticks;
    for (const PlotTick& tick : x_ticks) {
      const double x = x_.at(tick.at);
      out += fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>", x, bottom,
                         bottom + 4);
      const char* anchor = x > right - 24 ? "end" : "middle";
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", std::min(x, right),
                         bottom + 18, anchor, escape_html(tick.label));
    }
    out += fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>",
                       left, right, bottom);
    out += fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", right,
                       height - 8, escape_html(plot_.x_label));
    out += fmt::format("<text class=\"label\" x=\"4\" y=\"12\">{}</text></g>\n", escape_html(plot_.y_label));
    return out;
  }

  std::string level() const {
    if (!plot_.level || !y_.shows(*plot_.level)) return {};
    const double y = y_.at(*plot_.level);
    return fmt::format(
        "<g class=\"level\"><line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text></g>\n",
        left, right, y, y, right, y - 5, escape_html(plot_.level_name));
  }

  std::string markers() const {
    std::string out;
    for (const PlotMarker& marker : plot_.markers) {
      const double x = x_.at(marker.x);
      const bool at_right =
          x > right - (marker.finding ? 60 : 130);  // the words would not fit beside the line
      const double beside = at_right ? x - 4 : marker.finding ? x + 4 : std::max(x + 4, left + 90);
      out += fmt::format(
          "<g class=\"marker{7}\"><line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>"
          "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"{5}\">{6}</text>{8}</g>\n",
          x, marker.finding ? top : top - 4, bottom, beside, marker.finding ? top + 10 : top - 8,
          at_right ? "end" : "start", escape_html(marker.label), marker.finding ? " finding" : "",
          marker.note.empty() ? "" : "<title>" + escape_html(marker.note) + "</title>");
    }
    return out;
  }

  bool visible(const PlotPoint& point) const { return x_.shows(point.x) && y_.shows(point.y); }

  std::string series(const PlotSeries& series, std::size_t colour) const {
    std::string path, dots;
    bool pen_down = false;
    for (const PlotPoint& point : series.points) {
      if (!visible(point)) {
        pen_down = false;
        continue;
      }
      const double x = x_.at(point.x), y = y_.at(point.y);
      path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x, y);
      pen_down = true;
      if (!series.dots) continue;
      dots += interval(point, x);
      dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>{}: {}{}{}</title></circle>",
                          x, y, series.points.size() > 60 ? "1.8" : "3.2", escape_html(series.name),
                          escape_html(shown(point.y, plot_.y_unit)), point.note.empty() ? "" : ", ",
                          escape_html(point.note));
    }
    std::string out = fmt::format("<g class=\"s{}{}\">", colour, series.dashed ? " dashed" : "");
    if (series.line) out += "<path d=\"" + path + "\"/>";
    return out + dots + "</g>\n";
  }

  std::string interval(const PlotPoint& point, double x) const {
    if (!point.low || !point.high || !y_.shows(*point.low) || !y_.shows(*point.high)) return {};
    return fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>", x,
                       y_.at(*point.low), y_.at(*point.high));
  }

  const Plot& plot_;
  bool has_point_ = false;
  Axis x_;
  Axis y_;
};

std::string legend(const Plot& plot) {
  if (plot.series.size() < 2) return {};
  std::string out = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < plot.series.size(); ++i)
    out += fmt::format("<li class=\"s{}\"><span class=\"key\"></span>{}</li>", i % colours,
                       escape_html(plot.series[i].name));
  return out + "</ul>\n";
}

/// The same points as numbers: one row an x, one column a series.
std::string data_table(const Plot& plot) {
  std::map<double, std::vector<std::string>> rows;
  Grid grid;
  grid.caption = "Data of: " + plot.title;
  grid.columns = {plot.x_label};
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    grid.columns.push_back(plot.series[i].name);
    for (const PlotPoint& point : plot.series[i].points) {
      auto& row = rows[point.x];
      row.resize(plot.series.size());
      std::string value = shown(point.y, plot.y_unit);
      if (point.low && point.high)
        value += " [" + shown(*point.low, plot.y_unit) + ", " + shown(*point.high, plot.y_unit) + "]";
      if (!point.note.empty()) value += ", " + point.note;
      row[i] = row[i].empty() ? value : row[i] + "; " + value;
    }
  }
  for (auto& [x, values] : rows) {
    std::vector<Cell> row{number_cell(x, format_number(x))};
    for (const std::string& value : values) row.push_back(text_cell(value.empty() ? "–" : value));
    grid.rows.push_back(std::move(row));
  }
  return fold("Data as a table", table(grid));
}

}  // namespace

std::string figure(const Plot& plot) {
  const Drawing drawing(plot);
  if (drawing.empty()) return {};
  return fmt::format("<figure data-filter><figcaption>{}</figcaption>\n", escape_html(plot.title)) +
         drawing.svg() + legend(plot) + data_table(plot) + "</figure>\n";
}

std::string gallery(const std::string& figures) {
  return figures.empty() ? figures : "<div class=\"gallery\">\n" + figures + "</div>\n";
}

}  // namespace assay::reports::html
