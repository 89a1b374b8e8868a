#include "ci/program/judging.hpp"

#include <filesystem>

#include "ci/program/failure.hpp"
#include "ci/program/recording.hpp"
#include "reports/baseline.hpp"

namespace assay::program {

reports::RunRecord stored_run(const reports::Store& store, const std::string& reference) {
  auto summary = store.find(reference);
  if (reference == "latest" && summary && summary->run.command == reports::calibrate_command) {
    // A calibration holds nothing that could be judged; the report shows it beside whatever run it is on.
    summary.reset();
    for (reports::RunSummary& run : store.runs({.state = reports::RunState::complete})) {
      if (run.run.command == reports::calibrate_command) continue;
      summary = std::move(run);
      break;
    }
  }
  if (!summary && reference == "latest") {
    throw Failure(ExitCode::vacuous,
                  store.url() + ": no complete run is stored (assay nightly, or bench --record)");
  }
  if (!summary) throw Failure(ExitCode::usage, store.url() + ": no run '" + reference + "'");
  return store.load(summary->run.id).value();
}

Judgement judge(const reports::Store& store, reports::RunRecord run, const std::string& baseline,
                const reports::GateOptions& options) {
  Judgement judgement;
  judgement.baseline = reports::baseline_for(store, run.run, baseline);
  if (judgement.baseline && judgement.baseline->run.id == run.run.id) judgement.baseline.reset();
  judgement.result = reports::gate(run, judgement.baseline ? &*judgement.baseline : nullptr, options);
  judgement.run = std::move(run);
  return judgement;
}

std::string records_folder() {
  const auto folder = working_root() / "reports" / "records";
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored) ? folder.string() : "";
}

}  // namespace assay::program
