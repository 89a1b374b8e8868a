#include "reports/comparison/false_alarms.hpp"

#include <set>

#include "reports/statistics.hpp"

namespace assay::reports {

double KnownTruth::bound_by_run() const {
  return rate_upper_bound(changed_runs, runs);
}

double KnownTruth::found_at_least() const {
  return 1.0 - rate_upper_bound(cases - regressed, cases);
}

std::vector<KnownTruth> known_truth(const std::string& condition,
                                    const std::vector<ComparisonResult>& results) {
  std::map<std::string, KnownTruth> by_measure;
  for (const ComparisonResult& result : results) {
    std::set<std::string> measures, red, changed;
    for (const ComparisonItem& item : result.items) {
      if (item.measure.empty()) continue;
      KnownTruth& truth = by_measure[item.measure];
      measures.insert(item.measure);
      ++truth.cases;
      truth.alarms += item.alarmed;
      truth.same += item.verdict == ComparisonVerdict::same;
      truth.inconclusive += item.verdict == ComparisonVerdict::inconclusive;
      truth.regressed += item.verdict == ComparisonVerdict::regressed;
      truth.improved += item.verdict == ComparisonVerdict::improved;
      if (item.verdict == ComparisonVerdict::regressed) red.insert(item.measure);
      if (item.verdict == ComparisonVerdict::regressed || item.verdict == ComparisonVerdict::improved)
        changed.insert(item.measure);
    }
    for (const std::string& measure : measures) ++by_measure[measure].runs;
    for (const std::string& measure : red) ++by_measure[measure].red_runs;
    for (const std::string& measure : changed) ++by_measure[measure].changed_runs;
  }
  std::vector<KnownTruth> out;
  for (auto& [measure, truth] : by_measure) {
    truth.condition = condition;
    truth.measure = measure;
    out.push_back(truth);
  }
  return out;
}

}  // namespace assay::reports
