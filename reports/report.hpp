#pragma once

#include <filesystem>
#include <stdexcept>

#include "reports/change_points.hpp"
#include "reports/gate.hpp"
#include "reports/store.hpp"

/// The report on one run: an HTML page that stands alone, and the same for programs to read.
namespace assay::reports {

/// Version of the form of report.json.
inline constexpr int report_schema_version = 1;

/// A report that cannot be written; one line.
class ReportError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What was recorded on a device that this machine may lack: the runs of reports/records/<device>/*.jsonl.
struct RecordedDevice {
  std::string device;                 // the folder's name
  std::vector<RunRecord> runs;        // oldest first
  std::vector<std::string> problems;  // lines that could not be read, one message each
};

struct ReportInput {
  RunRecord run;
  std::optional<RunRecord> previous;  // the last run before it, for what changed
  std::optional<RunRecord> baseline;  // what the gate compared with
  GateResult gate;
  History history;
  std::vector<ChangePoint> change_points;  // in that history
  std::vector<RecordedDevice> recorded;
  std::vector<RunRecord> calibrations;  // of the store and of `recorded`, each run once, oldest first
  std::string generated_at;             // utc_now()
};

/// All devices that have a folder under `records`; none where there is no such folder.
std::vector<RecordedDevice> read_recorded(const std::filesystem::path& records);

/// Collects what the report on a stored run shows. `records` may be empty or missing.
/// Throws StoreError where there is no such run.
ReportInput gather_report(const Store& store, const std::string& run_id, GateResult gate,
                          std::optional<RunRecord> baseline, const std::filesystem::path& records = {});

/// The files of a report as text. Pure functions of the input.
std::string html_report(const ReportInput& input);      // index.html
std::string markdown_report(const ReportInput& input);  // summary.md, under 1 MiB
std::string json_report(const ReportInput& input);      // report.json
std::string junit_report(const ReportInput& input);     // junit.xml
std::string metrics_report(const ReportInput& input);   // metrics.prom

/// Writes the five files into `folder`, which is created. Each is written under a temporary name first and
/// all are renamed at the end: a reader never sees a partial one. Throws ReportError.
void write_report(const std::filesystem::path& folder, const ReportInput& input);

}  // namespace assay::reports
