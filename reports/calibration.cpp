#include "reports/calibration.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "reports/statistics.hpp"

namespace assay::reports {
namespace {

std::string machine_of(const Run& run) {
  const std::string device = run.environment.get("device");
  const std::string cpu = run.environment.get("cpu");
  return device.empty() || device == "none" ? cpu : device + ", " + cpu;
}

}  // namespace

double Tally::upper_bound() const {
  return rate_upper_bound(failures, trials);
}

std::string family_of(std::string_view operation) {
  return std::string(operation.substr(0, operation.find('.')));
}

std::vector<Tally> tallies(std::span<const RunRecord> runs, CalibrationSubject subject,
                           const std::function<std::string(const Calibration&)>& scope_of) {
  std::vector<Tally> out;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> places;
  std::map<std::string, std::string> newest;  // of a state: when its last run began
  std::vector<std::string> states;
  for (const RunRecord& record : runs) {
    const Run& run = record.run;
    // Without a commit, or with local changes, nothing says that two runs had the same sources.
    const std::string state = run.dirty || run.commit.empty() ? run.commit + '+' + run.id : run.commit;
    for (const Calibration& item : record.calibrations) {
      if (item.subject != subject) continue;
      const std::string scope = scope_of(item);
      const auto [place, fresh] = places.try_emplace({state, item.backend, scope}, out.size());
      if (fresh) {
        out.push_back({run.commit, run.dirty, run.started_at, machine_of(run), item.backend, scope});
        states.push_back(state);
      }
      Tally& tally = out[place->second];
      tally.when = std::max(tally.when, run.started_at);
      newest[state] = std::max(newest[state], tally.when);
      tally.trials += item.trials;
      tally.failures += item.failures;
      tally.seconds += item.elapsed_ms * 1e-3;
      if (item.utilisation) tally.utilisation = std::max(tally.utilisation.value_or(0.0), *item.utilisation);
    }
  }
  std::vector<std::size_t> order(out.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return newest[states[a]] > newest[states[b]]; });
  std::vector<Tally> sorted;
  for (const std::size_t i : order) sorted.push_back(std::move(out[i]));
  return sorted;
}

const RunRecord* newest_with(std::span<const RunRecord> runs, CalibrationSubject subject,
                             std::string_view backend) {
  const RunRecord* newest = nullptr;
  for (const RunRecord& record : runs) {
    const bool holds =
        std::any_of(record.calibrations.begin(), record.calibrations.end(), [&](const Calibration& item) {
          return item.subject == subject && (backend.empty() || item.backend == backend);
        });
    if (holds && (newest == nullptr || record.run.started_at > newest->run.started_at)) newest = &record;
  }
  return newest;
}

std::vector<const Calibration*> of_subject(const RunRecord& run, CalibrationSubject subject) {
  std::vector<const Calibration*> out;
  for (const Calibration& item : run.calibrations)
    if (item.subject == subject) out.push_back(&item);
  return out;
}

}  // namespace assay::reports
