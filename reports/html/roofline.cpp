#include <algorithm>
#include <cmath>

#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/plot.hpp"
#include "reports/html/sections.hpp"
#include "reports/operation_state.hpp"

namespace assay::reports::html {
namespace {

/// In units of 1e9 a second; 0 where the unit is not one of a rate.
double giga(const Ceiling& ceiling, const std::string& quantity) {
  const std::pair<std::string, double> prefixes[] = {
      {"", 1e-9}, {"k", 1e-6}, {"M", 1e-3}, {"G", 1.0}, {"T", 1e3}};
  for (const auto& [prefix, factor] : prefixes)
    if (ceiling.unit == prefix + quantity) return ceiling.value * factor;
  return 0.0;
}

struct Roofs {
  std::map<std::string, double> bandwidths;  // GB/s by name
  std::map<std::string, double> rates;       // GFLOP/s by name
  std::map<std::string, std::string> how;
};

Roofs roofs_of(const std::vector<const Benchmark*>& benchmarks) {
  Roofs out;
  for (const Benchmark* benchmark : benchmarks)
    for (const Ceiling& ceiling : benchmark->ceilings) {
      if (const double value = giga(ceiling, "B/s"); value > 0.0) out.bandwidths[ceiling.name] = value;
      if (const double value = giga(ceiling, "FLOP/s"); value > 0.0) out.rates[ceiling.name] = value;
      out.how[ceiling.name + ": " + format_number(ceiling.value) + " " + ceiling.unit] = ceiling.how;
    }
  return out;
}

double highest(const std::map<std::string, double>& values) {
  double out = 0.0;
  for (const auto& [name, value] : values) out = std::max(out, value);
  return out;
}

std::vector<PlotSeries> roof_series(const Roofs& roofs, double low, double high) {
  const double peak = highest(roofs.rates), widest = highest(roofs.bandwidths);
  std::vector<PlotSeries> out;
  const auto add = [&](const std::string& name, double x0, double y0, double x1, double y1) {
    PlotSeries series;
    series.name = name;
    series.dashed = true;
    series.dots = false;
    series.points.resize(2);
    series.points[0].x = x0;
    series.points[0].y = y0;
    series.points[1].x = x1;
    series.points[1].y = y1;
    out.push_back(std::move(series));
  };
  for (const auto& [name, bandwidth] : roofs.bandwidths) {
    const double end = peak > 0.0 ? std::min(high, peak / bandwidth) : high;
    if (end > low) add(name, low, low * bandwidth, end, end * bandwidth);
  }
  for (const auto& [name, rate] : roofs.rates) {
    const double start = widest > 0.0 ? std::max(low, rate / widest) : low;
    if (start < high) add(name, start, rate, high, rate);
  }
  return out;
}

std::string roofline_figure(const std::string& backend, const std::vector<const Benchmark*>& benchmarks) {
  const Roofs roofs = roofs_of(benchmarks);
  if (roofs.bandwidths.empty() && roofs.rates.empty()) return {};
  std::map<std::string, PlotSeries> by_operation;
  double low = 0.0, high = 0.0;
  for (const Benchmark* benchmark : benchmarks) {
    if (benchmark->flops <= 0.0 || benchmark->bytes <= 0.0 || benchmark->median_ns <= 0.0) continue;
    if (benchmark->validity == Validity::invalid || benchmark->impossible) continue;
    PlotPoint point;
    point.x = benchmark->flops / benchmark->bytes;
    point.y = benchmark->flops / benchmark->median_ns;
    point.note = benchmark->label;
    low = low == 0.0 ? point.x : std::min(low, point.x);
    high = std::max(high, point.x);
    PlotSeries& series = by_operation[benchmark->operation];
    series.name = benchmark->operation;
    series.line = false;
    series.points.push_back(point);
  }
  if (by_operation.empty()) return {};
  const double ridge =
      highest(roofs.bandwidths) > 0.0 ? highest(roofs.rates) / highest(roofs.bandwidths) : 0.0;
  Plot plot;
  plot.title = "Roofline · " + backend;
  plot.x_label = "declared flops per byte";
  plot.y_label = "GFLOP/s";
  plot.log_x = plot.log_y = true;
  for (auto& [operation, series] : by_operation) plot.series.push_back(std::move(series));
  for (PlotSeries& series : roof_series(roofs, low / 4, std::max(high, ridge) * 4))
    plot.series.push_back(series);
  return figure(plot);
}

}  // namespace

std::string roofline(const RunRecord& record) {
  std::map<std::string, std::vector<const Benchmark*>> by_backend;
  for (const Benchmark& benchmark : record.benchmarks)
    if (benchmark.peer.empty()) by_backend[benchmark.backend].push_back(&benchmark);
  std::string figures, ceilings;
  for (const auto& [backend, benchmarks] : by_backend) {
    figures += roofline_figure(backend, benchmarks);
    for (const auto& [name, how] : roofs_of(benchmarks).how)
      ceilings += paragraph(backend + ", " + name + (how.empty() ? "" : " (" + how + ")"), "small");
  }
  if (figures.empty() && ceilings.empty())
    return paragraph("No benchmark of this run was held against a measured ceiling.", "none");
  std::string notes;
  if (std::any_of(record.benchmarks.begin(), record.benchmarks.end(), ran_in_cache))
    notes = paragraph(
        "In cache: the ceiling of memory is the measured rate of main memory. A warm case whose data fit "
        "into "
        "the caches is not bound by it and may reach more than 100 %: no gain beyond the roof, but a case "
        "too "
        "small to say how near it is. Its bar ends at the roof.",
        "note");
  return notes + gallery(figures) +
         (ceilings.empty() ? "" : fold("The ceilings and how they were measured", ceilings));
}

}  // namespace assay::reports::html
