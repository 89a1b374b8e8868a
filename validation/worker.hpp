#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "validation/runner.hpp"

namespace assay::validation {

/// The first argument that makes a program of this project a worker.
inline constexpr const char* worker_option = "--validation-worker";

/// For the first line of a program's main: where the arguments ask for it, serves requests (one JSON object a
/// line on standard input, one answer a line on standard output, both one socket) until the input ends, and
/// returns the exit status. Standard output is redirected to standard error while a property runs, so that
/// nothing else can get between the answers.
std::optional<int> serve_if_worker(int argc, char** argv, const std::vector<Suite>& all = suites());

/// How a worker is started: the program (of this build, or `assay-mutants`), and what is added to its
/// environment.
struct WorkerCommand {
  std::string program;
  std::map<std::string, std::string> environment = {};
};

/// The program that this process runs (/proc/self/exe).
std::string this_program();

/// A child process that runs checks for this one. A check that crashes, hangs or loses the device ends the
/// child and is one red result; the next check gets a new child. Move-only; used by one thread at a time.
class Worker {
 public:
  explicit Worker(WorkerCommand command);
  Worker(Worker&&) noexcept;
  Worker& operator=(Worker&&) noexcept;
  ~Worker();

  /// Runs one check in the child. Verdicts beyond run_property's: crashed (the message names the signal or
  /// exit status), timeout. Throws std::runtime_error where no child can be started.
  CheckResult run(const Job& job, const RunOptions& options, std::chrono::duration<double> timeout);

 private:
  struct Child;
  void start();
  void stop() noexcept;
  WorkerCommand command_;
  std::unique_ptr<Child> child_;
};

/// A Runner that sends CUDA jobs, and with `isolate` all jobs, to a worker of its own.
Runner isolating_runner(WorkerCommand command, std::chrono::duration<double> timeout, bool isolate);

}  // namespace assay::validation
