#pragma once

#include <string>
#include <vector>

#include "ci/program/exit_code.hpp"
#include "ci/program/invocation.hpp"
#include "ci/program/recording.hpp"
#include "reports/calibration.hpp"

/// What the `calibrate` commands share: the harness measured on itself, recorded like any other run.
namespace assay::program {

/// A calibration that is being recorded, a batch at a time, so that what is killed keeps what it had.
class CalibrationRun {
 public:
  explicit CalibrationRun(const Invocation& invocation);
  void append(const reports::Calibration& calibration);
  void append(const std::vector<reports::Calibration>& calibrations);
  /// Ends the run and returns the code.
  int finish(ExitCode code);
  const reports::Run& run() const { return recording_.run(); }
  const reports::Store& store() const { return store_; }
  /// All calibrations that the store holds, this run's included, oldest first.
  std::vector<reports::RunRecord> all() const { return store_.calibrations(); }

 private:
  reports::Store store_;
  Recording recording_;
};

/// {run, seed, exit_code, calibrations}: what every `calibrate` command prints with --json, before what is
/// its own.
nlohmann::ordered_json calibration_document(const reports::Run& run, int code,
                                            const std::vector<reports::Calibration>& calibrations);

/// "0 of 100,120 random cases red, the rate is below 2.99e-05 (95 %)": one line on a tally.
std::string line_of(const reports::Tally& tally);

/// "100,120"
std::string with_commas(std::int64_t count);

/// Sums one run's false reds by family and by operation.
std::vector<reports::Tally> false_reds_by(const std::vector<reports::RunRecord>& runs, bool by_family);

}  // namespace assay::program
