#pragma once

#include <optional>
#include <string>
#include <vector>

namespace assay::program::network_html {

struct Bar {
  std::string range;  ///< for the table and on hovering
  double height = 0;
  std::optional<double> expected = {};  ///< drawn as a line over the bar
};

struct BarTick {
  double at = 0;  ///< in bars from the left: 0 the left edge of the first, 0.5 its middle
  std::string label;
};

struct BarChart {
  std::string title;
  std::string x_label, y_label;
  std::string expected_name;  ///< of the line
  std::vector<Bar> bars;
  std::vector<BarTick> ticks;
  std::optional<BarTick> marker;  ///< a vertical line with its words
};

/// <figure> of SVG bars with a legend and its data as a table behind a fold.
std::string bar_figure(const BarChart& chart);

}  // namespace assay::program::network_html
