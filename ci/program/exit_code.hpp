#pragma once

namespace assay::program {

/// Exit codes of the program; scripts of other people depend on them.
enum class ExitCode : int {
  ok = 0,
  tool_error = 1,  ///< a bug, a failed write
  usage = 2,       ///< usage or bad input, a missing file included
  incorrect = 3,
  regressed = 4,
  inconclusive = 5,  ///< only with --strict
  vacuous = 6,       ///< a filter or golden folder that matches nothing, vanished, or no baseline
  invalid = 7        ///< measurement invalid, or a required device missing
};

constexpr int code_of(ExitCode code) {
  return static_cast<int>(code);
}

}  // namespace assay::program
