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

/// The interval of one ratio on a logarithmic axis from half to double, with the margin as a band and 1 as a
/// line.
std::string forest_mark(const Ratio& ratio, double margin) {
  constexpr double width = 190, height = 20, middle = height / 2;
  const auto at = [&](double value) {
    return width / 2 + std::clamp(std::log2(value), -1.0, 1.0) * (width / 2 - 4);
  };
  const double low = at(ratio.interval.low), high = at(ratio.interval.high), centre = at(ratio.value);
  const double band_low = at(1.0 / (1.0 + margin)), band_high = at(1.0 + margin);
  return fmt::format(
      "<svg class=\"forest\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"ratio {2:.3f}, interval "
      "{3:.3f} to "
      "{4:.3f}\"><rect x=\"{5:.1f}\" y=\"0\" width=\"{6:.1f}\" height=\"{1}\"/><line class=\"one\" "
      "x1=\"{7}\" "
      "x2=\"{7}\" y1=\"0\" y2=\"{1}\"/><line x1=\"{8:.1f}\" x2=\"{9:.1f}\" y1=\"{10}\" y2=\"{10}\"/><circle "
      "cx=\"{11:.1f}\" cy=\"{10}\" r=\"4\"/></svg>",
      width, height, ratio.value, ratio.interval.low, ratio.interval.high, band_low, band_high - band_low,
      width / 2, low, high, middle, centre);
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
  grid.columns = {"verdict", "benchmark", "baseline", "now", "ratio", "interval", "½ … 1 … 2", "why"};
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
         {forest_mark(*item.ratio, input.gate.margin), fmt::format("{}", value)},
         text_cell(item.reason)});
  }
  std::string body = paragraph(input.gate.baseline_note + ".");
  if (grid.rows.empty())
    body += paragraph("No benchmark of this run has a time in a baseline to compare with.", "none");
  body += table(grid) + fold("The rule", paragraph(input.gate.rule));
  return section("comparison", "Against the baseline", body);
}

}  // namespace assay::reports::html
