#include "reports/comparison/counted.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/statistics.hpp"

namespace assay::reports {
namespace {

ComparisonItem judged(const ComparedCase& item, const ComparisonSeries& series, const CountedRule& rule,
                      bool identical) {
  ComparisonItem out;
  out.name = item.name;
  out.measure = counted_measure;
  out.unit = series.unit;
  out.blocks = std::min(series.base.size(), series.candidate.size());
  if (out.blocks < 2) {
    out.reason = "counted in fewer than two processes of each program";
    return out;
  }
  const auto [least_a, most_a] = std::minmax_element(series.base.begin(), series.base.end());
  const auto [least_b, most_b] = std::minmax_element(series.candidate.begin(), series.candidate.end());
  out.base = median(series.base);
  out.candidate = median(series.candidate);
  out.ratio = out.candidate / out.base;
  const CentreInterval ratios{*least_b / *most_a, *most_b / *least_a};
  out.interval = ratios;
  out.smallest_visible = rule.margin + ratios.high / ratios.low - 1;
  const bool slower = ratios.low > 1 + rule.margin, faster = ratios.high < 1 - rule.margin;
  out.alarmed = slower || faster;
  const std::string how = fmt::format("{:+.3f} % instructions", 100 * (*out.ratio - 1));
  if ((slower || faster) && rule.identity && identical) {
    out.verdict = ComparisonVerdict::environment;
    out.reason = how + " while machine code and host objects are equal: not the programs";
  } else if (slower) {
    out.verdict = ComparisonVerdict::regressed;
    out.reason = how;
  } else if (faster) {
    out.verdict = ComparisonVerdict::improved;
    out.reason = how;
  } else if (ratios.low >= 1 - rule.margin && ratios.high <= 1 + rule.margin) {
    out.verdict = ComparisonVerdict::same;
    out.reason = fmt::format("within {:g} % in every process", 100 * rule.margin);
  } else {
    out.verdict = ComparisonVerdict::inconclusive;
    out.reason = fmt::format("counts of one program differ by {:.3f} %",
                             100 * std::max(*most_a / *least_a - 1, *most_b / *least_b - 1));
  }
  return out;
}

}  // namespace

ComparisonResult judge_counted(const std::vector<ComparedCase>& cases, const CountedRule& rule,
                               bool identical) {
  ComparisonResult result;
  result.identical = identical;
  result.counted = true;
  for (const ComparedCase& item : cases) {
    if (auto whole = verdict_without_times(item)) {
      result.items.push_back(std::move(*whole));
      continue;
    }
    const auto counted = item.measures.find(counted_measure);
    result.items.push_back(
        judged(item, counted == item.measures.end() ? ComparisonSeries() : counted->second, rule, identical));
    ++result.series;
  }
  result.rule = fmt::format(
      "Instructions of one call, counted by Valgrind on its own model of the processor, in two processes of "
      "each program, {} cases. "
      "A change is one beyond {:g} % between any two processes. Counts say nothing of time.{}",
      result.series, 100 * rule.margin,
      rule.identity ? "" : " Equal machine code is not taken into account.");
  put_worst_first(result.items);
  return result;
}

}  // namespace assay::reports
