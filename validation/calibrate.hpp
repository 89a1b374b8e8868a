#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "validation/runner.hpp"
#include "validation/suite.hpp"
#include "validation/worker.hpp"

/// The harness measured on itself: how often a right program is called wrong, and whether a failure that was
/// planted comes again when it is replayed.
namespace assay::validation {

struct CalibrateOptions {
  RunOptions run;                              ///< seed, device; threads of one check
  std::chrono::duration<double> timeout{600};  ///< of one batch or one replay: the watchdog
  unsigned parallel = 0;                       ///< processes at a time; 0: one a core
};

/// Random cases of one property on one backend of the program without a fault.
struct FalseRedCount {
  Job job;
  std::int64_t cases = 0;
  std::int64_t reds = 0;   ///< batches that turned red: each ends at its first failing case
  std::int64_t turns = 0;  ///< seeds drawn, those before this count included
  double utilisation = 0;  ///< the largest share of a bound that any case used
  double elapsed_ms = 0;
  std::string message;          ///< of the first red
  std::vector<Replay> replays;  ///< of every red
};

/// What one property has to be asked for: `cases` more, with the seeds of turn `first_turn` on.
struct CaseGoal {
  Job job;
  std::int64_t cases = 0;
  std::int64_t first_turn = 0;
};

/// The jobs whose property draws its data, on the backends: those that each property names or, where it names
/// none, every backend that the operation has a body for, the reference too. Jobs refer to the suites.
std::vector<Job> random_jobs(const std::vector<Suite>& suites, std::string_view pattern,
                             const std::vector<Backend>& backends);

/// "te" of "te.ksg".
std::string family_of(std::string_view operation);

/// Shares `cases` random cases of each family on each backend among its operations, alike, and those of an
/// operation among its properties as they ask for cases themselves; at least one case each.
std::vector<CaseGoal> share_cases(const std::vector<Job>& jobs, std::int64_t cases);

/// Runs the goals, in batches of as many cases as the property itself asks for, each with a seed of its own:
/// turn t of seed s is the same whenever it is run. `done` is called with each count that is complete, from
/// one thread at a time. `progress` hears the cases done and to do. Jobs whose backend is not there come back
/// with 0 cases.
std::vector<FalseRedCount> count_false_reds(
    const std::vector<CaseGoal>& goals, const WorkerCommand& program, const CalibrateOptions& options,
    const std::function<void(const FalseRedCount&)>& done = {},
    const std::function<void(std::int64_t done, std::int64_t total, const std::string& name)>& progress = {});

/// What became of one planted failure.
struct PlantedReplay {
  enum class Status : std::uint8_t {
    same,       ///< it failed again in a fresh process, bit for bit
    different,  ///< it did not, or not alike
    no_replay,  ///< red without a case to replay: the process crashed or hung
    not_found   ///< no property turned red with this seed
  };
  Mutant mutant;
  std::string operation;  ///< of the fault
  std::string property;   ///< "te.knn/matches_reference", that failed
  std::uint64_t seed = 0;
  Status status = Status::not_found;
  Replay replay;        ///< as recorded
  std::string message;  ///< why it is not `same`
  double elapsed_ms = 0;
};
std::string_view name_of(PlantedReplay::Status status);

/// Plants every fault of the suites in turn, with a fresh seed each round, until `wanted` failures were
/// replayed or `most_rounds` rounds are over. A failure is searched for as `assay mutate` does, shrunk (for
/// at most options.run.shrink_seconds), written below `folder`, read back and run again by a new process of
/// the same program with the same fault. `done` is called after each, from one thread at a time.
std::vector<PlantedReplay> replay_planted(
    const std::vector<Suite>& suites, const std::string& program, const std::string& folder,
    std::int64_t wanted, const CalibrateOptions& options,
    const std::function<void(const PlantedReplay&, std::int64_t replayed)>& done = {}, int most_rounds = 20);

}  // namespace assay::validation
