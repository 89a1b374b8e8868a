#include <algorithm>

#include "reports/html/elements.hpp"
#include "reports/html/plot.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// "n=1000,k=4" without what the size counts: "k=4". Cases that differ in the size only are one line.
std::string variant(const Benchmark& benchmark) {
  std::string out, part;
  const std::string size = lower(benchmark.size_name) + '=';
  const auto take = [&] {
    if (!part.empty() && !lower(part).starts_with(size)) out += (out.empty() ? "" : ", ") + part;
    part.clear();
  };
  for (const char c : benchmark.label) {
    if (c == ',' || c == '/' || c == ' ')
      take();
    else
      part += c;
  }
  take();
  return out;
}

std::string series_name(const Benchmark& benchmark) {
  std::string out = benchmark.peer.empty() ? benchmark.backend : benchmark.peer;
  const std::string rest = variant(benchmark);
  return rest.empty() ? out : out + " · " + rest;
}

}  // namespace

std::string sizes(const RunRecord& record) {
  std::map<std::pair<std::string, std::string>, std::map<std::string, PlotSeries>> plots;
  for (const Benchmark& benchmark : record.benchmarks) {
    if (benchmark.problem_size <= 0.0 || benchmark.median_ns <= 0.0) continue;
    if (benchmark.validity == Validity::invalid || benchmark.impossible) continue;
    const std::string size = benchmark.size_name.empty() ? "size" : benchmark.size_name;
    // Ours come before peers, and so have the same colours in every plot.
    const std::string order = (benchmark.peer.empty() ? "0" : "1") + series_name(benchmark);
    PlotSeries& series = plots[{benchmark.operation, size}][order];
    series.name = series_name(benchmark);
    series.dashed = !benchmark.peer.empty();
    PlotPoint point;
    point.x = benchmark.problem_size;
    point.y = benchmark.median_ns;
    if (benchmark.high_ns > 0.0) {
      point.low = benchmark.low_ns;
      point.high = benchmark.high_ns;
    }
    point.note = benchmark.label;
    series.points.push_back(point);
  }
  std::string figures;
  for (auto& [key, lines] : plots) {
    const auto& [operation, size] = key;
    Plot plot;
    plot.title = operation + " · time over " + size;
    plot.x_label = size;
    plot.y_label = "median time";
    plot.y_unit = PlotUnit::time_ns;
    plot.log_x = plot.log_y = true;
    bool has_line = false;
    for (auto& [name, series] : lines) {
      std::sort(series.points.begin(), series.points.end(),
                [](const PlotPoint& a, const PlotPoint& b) { return a.x < b.x; });
      has_line |= series.points.size() > 1;
      plot.series.push_back(std::move(series));
    }
    if (has_line) figures += figure(plot);
  }
  return gallery(figures);
}

}  // namespace assay::reports::html
