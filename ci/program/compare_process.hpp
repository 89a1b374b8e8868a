#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace assay::program {

/// One of the two programs of a comparison.
struct ComparedProgram {
  std::string path;
  std::string role;                                              ///< "base" or "candidate": for messages
  std::vector<std::pair<std::string, std::string>> environment;  ///< that its processes have besides ours
};

/// How all processes of a comparison are started.
struct ProcessOptions {
  std::vector<std::string> arguments;  ///< after `assay brief`: backend, threads, seed
  unsigned threads = 1;                ///< pinned to as many CPUs, the last ones that this process may use
  double limit_seconds = 600;          ///< a process that takes longer is ended
};

/// What one process measured.
struct CaseOnce {
  std::map<std::string, double> medians, resolutions;
  std::string answer, launches, failure;
  double left_out = 0;  ///< seconds of a call that is too long
  double seconds = 0;
};
struct ProcessOnce {
  std::map<std::string, CaseOnce> cases;
  std::map<std::string, std::string> missing;  ///< measures that the machine does not give, and why
  double elapsed = 0;                          ///< seconds from its start to its end
};

/// Runs one process over these cases (empty: all). Throws Failure (7) where it does not end well or prints
/// what is not understood; (2) where the program cannot be started or knows no `assay brief`.
ProcessOnce run_process(const ComparedProgram& program, const ProcessOptions& options,
                        const std::vector<std::string>& cases, const std::vector<std::string>& more = {});

/// The names of the program's cases, and how long a process takes that measures nothing.
std::vector<std::string> cases_of(const ComparedProgram& program, const ProcessOptions& options,
                                  const std::vector<std::string>& more, double* seconds);

}  // namespace assay::program
