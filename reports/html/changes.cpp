#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

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

void add_row(Grid& grid, const std::string& kind, const std::string& key, const std::string& html) {
  grid.rows.push_back({text_cell(kind), code_cell(key), {html}});
}

void check_changes(Grid& grid, const RunRecord& before, const RunRecord& now) {
  const auto old_checks = by_key(before.checks), new_checks = by_key(now.checks);
  for (const auto& [key, check] : new_checks) {
    const auto found = old_checks.find(key);
    if (found == old_checks.end())
      add_row(grid, "new check", key, badge(check->verdict));
    else if (found->second->verdict != check->verdict)
      add_row(grid, "verdict", key, badge(found->second->verdict) + " → " + badge(check->verdict));
  }
  for (const auto& [key, check] : old_checks)
    if (!new_checks.count(key)) add_row(grid, "check gone", key, "was " + badge(check->verdict));
}

void benchmark_changes(Grid& grid, const RunRecord& before, const RunRecord& now) {
  const auto old_times = by_key(before.benchmarks), new_times = by_key(now.benchmarks);
  const bool comparable = before.run.environment.fingerprint() == now.run.environment.fingerprint();
  std::vector<std::pair<double, std::string>> moved;
  for (const auto& [key, benchmark] : new_times) {
    const auto found = old_times.find(key);
    if (found == old_times.end()) {
      add_row(grid, "new benchmark", key, escape_html(format_time(benchmark->median_ns)));
      continue;
    }
    const auto ratio = comparable ? ratio_of_medians(*benchmark, *found->second) : std::nullopt;
    if (ratio && (ratio->interval.low > 1.0 || ratio->interval.high < 1.0))
      moved.emplace_back(ratio->value, key);
  }
  std::sort(moved.begin(), moved.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [ratio, key] : moved)
    add_row(grid, ratio > 1.0 ? "slower" : "faster", key,
            fmt::format("{} → {} ({})", escape_html(format_time(old_times.at(key)->median_ns)),
                        escape_html(format_time(new_times.at(key)->median_ns)),
                        escape_html(format_change(ratio))));
  for (const auto& [key, benchmark] : old_times)
    if (!new_times.count(key))
      add_row(grid, "benchmark gone", key, "was " + escape_html(format_time(benchmark->median_ns)));
}

void operation_changes(Grid& grid, const RunRecord& before, const RunRecord& now) {
  const auto lists = [](const RunRecord& record, const std::string& name) {
    return std::any_of(record.operations.begin(), record.operations.end(),
                       [&](const OperationInfo& operation) { return operation.name == name; });
  };
  for (const OperationInfo& operation : now.operations)
    if (!lists(before, operation.name))
      add_row(grid, "new operation", operation.name, escape_html(operation.summary));
  for (const OperationInfo& operation : before.operations)
    if (!lists(now, operation.name))
      add_row(grid, "operation gone", operation.name, escape_html(operation.summary));
}

}  // namespace

std::string changes(const ReportInput& input) {
  if (!input.previous)
    return section(
        "changes", "Since the last run",
        paragraph("This is the first run of its kind on this branch: there is nothing before it.", "none"));
  const RunRecord& before = *input.previous;
  Grid grid;
  grid.caption = "What changed since the last run";
  grid.columns = {"change", "where", "what"};
  grid.stack = true;
  operation_changes(grid, before, input.run);
  check_changes(grid, before, input.run);
  benchmark_changes(grid, before, input.run);
  std::string body = paragraph(fmt::format(
      "Compared with run {} of {} UTC, commit {}. A time is listed when the "
      "intervals of the two medians do not overlap: information, not a verdict.",
      format_short(before.run.id), format_moment(before.run.started_at), format_short(before.run.commit)));
  const std::string difference = environment_difference(before.run.environment, input.run.run.environment);
  if (!difference.empty())
    body += paragraph("The environment changed, so times are not compared: " + difference + ".", "note");
  body += grid.rows.empty() ? paragraph("Nothing changed.", "none") : table(grid, 40);
  return section("changes", "Since the last run", body);
}

}  // namespace assay::reports::html
