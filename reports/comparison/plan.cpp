#include "reports/comparison/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reports/statistics.hpp"

namespace assay::reports {
namespace {

constexpr double weight_of_a_slowdown = 10.0;
constexpr double processes = 4.0;  // a block

bool measured(const ComparedCase& item) {
  return item.presence == Presence::both && item.left_out.empty() && item.wrong.empty() &&
         item.invalid.empty() && !item.measures.empty();
}

std::size_t blocks_of(const ComparedCase& item) {
  return item.measures.begin()->second.differences().size();
}

std::size_t fresh_blocks_of(const ComparedCase& item) {
  return item.measures.begin()->second.fresh_differences().size();
}

double normal(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

/// How likely a case is to end with a conclusion once it has all its blocks, with a change, and with a
/// slowdown.
struct Outlook {
  double conclusion = 0.0;
  double change = 0.0;
  double slowdown = 0.0;
};

Outlook outlook_of(const ComparedCase& item, const ComparisonRule& rule, double level) {
  Outlook best;
  for (const auto& [measure, series] : item.measures) {
    if (same_at_interim(series, rule)) continue;
    const std::vector<double> differences = series.differences();
    const double centre = median(differences);
    const double error =
        std::max(1e-9, robust_spread(differences) / std::sqrt(static_cast<double>(rule.blocks)));
    const double visible = smallest_visible(differences, rule.margin, level, rule.blocks);
    const double changed = normal((std::abs(centre) - visible) / error);
    const double same = normal((rule.equivalence - std::abs(centre)) / error - 1.645);
    best.conclusion = std::max({best.conclusion, changed, same});
    best.change = std::max(best.change, changed);
    if (centre > 0) best.slowdown = std::max(best.slowdown, changed);
  }
  return best;
}

class Planner {
 public:
  Planner(const std::vector<ComparedCase>& cases, const ComparisonRule& rule, bool identical,
          const Budget& budget)
      : cases_(cases), rule_(rule), identical_(identical), budget_(budget) {
    std::size_t series = 0;
    for (const ComparedCase& item : cases_) {
      if (!measured(item)) continue;
      series += item.measures.size();
    }
    level_ = rule_.family_rate / (2.0 * static_cast<double>(std::max<std::size_t>(1, series)));
  }

  Plan plan() {
    if (const auto begun = in_progress(0, rule_.interim()); !begun.empty()) return go_on(false, begun);
    if (const auto fresh = places([](const ComparedCase& item) { return blocks_of(item) == 0; });
        !fresh.empty()) {
      const bool first = nothing_measured();
      const auto chosen = first ? quickest_first(fresh) : std::vector<std::size_t>{};
      if (!chosen.empty()) return go_on(false, chosen);
      stopped_ = "the budget is spent";
    }
    if (const auto begun = in_progress(rule_.interim(), rule_.blocks); !begun.empty())
      return go_on(false, begun);
    // What changed is confirmed before anything else is taken up: its blocks were set aside for it.
    if (Plan again = confirm(); again.next)
      return again;
    else if (!again.stopped.empty())
      stopped_ = again.stopped;
    const auto waiting = places([&](const ComparedCase& item) {
      return blocks_of(item) == rule_.interim() && rule_.interim() < rule_.blocks && undecided(item);
    });
    if (!waiting.empty()) {
      const auto chosen = likeliest_first(waiting);
      if (!chosen.empty()) return go_on(false, chosen);
      stopped_ = "the budget is spent";
    }
    return {std::nullopt, stopped_};
  }

 private:
  template <typename Predicate>
  std::vector<std::size_t> places(const Predicate& wanted) const {
    std::vector<std::size_t> out;
    for (std::size_t at = 0; at < cases_.size(); ++at)
      if (measured(cases_[at]) && wanted(cases_[at])) out.push_back(at);
    return out;
  }

  /// Cases that have begun a half and not ended it; all of them have as many blocks.
  std::vector<std::size_t> in_progress(std::size_t above, std::size_t below) const {
    return places(
        [&](const ComparedCase& item) { return blocks_of(item) > above && blocks_of(item) < below; });
  }

  bool nothing_measured() const {
    return std::all_of(cases_.begin(), cases_.end(),
                       [](const ComparedCase& item) { return !measured(item) || blocks_of(item) == 0; });
  }

  bool undecided(const ComparedCase& item) const {
    return std::any_of(item.measures.begin(), item.measures.end(),
                       [&](const auto& entry) { return !same_at_interim(entry.second, rule_); });
  }

  double left() const { return budget_.seconds ? *budget_.seconds - budget_.spent : 0.0; }

  /// The cases in that order as far as `blocks_for(case)` blocks of them fit into what is left. The start of
  /// the processes, which all share, is paid for once.
  template <typename Blocks>
  std::vector<std::size_t> that_fit(const std::vector<std::size_t>& order, double shared_blocks,
                                    const Blocks& blocks_for) const {
    if (!budget_.seconds) return order;
    double room = left() - processes * shared_blocks * budget_.process_seconds;
    std::vector<std::size_t> chosen;
    for (const std::size_t at : order) {
      const double cost = processes * blocks_for(at) * cases_[at].seconds;
      if (cost > room) continue;
      room -= cost;
      chosen.push_back(at);
    }
    return chosen;
  }

  std::vector<std::size_t> quickest_first(std::vector<std::size_t> order) const {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return cases_[a].seconds < cases_[b].seconds; });
    const auto half = static_cast<double>(rule_.interim());
    return in_order(that_fit(order, half, [&](std::size_t) { return half; }));
  }

