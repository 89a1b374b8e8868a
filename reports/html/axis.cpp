#include "reports/html/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/format.hpp"

namespace assay::reports::html {
namespace {

std::vector<double> linear_ticks(double low, double high) {
  const double rough = (high - low) / 4.5;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = power;
  for (const double factor : {2.0, 5.0, 10.0})
    if (step < rough) step = power * factor;
  std::vector<double> out;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) out.push_back(k * step);
  return out;
}

std::vector<double> logarithmic_ticks(double low, double high) {
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  const int stride = std::max(1, (last - first) / 6);
  const bool is_short = last - first <= 2;
  std::vector<double> out;
  for (int exponent = first; exponent <= last; exponent += stride)
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10.0, exponent);
      if ((factor == 1.0 || is_short) && value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
        out.push_back(value);
    }
  return out;
}

/// With as many decimals as tell two ticks apart.
std::string with_step(double value, double step) {
  if (std::abs(value) < step * 1e-6) return "0";
  const double size = std::abs(value);
  if (size >= 1e6 || size < 1e-4) return fmt::format("{:.3g}", value);
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  return fmt::format("{:.{}f}", value, std::min(decimals, 8));
}

std::string tick_label(double value, double step, bool logarithmic, PlotUnit unit) {
  if (unit == PlotUnit::time_ns && value > 0.0) {
    if (logarithmic) return format_time(value);
    const double scale = value < 999.5 ? 1.0 : value < 999.5e3 ? 1e3 : value < 999.5e6 ? 1e6 : 1e9;
    const char* name = scale == 1.0 ? "ns" : scale == 1e3 ? "us" : scale == 1e6 ? "ms" : "s";
    return with_step(value / scale, step / scale) + ' ' + name;
  }
  if (unit == PlotUnit::share) return fmt::format("{:g} %", std::round(value * 1e6) / 1e4 + 0.0);
  if (logarithmic)
    return value >= 1e-3 && value < 1e5 ? fmt::format("{:g}", value) : fmt::format("{:.0e}", value);
  return with_step(value, step);
}

}  // namespace

std::vector<double> ticks(double low, double high, bool logarithmic) {
  auto out = logarithmic ? logarithmic_ticks(low, high) : linear_ticks(low, high);
  if (out.size() < 2) out = linear_ticks(low, high);  // a logarithmic axis too short to hold two round powers
  return out;
}

Axis::Axis(const std::vector<double>& values, bool logarithmic, bool from_zero, double pixel_low,
           double pixel_high)
    : logarithmic_(logarithmic), pixel_low_(pixel_low), pixel_high_(pixel_high) {
  for (const double value : values) {
    if (!shows(value)) continue;
    low_ = empty_ ? value : std::min(low_, value);
    high_ = empty_ ? value : std::max(high_, value);
    empty_ = false;
  }
  if (empty_) return;
  if (logarithmic_) {
    const double room = low_ == high_ ? 2.0 : std::pow(high_ / low_, 0.06);
    low_ /= room;
    high_ *= room;
    return;
  }
  if (from_zero) low_ = std::min(low_, 0.0);
  const double extent = high_ - low_;
  const double room = extent > 0.0 ? 0.06 * extent : std::max(std::abs(high_) * 0.1, 1e-12);
  if (!(from_zero && low_ == 0.0)) low_ -= room;
  high_ += room;
}

bool Axis::shows(double value) const {
  return std::isfinite(value) && (!logarithmic_ || value > 0.0);
}

double Axis::at(double value) const {
  const double share =
      logarithmic_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
  return pixel_low_ + share * (pixel_high_ - pixel_low_);
}

std::vector<PlotTick> Axis::labelled_ticks(PlotUnit unit) const {
  const auto values = ticks(low_, high_, logarithmic_);
  const double step = values[1] - values[0];
  std::vector<PlotTick> out;
  for (const double value : values) out.push_back({value, tick_label(value, step, logarithmic_, unit)});
  return out;
}

}  // namespace assay::reports::html
