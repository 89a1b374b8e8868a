#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "validation/results.hpp"
#include "validation/suite.hpp"

namespace assay::validation {

struct RunOptions {
  std::uint64_t seed = 1;
  /// Cases of every property that draws its data (cases > 1); none: as many as the property asks for.
  std::optional<int> cases;
  /// The property's own number of cases is multiplied by this (ignored where `cases` is set); at least one
  /// case runs.
  double cases_scale = 1;
  unsigned threads = 0;
  int device = 0;
  bool require_cuda = false;    ///< a missing device is a failure (ASSAY_REQUIRE=cuda)
  bool controls = true;         ///< run negative controls too
  double shrink_seconds = 20;   ///< after that the smallest counterexample so far is taken
  std::string version;          ///< of the program, for replay files
  bool fixed_schedule = false;  ///< of threads (engine/runtime/fixed_schedule.hpp)
  std::string reproduce = {};   ///< RapidCheck's string of one failing case: only that case runs
};

/// RunOptions with what the environment says: ASSAY_REQUIRE=cuda.
RunOptions options_from_environment();

/// The seed of the turn-th run of a property (0: the seed itself): for more cases than one run draws.
std::uint64_t seed_of_turn(std::uint64_t seed, std::uint64_t turn);

/// One property on one backend: what there is to run.
struct Job {
  std::string operation;
  const Property* property = nullptr;
  Backend backend = Backend::cpu;
  std::string name() const;
};

/// Runs one property on one backend in this process.
///
/// RapidCheck draws `cases` cases; a failing one is shrunk and can be replayed. Then the negative control
/// runs, which must fail. Verdicts: pass; fail (with one line that holds the reason and the shrunk
/// counterexample; also when the negative control was accepted); unsupported (the operation has no body for
/// the backend); not_executed (no device; fail where `require_cuda`); vacuous (RapidCheck gave up, or no case
/// asserted anything).
CheckResult run_property(const Job& job, const RunOptions& options);

/// The jobs of all suites whose operation matches `pattern` ('*' and '?' as in file names; empty: all) on the
/// backends: those that each property names or, where it names none, the CPU, and CUDA where the operation
/// has a body for it. Properties that take minutes are among them where `long_running` asks for them. Jobs
/// refer to properties inside `suites`, which must outlive them.
std::vector<Job> select_jobs(const std::vector<Suite>& suites, std::string_view pattern,
                             const std::vector<Backend>& backends, bool long_running = false);

/// Whether a name matches a pattern of '*' and '?'; commas separate alternatives.
bool matches(std::string_view name, std::string_view pattern);

/// How a job is run: in this process (run_property) or in a worker.
using Runner = std::function<CheckResult(const Job&, const RunOptions&)>;
/// Called after each check with the number done and the number in all.
using Progress = std::function<void(const CheckResult&, std::size_t done, std::size_t total)>;

/// Runs jobs one after the other; results are in the order of the jobs. With a budget, first a tenth of each
/// property's cases, one property of every operation before a second one of any, then in turns, with fresh
/// seeds, for as long as the next turn of a job is expected to end in time; jobs that the budget left no time
/// for are not_executed and say so.
std::vector<CheckResult> run_jobs(const std::vector<Job>& jobs, const RunOptions& options,
                                  std::optional<std::chrono::duration<double>> budget, const Runner& runner,
                                  const Progress& progress = {});

}  // namespace assay::validation
