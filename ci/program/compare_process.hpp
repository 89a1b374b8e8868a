#pragma once

#include <cstdint>
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
  std::vector<std::string> under = {};  ///< a tool with its options that runs the program; empty: none does
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
  int samples = 0;
  std::int64_t planted_steps = 0;  ///< of a slowdown, in one call
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

/// The same for several processes at once that take turns, in that order, over the preparation of each case,
/// each sample and the check afterwards: only one of them works at a time, and what slows the machine down
/// for a while meets all of them. A case is a name, a tab and how many samples are taken of it. Throws as
/// run_process does, for the first one that did not end well.
std::vector<ProcessOnce> run_in_turns(const std::vector<const ComparedProgram*>& programs,
                                      const ProcessOptions& options, const std::vector<std::string>& cases,
                                      const std::vector<std::string>& more = {});

/// The names of the program's cases, how long a process takes that measures nothing, and whether its
/// processes know how to take turns.
std::vector<std::string> cases_of(const ComparedProgram& program, const ProcessOptions& options,
                                  const std::vector<std::string>& more, double* seconds, bool* turns);

}  // namespace assay::program
