#include "ci/program/network_html/bars.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/axis.hpp"
#include "reports/html/elements.hpp"

namespace assay::program::network_html {
namespace {

namespace html = reports::html;
using reports::escape_html;

constexpr double width = 620, height = 300;
constexpr double left = 62, right = width - 10, top = 44, bottom = height - 46;

double x_of(const BarChart& chart, double at) {
  return left + at / static_cast<double>(chart.bars.size()) * (right - left);
}

std::string grid(const BarChart& chart, const html::Axis& axis) {
  std::string out = "<g class=\"grid\">";
  for (const html::PlotTick& tick : axis.labelled_ticks(html::PlotUnit::number)) {
    out += fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
        left, right, axis.at(tick.at), left - 7, axis.at(tick.at) + 4, escape_html(tick.label));
  }
  for (const BarTick& tick : chart.ticks) {
    const double x = x_of(chart, tick.at);
    out += fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>"
        "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"{5}\">{6}</text>",
        x, bottom, bottom + 4, std::min(x, right), bottom + 18, x > right - 12 ? "end" : "middle",
        escape_html(tick.label));
  }
  out += fmt::format(
      "<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>"
      "<text class=\"label\" x=\"4\" y=\"12\">{}</text></g>\n",
      right, height - 8, escape_html(chart.x_label), escape_html(chart.y_label));
  return out;
}

std::string marker(const BarChart& chart) {
  if (!chart.marker) return {};
  const double x = x_of(chart, chart.marker->at);
  const bool at_right = x > (left + right) / 2;
  return fmt::format(
      "<g class=\"marker\"><line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>"
      "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"{5}\">{6}</text></g>\n",
      x, top - 14, bottom, at_right ? x - 6 : x + 6, top - 6, at_right ? "end" : "start",
      escape_html(chart.marker->label));
}

std::string table(const BarChart& chart, bool expects) {
  html::Grid grid;
  grid.caption = "Data of: " + chart.title;
  grid.columns = {chart.x_label, chart.y_label};
  if (expects) grid.columns.push_back(chart.expected_name);
  for (const Bar& bar : chart.bars) {
    grid.rows.push_back(
        {html::text_cell(bar.range), html::number_cell(bar.height, fmt::format("{}", bar.height))});
    if (expects) grid.rows.back().push_back(html::number_cell(bar.expected));
  }
  return html::fold("Data as a table", html::table(grid));
}

}  // namespace

std::string bar_figure(const BarChart& chart) {
  std::vector<double> heights{0};
  bool expects = false;
  for (const Bar& bar : chart.bars) {
    heights.push_back(bar.height);
    heights.push_back(bar.expected.value_or(0));
    expects = expects || bar.expected;
  }
  const html::Axis axis(heights, false, true, bottom, top);
  std::string bars, line;
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    const double from = x_of(chart, static_cast<double>(i)), to = x_of(chart, static_cast<double>(i + 1));
    bars += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>{}: "
        "{}</title></rect>",
        from + 1, axis.at(bar.height), std::max(to - from - 2, 1.0), bottom - axis.at(bar.height),
        escape_html(bar.range), bar.height);
    if (bar.expected)
      line +=
          fmt::format("{}{:.1f} {:.1f}H{:.1f}", line.empty() ? "M" : "L", from, axis.at(*bar.expected), to);
  }
  std::string out = fmt::format(
      "<figure class=\"bars\"><figcaption>{0}</figcaption>\n<svg viewBox=\"0 0 {1:.0f} {2:.0f}\" "
      "role=\"img\" "
      "aria-label=\"{0}\">\n{3}<g class=\"bar\">{4}</g>\n",
      escape_html(chart.title), width, height, grid(chart, axis), bars);
  if (expects) out += fmt::format("<path class=\"expected\" d=\"{}\"/>\n", line);
  out += fmt::format(
      "<line class=\"floor\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>\n{3}</svg>\n",
      left, right, bottom, marker(chart));
  if (expects)
    out += fmt::format(
        "<ul class=\"legend\"><li class=\"s0\"><span class=\"key\"></span>{}</li><li "
        "class=\"s1\"><span class=\"key\"></span>{}</li></ul>\n",
        escape_html(chart.y_label), escape_html(chart.expected_name));
  return out + table(chart, expects) + "</figure>\n";
}

}  // namespace assay::program::network_html
