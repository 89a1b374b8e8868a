#include <fmt/format.h>

#include <array>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/gate.hpp"

namespace assay::reports {
namespace {

constexpr std::array<std::pair<GateVerdict, std::string_view>, 12> verdict_names{{
    {GateVerdict::invalid, "invalid"},
    {GateVerdict::device_missing, "device missing"},
    {GateVerdict::incorrect, "incorrect"},
    {GateVerdict::regressed, "regressed"},
    {GateVerdict::vacuous, "vacuous"},
    {GateVerdict::vanished, "vanished"},
    {GateVerdict::no_baseline, "no baseline"},
    {GateVerdict::waived, "waived"},
    {GateVerdict::inconclusive, "inconclusive"},
    {GateVerdict::improved, "improved"},
    {GateVerdict::added, "added"},
    {GateVerdict::same, "same"},
}};

std::string item_row(const GateItem& item) {
  std::string times = "–", ratio = "–";
  if (item.median_ns > 0.0)
    times = format_time(item.baseline_median_ns) + " → " + format_time(item.median_ns);
  if (item.ratio)
    ratio = fmt::format("{:.3f} [{:.3f}, {:.3f}]", item.ratio->value, item.ratio->interval.low,
                        item.ratio->interval.high);
  std::string reason = escape_markdown(item.reason);
  if (!item.replay.empty()) reason += " (`assay replay " + escape_markdown_code(item.replay) + "`)";
  return fmt::format("| {} | {} {} | {} | {} | {} |\n", to_string(item.verdict), item.subject,
                     escape_markdown(item.key), times, ratio, reason);
}

std::string totals(const GateResult& result) {
  std::string out;
  for (const auto& [verdict, name] : verdict_names)
    if (const int count = result.count(verdict))
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, name);
  return out.empty() ? "nothing to compare" : out;
}

std::string check_totals(const GateResult& result) {
  std::string out;
  for (int i = 0; i < verdict_count; ++i) {
    const auto verdict = static_cast<Verdict>(i);
    const int count = result.count(verdict);
    // What was not done is always said, also when it is nothing.
    const bool always = verdict == Verdict::pass || verdict == Verdict::fail ||
                        verdict == Verdict::not_executed || verdict == Verdict::vacuous;
    if (count > 0 || always)
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, to_string(verdict));
  }
  return out;
}

}  // namespace

std::string_view to_string(GateVerdict verdict) {
  for (const auto& [value, name] : verdict_names)
    if (value == verdict) return name;
  return "unknown";
}

int GateResult::count(Verdict verdict) const {
  const auto found = checks.find(verdict);
  return found == checks.end() ? 0 : found->second;
}

int GateResult::count(GateVerdict verdict) const {
  const auto found = counts.find(verdict);
  return found == counts.end() ? 0 : found->second;
}

std::string_view exit_code_meaning(int code) {
  constexpr std::array<std::string_view, 8> meanings{"ok",
                                                     "tool error",
                                                     "usage or bad input",
                                                     "incorrect",
                                                     "regressed",
                                                     "inconclusive",
                                                     "vacuous, vanished or no baseline",
                                                     "measurement invalid or device missing"};
  return code >= 0 && code < 8 ? meanings[static_cast<std::size_t>(code)] : "tool error";
}

std::string GateResult::headline() const {
  // The exit code is one number; the headline names all that is wrong, what matters most to a reader first.
  std::string reasons;
  for (const GateVerdict verdict :
       {GateVerdict::incorrect, GateVerdict::regressed, GateVerdict::invalid, GateVerdict::device_missing,
        GateVerdict::vanished, GateVerdict::vacuous, GateVerdict::no_baseline})
    if (const int number = count(verdict))
      reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", number, to_string(verdict));
  if (exit_code == 3 || exit_code == 4 || exit_code == 7) return "Red: " + reasons;
  if (exit_code == 6) return "Not green: " + reasons;
  if (exit_code == 5)
    return fmt::format("Don't know: {} cannot be told",
                       format_count(count(GateVerdict::inconclusive), "comparison"));
  if (exit_code != 0) return "Red: the tool failed";
  if (record_as_baseline) return "Green: first run, recorded as the baseline";
  const int unknown = count(GateVerdict::inconclusive), waived = count(GateVerdict::waived);
  const std::string lets_pass = waived > 0 ? format_count(waived, "waived red") : "";
  if (unknown > 0)
    return fmt::format("Green, with {}{}{} that cannot be told", lets_pass, waived > 0 ? " and " : "",
                       format_count(unknown, "comparison"));
  if (waived > 0) return "Green, with " + lets_pass;
  return "Green: checked, and nothing got slower";
}

std::string GateResult::markdown(std::size_t limit) const {
  std::string out = fmt::format("## {}\n\n", headline());
  out += fmt::format("Exit code {} ({}). {}.\n\n", exit_code, exit_code_meaning(exit_code),
                     escape_markdown(baseline_note));
  out += fmt::format("Checks: {}.\n\nVerdicts: {}.\n\n", escape_markdown(check_totals(*this)), totals(*this));
  std::string footer;
  for (const std::string& line : unused_waivers) footer += "\nNote: " + escape_markdown(line) + ".\n";
  footer += "\n" + escape_markdown(rule) + "\n";
  if (!items.empty()) {
    out += "| verdict | what | baseline → now | ratio [interval] | why |\n|---|---|---|---|---|\n";
    constexpr std::size_t room_for_rest = 200;
    std::size_t shown = 0;
    for (const GateItem& item : items) {
      const std::string row = item_row(item);
      if (out.size() + row.size() + footer.size() + room_for_rest > limit) break;
      out += row;
      ++shown;
    }
    if (shown < items.size()) out += fmt::format("\nand {} more, all less severe.\n", items.size() - shown);
  }
  return out + footer;
}

}  // namespace assay::reports
