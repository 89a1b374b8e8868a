#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "reports/comparison/comparison.hpp"
#include "reports/escape.hpp"
#include "reports/format.hpp"

namespace assay::reports {
namespace {

constexpr std::array<std::string_view, 10> verdict_names{
    "invalid",  "incorrect",   "regressed", "vanished", "inconclusive",
    "improved", "environment", "added",     "left out", "same"};

std::string value_text(const ComparisonItem& item, double value) {
  if (item.blocks == 0) return "-";
  return item.unit == "ns" ? format_time(value) : format_number(value);
}

std::string change_text(double ratio) {
  return fmt::format("{:+.2f} %", 100 * (ratio - 1));
}

std::string interval_text(const ComparisonItem& item) {
  if (!item.interval) return "-";
  return fmt::format("{} to {}", change_text(item.interval->low), change_text(item.interval->high));
}

std::string row_of(const ComparisonItem& item) {
  const std::string visible = item.measure.empty() || !std::isfinite(item.smallest_visible)
                                  ? "-"
                                  : fmt::format("{:.2f} %", 100 * item.smallest_visible);
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", to_string(item.verdict),
                     escape_markdown(item.name), item.measure.empty() ? "-" : item.measure,
                     value_text(item, item.base), value_text(item, item.candidate),
                     item.ratio ? change_text(*item.ratio) : "-", interval_text(item), visible,
                     item.blocks + item.fresh_blocks, escape_markdown(item.reason));
}

}  // namespace

std::string_view to_string(ComparisonVerdict verdict) {
  return verdict_names.at(static_cast<std::size_t>(verdict));
}

int ComparisonResult::count(ComparisonVerdict verdict) const {
  return static_cast<int>(std::count_if(items.begin(), items.end(),
                                        [&](const ComparisonItem& item) { return item.verdict == verdict; }));
}

int ComparisonResult::exit_code(bool strict) const {
  if (count(ComparisonVerdict::invalid) > 0) return 7;
  if (count(ComparisonVerdict::incorrect) > 0) return 3;
  if (count(ComparisonVerdict::regressed) > 0) return 4;
  if (count(ComparisonVerdict::vanished) > 0 || series == 0) return 6;
  return strict && count(ComparisonVerdict::inconclusive) > 0 ? 5 : 0;
}

std::string ComparisonResult::headline() const {
  const int code = exit_code(false);
  const char* const colour = code == 7   ? "Invalid"
                             : code == 3 ? "Red: an answer is wrong"
                             : code == 4 ? (counted ? "Red: more instructions" : "Red: slower")
                             : code == 6
                                 ? (series == 0 ? "Nothing was compared" : "Red: a benchmark vanished")
                                 : "Green";
  std::string text = std::string(colour) + ":";
  for (std::size_t at = 0; at < verdict_names.size(); ++at) {
    const int number = count(static_cast<ComparisonVerdict>(at));
    if (number > 0) text += fmt::format(" {} {},", number, verdict_names[at]);
  }
  text.pop_back();
  if (identical) text += "; the two programs run the same machine code";
  return text;
}

std::string ComparisonResult::markdown(std::size_t limit) const {
  std::string text = "**" + headline() + "**\n\n";
  text += fmt::format(
      "| verdict | case | measure | base | candidate | change | {} | smallest visible | {} | why |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n",
      counted ? "of any two processes" : "95 %, unadjusted", counted ? "processes" : "blocks");
  const std::string end = "\n" + rule + "\n";
  std::size_t shown = 0;
  for (const ComparisonItem& item : items) {
    const std::string row = row_of(item);
    if (text.size() + row.size() + end.size() + 64 > limit) break;
    text += row;
    ++shown;
  }
  if (shown < items.size()) text += fmt::format("\n{} more rows, none worse.\n", items.size() - shown);
  return text + end;
}

}  // namespace assay::reports
