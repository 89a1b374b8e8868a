#include "ci/program/calibrating.hpp"

#include "fmt/format.h"

namespace assay::program {

CalibrationRun::CalibrationRun(const Invocation& invocation)
    : store_(open_store(invocation)),
      recording_(invocation, store_, std::string(reports::calibrate_command), false,
                 device_in_use(invocation)) {}

void CalibrationRun::append(const reports::Calibration& calibration) {
  append(std::vector<reports::Calibration>{calibration});
}

void CalibrationRun::append(const std::vector<reports::Calibration>& calibrations) {
  recording_.append(calibrations);
}

int CalibrationRun::finish(ExitCode code) {
  recording_.finish();
  recording_.set_exit(code_of(code));
  return code_of(code);
}

nlohmann::ordered_json calibration_document(const reports::Run& run, int code,
                                            const std::vector<reports::Calibration>& calibrations) {
  nlohmann::ordered_json document{{"run", run.id}, {"seed", run.seed}, {"exit_code", code}};
  document["calibrations"] = nlohmann::json(calibrations);
  return document;
}

std::string with_commas(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string line_of(const reports::Tally& tally) {
  return fmt::format(
      "{:<16} {:<9} {} of {:>9} random cases red, the rate is at most {:.3g} (95 %){}\n", tally.scope,
      tally.backend, with_commas(tally.failures), with_commas(tally.trials), tally.upper_bound(),
      tally.utilisation ? fmt::format(", at most {:.3g} % of a bound used", 100 * *tally.utilisation) : "");
}

std::vector<reports::Tally> false_reds_by(const std::vector<reports::RunRecord>& runs, bool by_family) {
  return reports::tallies(runs, reports::CalibrationSubject::false_reds,
                          [&](const reports::Calibration& item) {
                            return by_family ? reports::family_of(item.operation) : item.operation;
                          });
}

}  // namespace assay::program
