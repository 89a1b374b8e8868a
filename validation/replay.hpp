#pragma once

#include <string>
#include <vector>

#include "engine/runtime/result.hpp"
#include "validation/results.hpp"
#include "validation/runner.hpp"
#include "validation/suite.hpp"

namespace assay::validation {

/// Writes the replay file of a failing check into the folder, which is made where it is not there:
/// `OPERATION.PROPERTY.BACKEND.SEED.json`. Returns its path.
Result<std::string> write_replay(const Replay& replay, const std::string& folder);

/// Reads one back. Errors name the file, and the byte or the field.
Result<Replay> read_replay(const std::string& path);

/// What running a recorded case again came to.
struct ReplayOutcome {
  CheckResult check;
  bool same = false;    ///< it fails again on the same counterexample, with the same message and fingerprint
  std::string summary;  ///< one line: the same, another failure, or no failure
};

/// Runs the recorded case, and only that, on the backend that failed, with the threads it failed with unless
/// `options` names a number. Refused: an operation, a property or a
/// golden case that is not in this program or folder any more.
Result<ReplayOutcome> run_replay(const Replay& replay, const std::vector<Suite>& suites, RunOptions options,
                                 const Runner& runner = run_property);

}  // namespace assay::validation
