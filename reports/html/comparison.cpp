#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

std::string_view tone_of(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::invalid:
    case GateVerdict::device_missing:
    case GateVerdict::incorrect:
    case GateVerdict::regressed:
      return "bad";
    case GateVerdict::vacuous:
    case GateVerdict::vanished:
    case GateVerdict::no_baseline:
    case GateVerdict::waived:
    case GateVerdict::inconclusive:
      return "warn";
    case GateVerdict::improved:
      return "good";
    case GateVerdict::added:
    case GateVerdict::same:
      break;
  }
  return "quiet";
}

/// The common axis of the forest plot: logarithmic and symmetric about 1, as wide as the widest interval that
/// is drawn, at least three margins and at most a factor of four. What lies beyond ends at its edge.
struct ForestAxis {
  double limit = 1.0;  // log2 of the ratio at the right edge

  ForestAxis(const std::vector<const GateItem*>& items, double margin) {
    limit = 3.0 * std::log2(1.0 + margin);
    for (const GateItem* item : items)
      for (const double end : {item->ratio->interval.low, item->ratio->interval.high})
        if (end > 0.0 && std::isfinite(end)) limit = std::max(limit, 1.05 * std::abs(std::log2(end)));
    limit = std::clamp(limit, 0.01, 2.0);
  }
  /// In percent of the width.
  double at(double ratio) const { return 50.0 + 50.0 * std::clamp(std::log2(ratio) / limit, -1.0, 1.0); }
};

std::string forest_row(const GateItem& item, const ForestAxis& axis, double margin) {
  const auto& [value, interval] = *item.ratio;
  const double low = axis.at(interval.low), high = axis.at(interval.high);
  const double band = axis.at(1.0 / (1.0 + margin));
  return fmt::format(
      "<li class=\"{}\">{}<span class=\"value\">{:.3f} {}</span><span class=\"lane\" role=\"img\" "
      "aria-label=\"ratio {:.3f}, interval {:.3f} to {:.3f}\"><i class=\"band\" "
      "style=\"left:{:.2f}%;right:{:.2f}%\"></i><i class=\"one\"></i><i class=\"bar\" "
      "style=\"left:{:.2f}%;width:{:.2f}%\"></i><i class=\"dot\" style=\"left:{:.2f}%\"></i></span></li>\n",
      tone_of(item.verdict), code_cell(item.key).html, value,
      badge(to_string(item.verdict), tone_of(item.verdict)), value, interval.low, interval.high, band, band,
      low, high - low, axis.at(value));
}

/// Every ratio with its interval on one axis, worst first; the margin as a band, 1 as a line. Drawn with
/// boxes in percent, not as SVG, so that texts keep their size on a narrow screen.
std::string forest_plot(const GateResult& gate) {
  constexpr std::size_t most = 40;
  std::vector<const GateItem*> items;
  std::size_t all = 0;
  for (const GateItem& item : gate.items)
    if (item.ratio && ++all <= most) items.push_back(&item);
  if (items.empty()) return {};
  const ForestAxis axis(items, gate.margin);
  std::string out = fmt::format(
      "<figure class=\"forest\"><figcaption>Ratios with their 95 % intervals, worst first; the band is the "
      "margin of {:.0f} "
      "%</figcaption>\n<ol>\n<li class=\"axis\" aria-hidden=\"true\"><span class=\"lane\"><b>← faster "
      "{:.2f}</b><b>1</b>"
      "<b>{:.2f} slower →</b></span></li>\n",
      100.0 * gate.margin, std::exp2(-axis.limit), std::exp2(axis.limit));
  for (const GateItem* item : items) out += forest_row(*item, axis, gate.margin);
  out += "</ol>";
  if (all > most)
    out += paragraph(fmt::format("And {} more in the table, all less severe.", all - most), "small");
  return out + "</figure>\n";
}

std::string replay_hint(const GateItem& item) {
  return item.replay.empty() ? "" : "<br><code>assay replay " + escape_html(item.replay) + "</code>";
}

}  // namespace

std::string findings(const ReportInput& input) {
  Grid grid;
  grid.caption = "What is not green, worst first";
  grid.columns = {"verdict", "what", "where", "why"};
  grid.stack = true;
  for (const GateItem& item : input.gate.items) {
    if (item.verdict > GateVerdict::inconclusive || item.ratio) continue;
    grid.rows.push_back(
        {{badge(to_string(item.verdict), tone_of(item.verdict)), std::string(to_string(item.verdict))},
         text_cell(item.subject),
         code_cell(item.key),
         {escape_html(item.reason) + replay_hint(item)}});
  }
  std::string notes;
  for (const std::string& line : input.gate.unused_waivers) notes += paragraph("Note: " + line + ".");
  if (grid.rows.empty() && notes.empty()) return {};
  return section("findings", "Findings", (grid.rows.empty() ? "" : table(grid)) + notes);
}

std::string comparison(const ReportInput& input) {
  Grid grid;
  grid.caption = "Ratio of the medians, this run over the baseline, worst first";
  grid.columns = {"verdict", "benchmark", "baseline", "now", "ratio", "interval", "why"};
  grid.wide = true;
  for (const GateItem& item : input.gate.items) {
    if (!item.ratio) continue;
    const auto& [value, interval] = *item.ratio;
    grid.rows.push_back(
        {{badge(to_string(item.verdict), tone_of(item.verdict)), std::string(to_string(item.verdict))},
         code_cell(item.key),
         time_cell(item.baseline_median_ns),
         time_cell(item.median_ns),
         number_cell(value, fmt::format("{:.3f}", value)),
         {fmt::format("{:.3f} – {:.3f}", interval.low, interval.high), fmt::format("{}", interval.high)},
         text_cell(item.reason)});
  }
  std::string body = paragraph(input.gate.baseline_note + ".");
  if (grid.rows.empty())
    body += paragraph("No benchmark of this run has a time in a baseline to compare with.", "none");
  body += forest_plot(input.gate) + table(grid) + fold("The rule", paragraph(input.gate.rule));
  return section("comparison", "Against the baseline", body);
}

}  // namespace assay::reports::html
