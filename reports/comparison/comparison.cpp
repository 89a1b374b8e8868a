#include "reports/comparison/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "reports/comparison/holm.hpp"
#include "reports/format.hpp"
#include "reports/statistics.hpp"

namespace assay::reports {
namespace {

std::vector<double> logarithms_of_ratios(const std::vector<double>& base,
                                         const std::vector<double>& candidate) {
  std::vector<double> out;
  for (std::size_t block = 0; block < std::min(base.size(), candidate.size()); ++block)
    out.push_back(std::log(candidate[block] / base[block]));
  return out;
}

bool equivalent(std::span<const double> differences, const ComparisonRule& rule) {
  return equivalence_p(differences, std::log1p(-rule.equivalence), std::log1p(rule.equivalence)) <=
         rule.alpha;
}

bool beyond_the_timer(const ComparisonSeries& series, const ComparisonRule& rule) {
  std::vector<double> changes;
  for (std::size_t block = 0; block < series.base.size(); ++block)
    changes.push_back(series.candidate[block] - series.base[block]);
  return std::abs(median(changes)) > rule.resolution_times * series.resolution;
}

bool under_test(const ComparedCase& item) {
  return item.presence == Presence::both && item.left_out.empty() && item.wrong.empty() &&
         item.invalid.empty();
}

std::size_t series_of(const std::vector<ComparedCase>& cases) {
  std::size_t count = 0;
  for (const ComparedCase& item : cases)
    if (item.presence == Presence::both && item.left_out.empty()) count += item.measures.size();
  return count;
}

std::string percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

/// What is known of a series apart from its verdict.
ComparisonItem described(const ComparedCase& item, const std::string& measure, const ComparisonSeries& series,
                         const ComparisonRule& rule, std::size_t family) {
  ComparisonItem out;
  out.name = item.name;
  out.measure = measure;
  out.unit = series.unit;
  const std::vector<double> differences = series.differences();
  out.blocks = differences.size();
  out.fresh_blocks = series.fresh_differences().size();
  out.smallest_visible = std::expm1(smallest_visible(
      differences, rule.margin, rule.family_rate / static_cast<double>(family), rule.blocks));
  if (differences.empty()) return out;
  out.base = median(series.base);
  out.candidate = median(series.candidate);
  out.ratio = std::exp(median(differences));
  const CentreInterval interval = centre_interval(differences);
  if (std::isfinite(interval.low))
    out.interval = CentreInterval{std::exp(interval.low), std::exp(interval.high)};
  out.equivalence_p = equivalence_p(differences, std::log1p(-rule.equivalence), std::log1p(rule.equivalence));
  return out;
}

/// Which of the changes that the first run saw the fresh one sees too: by series, in order.
std::vector<bool> confirmed(const std::vector<ComparedCase>& cases, const ComparisonRule& rule,
                            const std::vector<int>& seen) {
  std::vector<double> p_values;
  std::vector<std::size_t> places;
  std::size_t at = 0;
  for (const ComparedCase& item : cases) {
    if (!under_test(item)) continue;
    for (const auto& [measure, series] : item.measures) {
      const int direction = seen[at];
      const std::vector<double> fresh = series.fresh_differences();
      if (direction != 0) {
        places.push_back(at);
        p_values.push_back(fresh.size() < rule.blocks ? 1.0
                           : direction > 0            ? sign_flip_above(fresh, rule.margin)
                                                      : sign_flip_below(fresh, rule.margin));
      }
      ++at;
    }
  }
  std::vector<bool> out(seen.size(), false);
  const std::vector<bool> rejected = holm(p_values, rule.family_rate, p_values.size());
  for (std::size_t i = 0; i < places.size(); ++i) out[places[i]] = rejected[i];
  return out;
}

void conclude_change(ComparisonItem& out, const ComparedCase& item, int direction, bool again, bool identical,
                     const ComparisonRule& rule, const std::string& stopped) {
  out.alarmed = true;
  const char* const word = direction > 0 ? "slower" : "faster";
  if (rule.identity && identical && item.same_launches) {
    out.verdict = ComparisonVerdict::environment;
    out.reason =
        fmt::format("{} while machine code, launches and host objects are equal: not the programs", word);
  } else if (out.fresh_blocks < rule.blocks) {
    out.verdict = ComparisonVerdict::inconclusive;
    out.reason = fmt::format("{} in the first run, not confirmed: {}", word,
                             stopped.empty() ? "the fresh run is not complete" : stopped);
  } else if (!again) {
    out.verdict = ComparisonVerdict::inconclusive;
    out.reason = fmt::format("{} in the first run, and not in a fresh one", word);
  } else {
    out.verdict = direction > 0 ? ComparisonVerdict::regressed : ComparisonVerdict::improved;
    out.reason = fmt::format("{} beyond {} in both runs", word, percent(rule.margin));
  }
}

void conclude_without_change(ComparisonItem& out, const ComparisonSeries& series, const ComparisonRule& rule,
                             bool rejected_below_resolution, const std::string& stopped) {
  const std::vector<double> differences = series.differences();
  const bool complete = differences.size() >= rule.blocks;
  if (same_at_interim(series, rule) || (complete && equivalent(differences, rule))) {
    out.verdict = ComparisonVerdict::same;
    out.reason =
        fmt::format("within {} (two one-sided tests, alpha {})", percent(rule.equivalence), rule.alpha);
    return;
  }
  out.verdict = ComparisonVerdict::inconclusive;
  if (!complete)
    out.reason = differences.empty() ? "not measured" : fmt::format("only {} blocks", differences.size());
  else if (rejected_below_resolution)
    out.reason = "a change, but below twice the timer's resolution";
  else
    out.reason = "neither a change nor equivalence is shown";
  if (!complete && !stopped.empty()) out.reason += ": " + stopped;
}

std::string rule_in_words(const ComparisonRule& rule, std::size_t series) {
  return fmt::format(
      "Blocks of four processes, A B B A, the order drawn. After {} blocks only `same` may be concluded (two "
      "one-sided "
      "sign-flip tests against +-{:g} %, alpha {:g}); after {} an exact sign-flip test against a margin of "
      "{:g} %, by "
      "Holm over {} cases x measures in both directions at {:g}. A change must exceed {:g} times the timer's "
      "resolution "
      "and is confirmed in a fresh run.{} Intervals are 95 %, unadjusted.",
      rule.interim(), 100 * rule.equivalence, rule.alpha, rule.blocks, 100 * rule.margin, series,
      rule.family_rate, rule.resolution_times,
      rule.identity ? "" : " Equal machine code is not taken into account.");
}

}  // namespace

std::vector<double> ComparisonSeries::differences() const {
  return logarithms_of_ratios(base, candidate);
}

std::vector<double> ComparisonSeries::fresh_differences() const {
  return logarithms_of_ratios(fresh_base, fresh_candidate);
}

std::size_t fewest_blocks(std::size_t series, const ComparisonRule& rule) {
  return fewest_differences(rule.family_rate / (2.0 * static_cast<double>(std::max<std::size_t>(1, series))));
}

bool same_at_interim(const ComparisonSeries& series, const ComparisonRule& rule) {
  const std::vector<double> differences = series.differences();
  return differences.size() >= rule.interim() &&
         equivalent(std::span(differences).first(rule.interim()), rule);
}

std::vector<int> changes_seen(const std::vector<ComparedCase>& cases, const ComparisonRule& rule,
                              std::vector<double>* slower, std::vector<double>* faster) {
  std::vector<double> p_values;  // slower and faster of each series, in turn
  std::vector<bool> visible;
  for (const ComparedCase& item : cases) {
    if (!under_test(item)) continue;
    for (const auto& [measure, series] : item.measures) {
      const std::vector<double> differences = series.differences();
      const bool open = differences.size() >= rule.blocks && !same_at_interim(series, rule);
      p_values.push_back(open ? sign_flip_above(differences, rule.margin) : 1.0);
      p_values.push_back(open ? sign_flip_below(differences, rule.margin) : 1.0);
      visible.push_back(open && beyond_the_timer(series, rule));
    }
  }
  const std::vector<double> adjusted = holm_adjusted(p_values, 2 * series_of(cases));
  std::vector<int> seen(visible.size(), 0);
  for (std::size_t at = 0; at < visible.size(); ++at) {
    if (slower != nullptr) slower->push_back(adjusted[2 * at]);
    if (faster != nullptr) faster->push_back(adjusted[2 * at + 1]);
    if (!visible[at]) continue;
    if (adjusted[2 * at] <= rule.family_rate)
      seen[at] = 1;
    else if (adjusted[2 * at + 1] <= rule.family_rate)
      seen[at] = -1;
  }
  return seen;
}

std::optional<ComparisonItem> verdict_without_times(const ComparedCase& item) {
  ComparisonItem out;
  out.name = item.name;
  if (item.presence == Presence::base_only) {
    out.verdict = ComparisonVerdict::vanished;
    out.reason = "in the base and not in the candidate: gone or renamed";
  } else if (item.presence == Presence::candidate_only) {
    out.verdict = ComparisonVerdict::added;
    out.reason = "in the candidate and not in the base";
  } else if (!item.wrong.empty()) {
    out.verdict = ComparisonVerdict::incorrect;
    out.reason = item.wrong;
  } else if (!item.invalid.empty()) {
    out.verdict = ComparisonVerdict::invalid;
    out.reason = item.invalid;
  } else if (!item.left_out.empty()) {
    out.verdict = ComparisonVerdict::left_out;
    out.reason = item.left_out;
  } else {
    return std::nullopt;
  }
  return out;
}

void put_worst_first(std::vector<ComparisonItem>& items) {
  std::stable_sort(items.begin(), items.end(), [](const ComparisonItem& a, const ComparisonItem& b) {
    if (a.verdict != b.verdict) return a.verdict < b.verdict;
    return a.ratio.value_or(1.0) > b.ratio.value_or(1.0);
  });
}

ComparisonResult judge_comparison(const std::vector<ComparedCase>& cases, const ComparisonRule& rule,
                                  bool identical, const std::string& stopped) {
  ComparisonResult result;
  result.identical = identical;
  result.series = series_of(cases);
  result.rule = rule_in_words(rule, result.series);
  std::vector<double> slower, faster;
  const std::vector<int> seen = changes_seen(cases, rule, &slower, &faster);
  const std::vector<bool> again = confirmed(cases, rule, seen);
  std::size_t at = 0;
  for (const ComparedCase& item : cases) {
    if (auto whole = verdict_without_times(item)) {
      result.items.push_back(std::move(*whole));
      continue;
    }
    for (const auto& [measure, series] : item.measures) {
      ComparisonItem out = described(item, measure, series, rule, 2 * result.series);
      out.slower_p = slower[at];
      out.faster_p = faster[at];
      if (seen[at] != 0)
        conclude_change(out, item, seen[at], again[at], identical, rule, stopped);
      else
        conclude_without_change(out, series, rule, std::min(slower[at], faster[at]) <= rule.family_rate,
                                stopped);
      result.items.push_back(std::move(out));
      ++at;
    }
  }
  put_worst_first(result.items);
  return result;
}

}  // namespace assay::reports
