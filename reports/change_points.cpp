#include "reports/change_points.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "reports/format.hpp"
#include "reports/statistics.hpp"

namespace assay::reports {
namespace {

/// What has to be equal for two times to be comparable.
using SeriesKey = std::tuple<std::string, std::string, std::string,  // operation, label, backend
                             std::string, std::string, bool>;        // branch, fingerprint, quick

struct Measured {
  const RunSummary* run = nullptr;
  double median_ns = 0.0;
};

std::map<SeriesKey, std::vector<Measured>> series_of(const History& history) {
  std::map<std::int64_t, const RunSummary*> runs;
  std::map<std::int64_t, std::string> fingerprints;
  for (const RunSummary& run : history.runs) {
    runs[run.sequence] = &run;
    fingerprints[run.sequence] = run.run.environment.fingerprint();
  }
  std::map<SeriesKey, std::vector<Measured>> out;
  for (const BenchmarkPoint& point : history.benchmarks) {
    const auto found = runs.find(point.sequence);
    // A peer is not ours to bisect; what is invalid is a gap.
    if (found == runs.end() || !point.peer.empty() || point.validity != Validity::valid) continue;
    if (!std::isfinite(point.median_ns) || point.median_ns <= 0.0) continue;
    const RunSummary& run = *found->second;
    out[{point.operation, point.label, point.backend, run.run.branch, fingerprints[point.sequence],
         run.run.quick}]
        .push_back({&run, point.median_ns});
  }
  return out;
}

double middle(std::span<const Measured> part) {
  std::vector<double> times;
  for (const Measured& each : part) times.push_back(each.median_ns);
  return median(times);
}

void find_in(const SeriesKey& key, std::span<const Measured> series, const DivisiveOptions& options,
             std::vector<ChangePoint>& out) {
  if (series.size() > longest_series) series = series.last(longest_series);
  std::vector<double> logarithms;
  for (const Measured& each : series) logarithms.push_back(std::log(each.median_ns));
  const std::vector<Split> splits = e_divisive(logarithms, options);
  for (std::size_t i = 0; i < splits.size(); ++i) {
    const std::size_t begin = i == 0 ? 0 : splits[i - 1].at, at = splits[i].at;
    const std::size_t end = i + 1 == splits.size() ? series.size() : splits[i + 1].at;
    const RunSummary &before = *series[at - 1].run, &after = *series[at].run;
    ChangePoint point;
    std::tie(point.operation, point.label, point.backend, std::ignore, std::ignore, std::ignore) = key;
    point.sequence_before = before.sequence;
    point.sequence_after = after.sequence;
    point.commit_before = before.run.commit;
    point.commit_after = after.run.commit;
    point.started_after = after.run.started_at;
    point.dirty = before.run.dirty || after.run.dirty;
    point.median_before_ns = middle(series.subspan(begin, at - begin));
    point.median_after_ns = middle(series.subspan(at, end - at));
    point.ratio = point.median_after_ns / point.median_before_ns;
    point.p_value = splits[i].p_value;
    out.push_back(std::move(point));
  }
}

}  // namespace

void to_json(nlohmann::json& j, const ChangePoint& point) {
  j = {{"operation", point.operation},
       {"label", point.label},
       {"backend", point.backend},
       {"sequence_before", point.sequence_before},
       {"sequence_after", point.sequence_after},
       {"commit_before", point.commit_before},
       {"commit_after", point.commit_after},
       {"commit_range", commit_range(point)},
       {"started_after", point.started_after},
       {"dirty", point.dirty},
       {"median_before_ns", point.median_before_ns},
       {"median_after_ns", point.median_after_ns},
       {"ratio", point.ratio},
       {"p_value", point.p_value}};
}

std::string commit_range(const ChangePoint& point) {
  if (point.commit_before.empty() || point.commit_after.empty()) return "unknown commits";
  const std::string local = point.dirty ? " (with local changes)" : "";
  if (point.commit_before == point.commit_after) return "within " + format_short(point.commit_after) + local;
  return format_short(point.commit_before) + ".." + format_short(point.commit_after) + local;
}

std::vector<ChangePoint> change_points(const History& history, const DivisiveOptions& options) {
  std::vector<ChangePoint> out;
  for (const auto& [key, series] : series_of(history)) find_in(key, series, options, out);
  std::stable_sort(out.begin(), out.end(), [](const ChangePoint& a, const ChangePoint& b) {
    return a.sequence_after > b.sequence_after;
  });
  return out;
}

}  // namespace assay::reports