  std::vector<std::size_t> likeliest_first(std::vector<std::size_t> order) const {
    if (!budget_.seconds) return order;
    const auto half = static_cast<double>(rule_.blocks - rule_.interim());
    std::vector<double> blocks(cases_.size(), half), worth(cases_.size(), 0.0);
    for (const std::size_t at : order) {
      const Outlook outlook = outlook_of(cases_[at], rule_, level_);
      const bool confirms = !(rule_.identity && identical_);
      if (confirms) blocks[at] += outlook.change * static_cast<double>(rule_.blocks);
      const double value = outlook.conclusion + (weight_of_a_slowdown - 1) * outlook.slowdown;
      worth[at] = value / (blocks[at] * std::max(1e-9, cases_[at].seconds));
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return worth[a] > worth[b]; });
    return in_order(that_fit(order, half, [&](std::size_t at) { return blocks[at]; }));
  }

  static std::vector<std::size_t> in_order(std::vector<std::size_t> chosen) {
    std::sort(chosen.begin(), chosen.end());
    return chosen;
  }

  /// One block more of these, where even the cheapest case's fits.
  Plan go_on(bool fresh, const std::vector<std::size_t>& chosen) const {
    const ComparedCase& first = cases_[chosen.front()];
    NextBlock next{fresh, fresh ? fresh_blocks_of(first) : blocks_of(first), {}};
    // Cases that were taken up together stay together; others wait their turn.
    for (const std::size_t at : chosen)
      if ((fresh ? fresh_blocks_of(cases_[at]) : blocks_of(cases_[at])) == next.index)
        next.cases.push_back(at);
    if (budget_.seconds && left() <= 0) return {std::nullopt, "the budget is spent"};
    return {std::move(next), stopped_};
  }

  Plan confirm() const {
    if (rule_.identity && identical_) return {std::nullopt, stopped_};
    const std::vector<int> seen = changes_seen(cases_, rule_);
    std::vector<std::size_t> changed;
    std::size_t at = 0;
    for (std::size_t place = 0; place < cases_.size(); ++place) {
      const ComparedCase& item = cases_[place];
      if (item.presence != Presence::both || !item.left_out.empty() || !item.wrong.empty() ||
          !item.invalid.empty())
        continue;
      bool any = false;
      for (std::size_t measure = 0; measure < item.measures.size(); ++measure) any = seen[at++] != 0 || any;
      if (any && fresh_blocks_of(item) < rule_.blocks) changed.push_back(place);
    }
    if (changed.empty()) return {std::nullopt, stopped_};
    const auto begun = places([&](const ComparedCase& item) {
      return fresh_blocks_of(item) > 0 && fresh_blocks_of(item) < rule_.blocks;
    });
    if (!begun.empty()) return go_on(true, begun);
    const auto blocks = static_cast<double>(rule_.blocks);
    const auto chosen = that_fit(changed, blocks, [&](std::size_t) { return blocks; });
    if (chosen.empty()) return {std::nullopt, "the budget is spent"};
    return go_on(true, chosen);
  }

  const std::vector<ComparedCase>& cases_;
  const ComparisonRule& rule_;
  bool identical_;
  const Budget& budget_;
  double level_ = 0.0;
  std::string stopped_;
};

}  // namespace

Plan plan_comparison(const std::vector<ComparedCase>& cases, const ComparisonRule& rule, bool identical,
                     const Budget& budget) {
  return Planner(cases, rule, identical, budget).plan();
}

double longest_seconds(const std::vector<ComparedCase>& cases, const ComparisonRule& rule,
                       const Budget& budget) {
  double block = budget.process_seconds;
  for (const ComparedCase& item : cases)
    if (measured(item)) block += item.seconds;
  return processes * static_cast<double>(rule.blocks) * block;
}

}  // namespace assay::reports
