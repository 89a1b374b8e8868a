#include "reports/changes.hpp"

#include <algorithm>

#include "reports/statistics.hpp"

namespace assay::reports {
namespace {

using Kind = Change::Kind;

std::map<std::string, const Check*> by_key(const std::vector<Check>& checks) {
  std::map<std::string, const Check*> out;
  for (const Check& check : checks) out[check_key(check)] = &check;
  return out;
}

std::map<std::string, const Benchmark*> by_key(const std::vector<Benchmark>& benchmarks) {
  std::map<std::string, const Benchmark*> out;
  for (const Benchmark& benchmark : benchmarks) out[benchmark_key(benchmark)] = &benchmark;
  return out;
}

Change change(Kind kind, const std::string& key) {
  Change out;
  out.kind = kind;
  out.key = key;
  return out;
}

/// Appends those of `some` that `others` lacks.
void add_missing(std::vector<Change>& out, Kind kind, const std::vector<OperationInfo>& some,
                 const std::vector<OperationInfo>& others) {
  for (const OperationInfo& operation : some) {
    if (std::any_of(others.begin(), others.end(),
                    [&](const OperationInfo& other) { return other.name == operation.name; }))
      continue;
    out.push_back(change(kind, operation.name));
    out.back().summary = operation.summary;
  }
}

void add_checks(std::vector<Change>& out, const RunRecord& before, const RunRecord& now) {
  const auto old_checks = by_key(before.checks), new_checks = by_key(now.checks);
  for (const auto& [key, check] : new_checks) {
    const auto found = old_checks.find(key);
    const bool is_new = found == old_checks.end();
    if (!is_new && found->second->verdict == check->verdict) continue;
    out.push_back(change(is_new ? Kind::check_added : Kind::verdict, key));
    out.back().verdict_now = check->verdict;
    if (!is_new) out.back().verdict_before = found->second->verdict;
  }
  for (const auto& [key, check] : old_checks) {
    if (new_checks.count(key)) continue;
    out.push_back(change(Kind::check_gone, key));
    out.back().verdict_before = check->verdict;
  }
}

void add_benchmarks(std::vector<Change>& out, const RunRecord& before, const RunRecord& now) {
  const auto old_times = by_key(before.benchmarks), new_times = by_key(now.benchmarks);
  const bool comparable = before.run.environment.fingerprint() == now.run.environment.fingerprint();
  std::vector<Change> moved;
  for (const auto& [key, benchmark] : new_times) {
    const auto found = old_times.find(key);
    if (found == old_times.end()) {
      out.push_back(change(Kind::benchmark_added, key));
      out.back().ns_now = benchmark->median_ns;
      continue;
    }
    const auto ratio = comparable ? ratio_of_medians(*benchmark, *found->second) : std::nullopt;
    if (!ratio || (ratio->interval.low <= 1.0 && ratio->interval.high >= 1.0)) continue;
    Change one = change(ratio->value > 1.0 ? Kind::slower : Kind::faster, key);
    one.ns_before = found->second->median_ns;
    one.ns_now = benchmark->median_ns;
    one.ratio = ratio->value;
    moved.push_back(std::move(one));
  }
  std::stable_sort(moved.begin(), moved.end(),
                   [](const Change& a, const Change& b) { return a.ratio > b.ratio; });
  std::move(moved.begin(), moved.end(), std::back_inserter(out));
  for (const auto& [key, benchmark] : old_times) {
    if (new_times.count(key)) continue;
    out.push_back(change(Kind::benchmark_gone, key));
    out.back().ns_before = benchmark->median_ns;
  }
}

}  // namespace

std::string_view to_string(Change::Kind kind) {
  switch (kind) {
    case Kind::operation_added:
      return "new operation";
    case Kind::operation_gone:
      return "operation gone";
    case Kind::check_added:
      return "new check";
    case Kind::verdict:
      return "verdict";
    case Kind::check_gone:
      return "check gone";
    case Kind::benchmark_added:
      return "new benchmark";
    case Kind::slower:
      return "slower";
    case Kind::faster:
      return "faster";
    case Kind::benchmark_gone:
      return "benchmark gone";
  }
  return "unknown";
}

std::vector<Change> changes_between(const RunRecord& before, const RunRecord& now) {
  std::vector<Change> out;
  add_missing(out, Kind::operation_added, now.operations, before.operations);
  add_missing(out, Kind::operation_gone, before.operations, now.operations);
  add_checks(out, before, now);
  add_benchmarks(out, before, now);
  return out;
}

}  // namespace assay::reports
