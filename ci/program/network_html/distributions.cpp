#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "ci/program/network_html/bars.hpp"
#include "ci/program/network_html/sections.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"

namespace assay::program::network_html {
namespace {

namespace html = reports::html;

constexpr std::size_t bins = 20;

/// Bins are open on the left: with 19 surrogates a p-value of 0.05 belongs to the first. `slack` is for
/// p-values that rounding left an ulp above their edge.
std::size_t bin_of(double p) {
  constexpr double slack = 1e-9;
  const double place = std::ceil(std::clamp(p, 0.0, 1.0) * static_cast<double>(bins) - slack);
  return static_cast<std::size_t>(std::max(place - 1, 0.0));
}

struct PValues {
  explicit PValues(const View& view) {
    const double smallest = 1 / (1 + static_cast<double>(view.input.surrogates));
    for (std::size_t source = 0; source < view.count(); ++source) {
      for (std::size_t target = 0; target < view.count(); ++target) {
        if (source == target) continue;
        const double p = view.input.p_value(source, target);
        if (!std::isfinite(p)) continue;
        ++count;
        ++heights[bin_of(p)];
        at_smallest += p <= smallest * (1 + 1e-9);
        if (view.significant(source, target)) threshold = std::max(threshold, p);
      }
    }
  }
  std::vector<std::size_t> heights = std::vector<std::size_t>(bins);
  std::size_t count = 0, at_smallest = 0;
  double threshold = 0;  // the largest p-value that survives
};

/// Where nothing influences anything, each of the 1 + surrogates p-values there can be is as likely as any
/// other. That is not the same number in each bin unless the bins divide them.
std::vector<double> uniform(std::size_t count, std::int64_t surrogates) {
  std::vector<double> out(bins);
  const double levels = 1 + static_cast<double>(surrogates);
  for (std::int64_t hits = 0; hits <= surrogates; ++hits)
    out[bin_of((1 + static_cast<double>(hits)) / levels)] += static_cast<double>(count) / levels;
  return out;
}

}  // namespace

std::string p_values(const View& view) {
  if (!view.tested()) return {};
  const PValues found(view);
  if (found.count == 0) return {};
  BarChart chart;
  chart.title = "p-values of all ordered pairs";
  chart.x_label = "p";
  chart.y_label = "pairs";
  chart.expected_name = "expected if no column influenced another";
  const auto expected = uniform(found.count, view.input.surrogates);
  for (std::size_t i = 0; i < bins; ++i) {
    const double low = static_cast<double>(i) / bins, high = static_cast<double>(i + 1) / bins;
    chart.bars.push_back(
        {fmt::format("{:.2f} < p ≤ {:.2f}", low, high), static_cast<double>(found.heights[i]), expected[i]});
  }
  for (int tick = 0; tick <= 10; tick += 2)
    chart.ticks.push_back({tick * bins / 10.0, fmt::format("{:g}", tick / 10.0)});
  const std::string least = reports::format_number(1 / (1 + static_cast<double>(view.input.surrogates)));
  std::string text =
      fmt::format("{} of {} p-values are the smallest that {} can give, {}. ", found.at_smallest, found.count,
                  reports::format_count(view.input.surrogates, "surrogate"), least);
  if (view.survivors > 0) {
    const std::string threshold = reports::format_number(found.threshold);
    chart.marker = {{found.threshold * bins, "survives: p ≤ " + threshold}};
    text += fmt::format("Those up to {} survive a false discovery rate of {:g} % (Benjamini, Hochberg).",
                        threshold, view.input.fdr * 100);
  } else {
    text += fmt::format(
        "None survives a false discovery rate of {:g} % (Benjamini, Hochberg): the i-th smallest would have "
        "to be "
        "at most i times {}.",
        view.input.fdr * 100, reports::format_number(view.input.fdr / static_cast<double>(found.count)));
  }
  text +=
      " Where nothing influences anything, p-values are uniform: what stands above the line at the left is "
      "what influences add.";
  return html::section("p-values", "p-values", html::paragraph(text) + bar_figure(chart));
}

std::string delays(const View& view) {
  if (!view.input.delay) return {};
  std::map<std::int64_t, std::size_t> heights;
  std::size_t counted = 0;
  for (std::size_t source = 0; source < view.count(); ++source) {
    for (std::size_t target = 0; target < view.count(); ++target) {
      if (!std::isfinite(view.te(source, target))) continue;
      if (view.tested() && !view.significant(source, target)) continue;
      ++heights[view.input.delay(source, target)];
      ++counted;
    }
  }
  if (counted == 0)
    return html::section("delays", "Delays",
                         html::paragraph("No edge survives whose delay could be shown.", "none"));
  const std::int64_t first = std::min<std::int64_t>(heights.begin()->first, 1),
                     last = heights.rbegin()->first;
  BarChart chart;
  chart.title = view.tested() ? "Delays of the edges that survive" : "Delays of all ordered pairs";
  chart.x_label = "delay in samples";
  chart.y_label = view.tested() ? "edges" : "pairs";
  const std::int64_t step = 1 + (last - first) / 20;
  for (std::int64_t delay = first; delay <= last; ++delay) {
    const auto found = heights.find(delay);
    const auto index = static_cast<double>(delay - first);
    chart.bars.push_back(
        {fmt::format("{}", delay), found == heights.end() ? 0.0 : static_cast<double>(found->second)});
    if ((delay - first) % step == 0) chart.ticks.push_back({index + 0.5, fmt::format("{}", delay)});
  }
  return html::section(
      "delays", "Delays",
      html::paragraph(
          "Of each pair the delay between source and target, of those scanned, at which its transfer "
          "entropy is largest.") +
          bar_figure(chart));
}

std::string strongest(const View& view) {
  if (view.strongest.empty()) return {};
  const NetworkPageInput& in = view.input;
  html::Grid grid;
  grid.wide = true;
  grid.columns = {"source", "target", "TE, nats"};
  if (view.tested()) grid.columns.insert(grid.columns.end(), {"effective, nats", "p", "verdict"});
  if (in.delay) grid.columns.emplace_back("delay");
  for (const Pair& pair : view.strongest) {
    const auto [source, target, strength] = pair;
    std::vector<html::Cell> row{
        {label(view, source, 36)}, {label(view, target, 36)}, html::number_cell(in.te(source, target))};
    if (view.tested()) {
      row.push_back(html::number_cell(strength));
      row.push_back(html::number_cell(in.p_value(source, target)));
      row.push_back({view.significant(source, target) ? html::badge("survives", "good") : ""});
    }
    if (in.delay) row.push_back(html::count_cell(in.delay(source, target)));
    grid.rows.push_back(std::move(row));
  }
  grid.caption =
      fmt::format("The strongest {} of {} ordered pairs{}", grid.rows.size(), view.pairs(),
                  view.tested() ? ", those that survive first, by effective transfer entropy" : "");
  return html::section("strongest", "Strongest pairs", html::table(grid));
}

}  // namespace assay::program::network_html
