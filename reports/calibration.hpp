#pragma once

#include <functional>
#include <span>

#include "reports/record.hpp"

/// Sums over the calibrations of many runs.
namespace assay::reports {

/// The calibrations of one state of the sources that belong together.
struct Tally {
  std::string commit;
  bool dirty = false;   // a work tree that differed from the commit: such runs do not add up
  std::string when;     // the newest of its runs began
  std::string machine;  // the CPU, and the device where one was used
  std::string backend;
  std::string scope;  // "te", "te.ksg"
  std::int64_t trials = 0;
  std::int64_t failures = 0;
  std::optional<double> utilisation;  // the worst
  double seconds = 0.0;               // of computing, all processes together

  /// Of the failure rate, at 95 % (rate_upper_bound).
  double upper_bound() const;
};

/// Sums the calibrations of one subject by state of the sources, backend and the scope that `scope_of` gives;
/// the newest state first, in a state in the order of the records.
std::vector<Tally> tallies(std::span<const RunRecord> runs, CalibrationSubject subject,
                           const std::function<std::string(const Calibration&)>& scope_of);

/// "te" of "te.ksg".
std::string family_of(std::string_view operation);

/// The newest run that holds a calibration of the subject, on that backend where one is named; null where
/// there is none.
const RunRecord* newest_with(std::span<const RunRecord> runs, CalibrationSubject subject,
                             std::string_view backend = "");

/// Those calibrations of a run.
std::vector<const Calibration*> of_subject(const RunRecord& run, CalibrationSubject subject);

}  // namespace assay::reports
