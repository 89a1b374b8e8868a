#include <fmt/format.h>

#include <set>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

std::string part(std::string_view title, const std::string& html) {
  return html.empty() ? "" : fmt::format("<h4>{}</h4>\n", escape_html(title)) + html;
}

std::string environment_table(const Run& run) {
  Grid grid;
  grid.caption = "Environment of the recorded run";
  grid.columns = {"fact", "value"};
  for (const auto& [name, value] : run.environment.facts)
    grid.rows.push_back({text_cell(name), text_cell(value)});
  return table(grid, 1);
}

std::string older_runs(const RecordedDevice& device) {
  Grid grid;
  grid.caption = "All runs recorded on this device, newest first";
  grid.columns = {"started (UTC)", "commit", "state", "checks", "benchmarks", "faults"};
  for (auto record = device.runs.rbegin(); record != device.runs.rend(); ++record)
    grid.rows.push_back({text_cell(format_moment(record->run.started_at)),
                         code_cell(format_short(record->run.commit)), text_cell(to_string(record->run.state)),
                         count_cell(static_cast<long long>(record->checks.size())),
                         count_cell(static_cast<long long>(record->benchmarks.size())),
                         count_cell(static_cast<long long>(record->mutants.size()))});
  return table(grid, 3);
}

/// The record with those operations only that it says something about, and the names of the others.
std::pair<RunRecord, std::string> by_results(RunRecord record) {
  std::set<std::string> seen;
  for (const Check& check : record.checks) seen.insert(check.operation);
  for (const Benchmark& benchmark : record.benchmarks) seen.insert(benchmark.operation);
  std::string without;
  std::erase_if(record.operations, [&](const OperationInfo& operation) {
    if (seen.count(operation.name)) return false;
    without += (without.empty() ? "" : ", ") + operation.name;
    return true;
  });
  return {std::move(record), without};
}

/// Whether a run has something to show here: calibrations have a section of their own.
bool has_results(const RunRecord& record) {
  return !record.checks.empty() || !record.benchmarks.empty() || !record.mutants.empty() ||
         record.calibrations.empty();
}

std::string device_html(const RecordedDevice& all) {
  RecordedDevice device = all;
  std::erase_if(device.runs, [](const RunRecord& record) { return !has_results(record); });
  if (device.runs.empty() && device.problems.empty()) return "";
  std::string out = fmt::format("<h3>Recorded on {}</h3>\n", escape_html(device.device));
  for (const std::string& problem : device.problems) out += paragraph("Not read: " + problem, "note");
  if (device.runs.empty()) return out;
  const RunRecord& record = device.runs.back();
  const std::string name = record.run.environment.get("device");
  out += paragraph(
      fmt::format("Measured on {} on {} UTC at commit {}, not by this run and not on this machine. It "
                  "takes no part in the verdict above.",
                  name.empty() ? device.device : name, format_moment(record.run.started_at),
                  format_short(record.run.commit)),
      "note");
  const auto [with_results, without] = by_results(record);
  out += part("Operations", operations(with_results));
  if (!without.empty()) out += paragraph("Not part of this record: " + without + ".", "small");
  if (!record.checks.empty()) out += checks(record);
  if (!record.benchmarks.empty())
    out += part("Performance", benchmarks(record) + sizes(record) + roofline(record));
  out += part("Accuracy", accuracy(record));
  if (!record.mutants.empty()) out += part("Planted faults", mutants(record));
  return out + environment_table(record.run) + older_runs(device);
}

}  // namespace

std::string recorded(const ReportInput& input) {
  std::string body;
  for (const RecordedDevice& device : input.recorded) {
    const std::string html = device_html(device);
    if (!html.empty()) body += "<div class=\"recorded\">\n" + html + "</div>\n";
  }
  if (body.empty()) body = paragraph("No run of another device is recorded in the repository.", "none");
  return section("recorded", "Recorded on other devices", body);
}

}  // namespace assay::reports::html
