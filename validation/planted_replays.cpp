#include <algorithm>
#include <atomic>
#include <mutex>

#include <fmt/format.h>

#include "validation/calibrate.hpp"
#include "validation/mutate.hpp"
#include "validation/parallel_work.hpp"
#include "validation/replay.hpp"

namespace assay::validation {

namespace {

struct Fault {
  const Mutant* mutant;
  std::string operation;
  std::vector<Job> jobs;  // in the order in which they are asked
};

/// The first property that turns red, the one that did so last time asked first.
void find_failure(Fault& fault, const WorkerCommand& program, const CalibrateOptions& options,
                  const RunOptions& run, PlantedReplay& planted, CheckResult& found) {
  Worker worker(program);
  for (std::size_t i = 0; i < fault.jobs.size(); ++i) {
    found = worker.run(fault.jobs[i], run, options.timeout);
    if (!is_red(found.verdict)) continue;
    planted.property = fault.jobs[i].operation + "/" + fault.jobs[i].property->name;
    std::rotate(fault.jobs.begin(), fault.jobs.begin() + static_cast<std::ptrdiff_t>(i),
                fault.jobs.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return;
  }
}

/// Writes the failure, reads it back and runs it again in a process of its own.
void replay_failure(const CheckResult& found, const std::vector<Suite>& suites, const WorkerCommand& program,
                    const std::string& folder, const CalibrateOptions& options, PlantedReplay& planted) {
  planted.status = PlantedReplay::Status::different;
  const auto written = write_replay(*found.replay, folder);
  if (!written) {
    planted.message = written.error().message;
    return;
  }
  const auto read = read_replay(written.value());
  if (!read) {
    planted.message = read.error().message;
    return;
  }
  planted.replay = read.value();
  RunOptions again = options.run;
  again.threads = 0;  // as many as the file says
  const auto fresh = isolating_runner(program, options.timeout, true);
  const auto outcome = run_replay(planted.replay, suites, again, fresh);
  if (!outcome) {
    planted.message = outcome.error().message;
  } else if (outcome.value().same) {
    planted.status = PlantedReplay::Status::same;
  } else {
    planted.message = outcome.value().summary;
    if (outcome.value().check.verdict == Verdict::fail && outcome.value().check.replay &&
        outcome.value().check.replay->message == planted.replay.message)
      planted.message = "the same words, but other bits: " + planted.message;
  }
}

}  // namespace

std::string_view name_of(PlantedReplay::Status status) {
  constexpr std::string_view names[] = {"same", "different", "no_replay", "not_found"};
  return names[static_cast<std::size_t>(status)];
}

std::vector<PlantedReplay> replay_planted(const std::vector<Suite>& suites, const std::string& program,
                                          const std::string& folder, std::int64_t wanted,
                                          const CalibrateOptions& options,
                                          const std::function<void(const PlantedReplay&, std::int64_t)>& done,
                                          int most_rounds) {
  std::vector<Fault> faults;
  for (const Suite& suite : suites) {
    for (const Mutant& mutant : suite.mutants())
      faults.push_back({&mutant, suite.operation(), jobs_for(suites, suite.operation(), mutant.backend)});
  }
  std::vector<PlantedReplay> all;
  std::mutex guard;
  std::atomic<std::int64_t> replayed{0};
  for (int round = 0; round < most_rounds && replayed < wanted; ++round) {
    const std::int64_t before = replayed;
    parallel_work(faults.size(), options.parallel, [&](std::size_t i) {
      if (replayed >= wanted) return;
      Fault& fault = faults[i];
      PlantedReplay planted;
      planted.mutant = *fault.mutant;
      planted.operation = fault.operation;
      RunOptions run = options.run;
      run.controls = false;
      run.seed = planted.seed = seed_of_turn(options.run.seed, static_cast<std::uint64_t>(round));
      const WorkerCommand command{program, {{"ASSAY_MUTANT", fault.mutant->id}}};
      CheckResult found;
      find_failure(fault, command, options, run, planted, found);
      planted.elapsed_ms = found.elapsed_ms;
      if (found.replay && is_red(found.verdict)) {
        // A folder for each fault: two may fail by the same property with the same seed.
        replay_failure(found, suites, command, folder + "/" + fault.mutant->id, options, planted);
        ++replayed;
      } else if (is_red(found.verdict)) {
        planted.status = PlantedReplay::Status::no_replay;
        planted.message = found.message.substr(0, found.message.find('\n'));
      }
      const std::lock_guard lock(guard);
      all.push_back(std::move(planted));
      if (done) done(all.back(), replayed);
    });
    if (replayed == before) break;  // no fault that can be caught here
  }
  return all;
}

}  // namespace assay::validation
