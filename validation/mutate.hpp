#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "validation/results.hpp"
#include "validation/runner.hpp"
#include "validation/suite.hpp"

namespace assay::validation {

/// What became of a planted fault. Crashed and timeout are caught too: the run was red.
enum class MutantStatus : std::uint8_t {
  caught,       ///< a property failed
  missed,       ///< all properties passed although the place was reached
  not_reached,  ///< no property ever came to the place: an error of the catalogue
  crashed,
  timeout,
  not_executed  ///< its backend is not there; counts neither as caught nor in the total
};
std::string_view name_of(MutantStatus status);
bool counts_as_caught(MutantStatus status);

struct MutantResult {
  Mutant mutant;
  std::string operation;
  MutantStatus status = MutantStatus::not_reached;
  std::string property;    ///< "te.knn/matches_reference", by which it was caught
  std::int64_t cases = 0;  ///< run until then, or in all
  std::string message;     ///< what the property said
  double elapsed_ms = 0;
};

struct MutationReport {
  std::vector<MutantResult> mutants;  ///< in the order of the suites
  std::vector<CheckResult>
      controls;         ///< the catching properties on the program without a fault: all must pass
  std::string vacuous;  ///< why nothing was run; else empty
  std::int64_t caught() const;
  std::int64_t total() const;
  /// Every mutant was caught, there was at least one, and every control passed.
  bool ok() const;
};

struct MutateOptions {
  std::string program;                        ///< `assay-mutants`
  std::string pattern;                        ///< of mutants, by id or by operation; empty: all
  RunOptions run;                             ///< seed, cases; controls and shrinking are switched off
  std::chrono::duration<double> timeout{60};  ///< of one property: the watchdog
  unsigned parallel = 0;                      ///< processes at a time; 0: one a core
};

/// The properties that may catch a fault in this operation, in the order in which they are asked: its own,
/// then those of te.ksg where te.ksg is built on it. Jobs refer to the suites.
std::vector<Job> jobs_for(const std::vector<Suite>& suites, const std::string& operation, Backend backend);

/// Runs every mutant in a process of its own (ASSAY_MUTANT=id) through the properties of its operation, then
/// through those of te.ksg where te.ksg is built on it, and stops at the first that turns red. Afterwards
/// every property that caught something runs once in the same program without a fault, where it has to pass.
/// Throws std::runtime_error where the program cannot be started.
MutationReport mutate(
    const std::vector<Suite>& suites, const MutateOptions& options,
    const std::function<void(const MutantResult&, std::size_t done, std::size_t total)>& progress = {});

/// caught, total, by_class {caught, total}, mutants [{id, operation, class, backend, status, property, cases,
/// ...}].
void to_json(nlohmann::json& json, const MutationReport& report);

}  // namespace assay::validation
