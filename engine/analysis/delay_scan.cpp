#include "engine/analysis/delay_scan.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace assay::analysis {

std::optional<InputError> check_delays(const std::vector<std::int64_t>& delays) {
  const auto refuse = [](std::string message) {
    return InputError{InputError::Code::out_of_range, std::move(message), {}, {}, {}};
  };
  if (delays.empty()) return refuse("delay: none given, expected at least one");
  if (std::set<std::int64_t>(delays.begin(), delays.end()).size() != delays.size())
    return refuse("delay: one is given twice, expected each once");
  return std::nullopt;
}

Result<std::int64_t> common_reach(const SeriesTable& table, TeSpec spec,
                                  const std::vector<std::int64_t>& delays) {
  std::int64_t reach = 0;
  for (const std::int64_t delay : delays) {
    spec.delay = delay;
    const Result<Layout> layout = layout_of(table, spec);
    if (!layout) return layout.error();
    reach = std::max(reach, reach_of(layout.value()));
  }
  return reach;
}

Result<DelayScan> scan_delays(const SeriesTable& table, const TeSpec& spec,
                              const std::vector<std::int64_t>& delays, const MeasureOptions& options,
                              const Estimator& estimator, ThreadPool& pool) {
  if (auto error = check_delays(delays)) return *error;
  const Result<std::int64_t> reach = common_reach(table, spec, delays);
  if (!reach) return reach.error();
  DelayScan scan;
  std::vector<double> largest;  // of each surrogate
  for (const std::int64_t delay : delays) {
    TeSpec at = spec;
    at.delay = delay;
    Result<Layout> layout = layout_of(table, at);
    if (!layout) return layout.error();
    layout.value().least_reach = reach.value();
    Result<Estimate> estimate_at = estimate(table, layout.value(), options, estimator, pool);
    if (!estimate_at) return estimate_at.error();
    Estimate& found = estimate_at.value();
    if (found.surrogates) {
      const std::vector<double>& values = found.surrogates->values;
      if (scan.values.empty())
        largest = values;
      else
        std::transform(values.begin(), values.end(), largest.begin(), largest.begin(),
                       [](double value, double most) { return std::max(most, value); });
    }
    const double best = scan.estimate.value;
    if (scan.values.empty() || found.value > best || (found.value == best && delay < scan.delay)) {
      scan.delay = delay;
      scan.values.push_back(found.value);
      scan.estimate = std::move(found);
    } else {
      scan.values.push_back(found.value);
    }
  }
  if (scan.estimate.surrogates) scan.estimate.surrogates = summarise(scan.estimate.value, std::move(largest));
  return scan;
}

}  // namespace assay::analysis
