#pragma once

#include <string>
#include <vector>

#include "reports/html/plot.hpp"

namespace assay::reports::html {

/// One axis of a plot: from values to pixels, with its ticks.
class Axis {
 public:
  /// `values` may hold what is not finite, or not positive where the axis is logarithmic: those are ignored.
  /// `pixel_low` is where the smallest value lies; it may be the larger number, as on a vertical axis.
  Axis(const std::vector<double>& values, bool logarithmic, bool from_zero, double pixel_low,
       double pixel_high);

  bool empty() const { return empty_; }
  bool shows(double value) const;
  double at(double value) const;

  std::vector<PlotTick> labelled_ticks(PlotUnit unit) const;

 private:
  bool logarithmic_;
  bool empty_ = true;
  double low_ = 0.0;
  double high_ = 1.0;
  double pixel_low_;
  double pixel_high_;
};

}  // namespace assay::reports::html
