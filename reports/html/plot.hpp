#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

/// Plots as inline SVG: no script and no library, so that they are there in every reader and in print. Each
/// has a title, a legend in text and its data as a table behind a fold.
namespace assay::reports::html {

struct PlotPoint {
  double x = 0.0;
  double y = std::numeric_limits<double>::quiet_NaN();  // NaN: a gap, the line is broken here
  std::optional<double> low = {};                       // of a vertical interval
  std::optional<double> high = {};
  std::string note = {};  // shown on hovering, after the value
};

struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;
  bool line = true;  // else points only
  bool dots = true;  // else the line only
  bool dashed = false;
};

/// A vertical line with a few words above it, or, for a `finding`, at its top within the plot.
struct PlotMarker {
  double x = 0.0;
  std::string label;
  std::string note = {};  // shown on hovering, and read out
  bool finding = false;
};

struct PlotTick {
  double at = 0.0;
  std::string label;
};

enum class PlotUnit { number, time_ns, share };

struct Plot {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<PlotSeries> series;
  std::optional<double> level;  // a horizontal line, such as a true value or a bound
  std::string level_name;
  std::vector<PlotMarker> markers;
  std::vector<PlotTick> x_ticks;  // replace the computed ones
  bool log_x = false;             // points at or below 0 are left out on a logarithmic axis
  bool log_y = false;
  bool y_from_zero = false;
  PlotUnit y_unit = PlotUnit::number;
};

/// <figure> with the SVG, the legend and the table; "" where no series has a finite point.
std::string figure(const Plot& plot);

/// Figures beside each other where there is room.
std::string gallery(const std::string& figures);

/// Tick positions for an axis from `low` to `high`: round numbers, or powers of ten (with 2 and 5 where the
/// axis is short) when logarithmic. Two at least.
std::vector<double> ticks(double low, double high, bool logarithmic);

}  // namespace assay::reports::html
