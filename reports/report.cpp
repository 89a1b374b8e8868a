#include "reports/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "reports/jsonl.hpp"

namespace assay::reports {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> out;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    out.push_back(it->path());
  std::sort(out.begin(), out.end());
  return out;
}

RecordedDevice read_device(const fs::path& folder) {
  RecordedDevice device;
  device.device = folder.filename().string();
  for (const fs::path& file : sorted_entries(folder)) {
    if (file.extension() != ".jsonl") continue;
    JsonLines lines = read_json_lines(file);
    for (const LineError& error : lines.errors)
      device.problems.push_back(describe(error, file.filename().string()));
    std::move(lines.runs.begin(), lines.runs.end(), std::back_inserter(device.runs));
  }
  std::stable_sort(device.runs.begin(), device.runs.end(), [](const RunRecord& a, const RunRecord& b) {
    return a.run.started_at < b.run.started_at;
  });
  return device;
}

/// What the store and the recorded devices hold of calibrations and planted faults.
std::vector<RunRecord> all_calibrations(const Store& store, const std::vector<RecordedDevice>& recorded) {
  std::vector<RunRecord> out = store.calibrations();
  std::set<std::string> seen;
  for (const RunRecord& record : out) seen.insert(record.run.id);
  for (const RecordedDevice& device : recorded) {
    for (const RunRecord& record : device.runs) {
      if ((record.calibrations.empty() && record.mutants.empty()) || !seen.insert(record.run.id).second)
        continue;
      RunRecord& kept = out.emplace_back();
      kept.run = record.run;
      kept.mutants = record.mutants;
      kept.calibrations = record.calibrations;
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const RunRecord& a, const RunRecord& b) {
    return a.run.started_at < b.run.started_at;
  });
  return out;
}

/// Files that exist under temporary names until all are complete.
class PendingFiles {
 public:
  explicit PendingFiles(fs::path folder) : folder_(std::move(folder)) {}

  ~PendingFiles() {
    std::error_code ignored;
    for (const auto& [temporary, name] : files_) fs::remove(temporary, ignored);
  }

  void write(const std::string& name, const std::string& text) {
    const fs::path temporary = folder_ / ('.' + name + ".tmp-" + std::to_string(getpid()));
    files_.emplace_back(temporary, name);
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out) throw ReportError((folder_ / name).string() + ": cannot be written");
  }

  void publish() {
    for (const auto& [temporary, name] : files_) {
      std::error_code error;
      fs::rename(temporary, folder_ / name, error);
      if (error) throw ReportError((folder_ / name).string() + ": " + error.message());
    }
    files_.clear();
  }

 private:
  fs::path folder_;
  std::vector<std::pair<fs::path, std::string>> files_;
};

}  // namespace

std::vector<RecordedDevice> read_recorded(const fs::path& records) {
  std::vector<RecordedDevice> out;
  for (const fs::path& folder : sorted_entries(records)) {
    if (!fs::is_directory(folder)) continue;
    RecordedDevice device = read_device(folder);
    if (!device.runs.empty() || !device.problems.empty()) out.push_back(std::move(device));
  }
  return out;
}

ReportInput gather_report(const Store& store, const std::string& run_id, GateResult gate,
                          std::optional<RunRecord> baseline, const fs::path& records) {
  auto run = store.load(run_id);
  if (!run) throw StoreError(store.url() + ": no run \"" + run_id + "\"", true);
  ReportInput input;
  input.run = std::move(*run);
  if (const auto previous = store.previous(input.run.run)) input.previous = store.load(previous->run.id);
  input.baseline = std::move(baseline);
  input.gate = std::move(gate);
  HistoryFilter filter;
  filter.runs.branch = input.run.run.branch;
  filter.runs.quick = input.run.run.quick;
  input.history = store.history(filter);
  std::erase_if(input.history.runs,
                [](const RunSummary& summary) { return summary.run.command == calibrate_command; });
  input.change_points = change_points(input.history);
  if (!records.empty()) input.recorded = read_recorded(records);
  input.calibrations = all_calibrations(store, input.recorded);
  input.generated_at = utc_now();
  return input;
}

void write_report(const fs::path& folder, const ReportInput& input) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder))
    throw ReportError(folder.string() + ": cannot be created" + (error ? " (" + error.message() + ")" : ""));
  PendingFiles files(folder);
  files.write("index.html", html_report(input));
  files.write("summary.md", markdown_report(input));
  files.write("report.json", json_report(input));
  files.write("junit.xml", junit_report(input));
  files.write("metrics.prom", metrics_report(input));
  files.publish();
}

}  // namespace assay::reports
