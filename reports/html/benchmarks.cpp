#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

Cell rate_cell(double work, double median_ns) {
  const bool known = work > 0.0 && median_ns > 0.0;
  return number_cell(known ? work / median_ns : std::nan(""), known ? format_number(work / median_ns) : "–");
}

Cell state_cell(const Benchmark& benchmark) {
  if (benchmark.impossible) return {badge("impossible", "bad")};
  if (benchmark.validity == Validity::invalid)
    return {badge("invalid", "bad") + "<br><small>" + escape_html(benchmark.invalid_reason) + "</small>"};
  if (benchmark.checked && benchmark.check_verdict == Verdict::pass) return {badge("checked", "good")};
  return {benchmark.checked ? badge(benchmark.check_verdict) : badge("not checked", "warn")};
}

std::string details(const Benchmark& benchmark) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  if (!benchmark.cache.empty()) add(benchmark.cache);
  add(format_count(static_cast<long long>(benchmark.samples_ns.size()), "sample"));
  for (const auto& [name, value] : benchmark.telemetry) add(name + " " + value);
  for (const auto& [name, value] : benchmark.notes) add(name + " " + value);
  return out;
}

/// Ours over each peer in the same case: above 1 ours is faster.
std::string peer_table(const RunRecord& record) {
  Grid grid;
  grid.caption = "Ours beside peers, in the same run";
  grid.columns = {"operation", "case", "peer", "its time", "backend", "our time", "we are"};
  for (const Benchmark& peer : record.benchmarks) {
    if (peer.peer.empty() || peer.median_ns <= 0.0) continue;
    for (const Benchmark& ours : record.benchmarks) {
      if (!ours.peer.empty() || ours.operation != peer.operation || ours.label != peer.label ||
          ours.median_ns <= 0.0)
        continue;
      const double factor = peer.median_ns / ours.median_ns;
      grid.rows.push_back({text_cell(peer.operation), text_cell(peer.label), text_cell(peer.peer),
                           time_cell(peer.median_ns), text_cell(ours.backend), time_cell(ours.median_ns),
                           number_cell(factor, factor >= 1.0 ? format_factor(factor) + " faster"
                                                             : format_factor(1.0 / factor) + " slower")});
    }
  }
  std::stable_sort(grid.rows.begin(), grid.rows.end(),
                   [](const std::vector<Cell>& a, const std::vector<Cell>& b) {
                     return std::stod(a.back().sort) < std::stod(b.back().sort);
                   });
  return table(grid);
}

}  // namespace

std::string benchmarks(const RunRecord& record) {
  Grid grid;
  grid.caption = "All benchmarks";
  grid.columns = {"operation", "case",    "backend",         "median", "95 % interval", "5–95 %",
                  "GB/s",      "GFLOP/s", "of the roofline", "state",  "measured"};
  grid.wide = true;
  for (const Benchmark& benchmark : record.benchmarks)
    grid.rows.push_back({text_cell(benchmark.operation),
                         text_cell(benchmark.label),
                         text_cell(benchmark.peer.empty() ? benchmark.backend
                                                          : benchmark.peer + " (" + benchmark.backend + ")"),
                         time_cell(benchmark.median_ns),
                         {escape_html(format_time(benchmark.low_ns) + " – " + format_time(benchmark.high_ns)),
                          fmt::format("{}", benchmark.low_ns)},
                         {escape_html(format_time(benchmark.p05_ns) + " – " + format_time(benchmark.p95_ns)),
                          fmt::format("{}", benchmark.p05_ns)},
                         rate_cell(benchmark.bytes, benchmark.median_ns),
                         rate_cell(benchmark.flops, benchmark.median_ns),
                         roofline_share(benchmark),
                         state_cell(benchmark),
                         {"<small>" + escape_html(details(benchmark)) + "</small>"}});
  if (grid.rows.empty()) return paragraph("No benchmark was recorded.", "none");
  return peer_table(record) + table(grid, 15);
}

}  // namespace assay::reports::html
