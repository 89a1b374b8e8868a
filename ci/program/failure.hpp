#pragma once

#include <stdexcept>
#include <string>

#include "ci/program/exit_code.hpp"
#include "engine/runtime/result.hpp"

namespace assay::program {

/// Ends a command: one line for the user, without the command's name, and the exit code.
class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& line) : std::runtime_error(line), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// The failure that an InputError stands for: a failed write is the tool's, everything else the input's.
inline Failure failure_of(const InputError& error) {
  return {error.code == InputError::Code::write_failed ? ExitCode::tool_error : ExitCode::usage,
          error.message};
}

/// The value, or the failure.
template <typename T>
T value_or_fail(Result<T> result) {
  if (!result) throw failure_of(result.error());
  return std::move(result).value();
}

}  // namespace assay::program
