#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>

#include "ci/program/calibrating.hpp"
#include "ci/program/checking.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/environment.hpp"
#include "ci/program/failure.hpp"
#include "fmt/format.h"
#include "validation/worker.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

constexpr double kept_within = 0.05;    // of a budget
constexpr double whole_limit = 5 * 60;  // seconds, on two cores

/// A store that is gone with this object.
class PassingStore {
 public:
  PassingStore() : folder_(fs::temp_directory_path() / ("assay-calibrate-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~PassingStore() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  PassingStore(const PassingStore&) = delete;
  PassingStore& operator=(const PassingStore&) = delete;
  std::string file() const { return (folder_ / "store.sqlite").string(); }

 private:
  fs::path folder_;
};

/// Runs this program's `validate` as a user would and times it from start to end. Empty `budget`: a whole
/// one.
reports::Calibration timed(const Invocation& invocation, const std::string& backend,
                           const std::string& budget) {
  const PassingStore store;
  std::vector<std::string> command{
      validation::this_program(),        "validate", "--quiet",   "--backend", backend, "--seed",
      std::to_string(invocation.seed()), "--store",  store.file()};
  if (const auto threads = invocation.maybe_text("threads"))
    command.insert(command.end(), {"--threads", *threads});
  if (!budget.empty()) command.insert(command.end(), {"--budget", budget});
  const WaitingLine line(invocation.console(), budget.empty() ? "a whole validate" : "a budget of " + budget);
  const auto start = std::chrono::steady_clock::now();
  const auto output = output_of(command);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  reports::Calibration record;
  record.subject =
      budget.empty() ? reports::CalibrationSubject::validate : reports::CalibrationSubject::budget;
  record.name = budget.empty() ? "whole" : budget;
  record.backend = backend;
  record.trials = 1;
  record.seed = invocation.seed();
  record.value = seconds;
  record.limit = budget.empty() ? whole_limit : parse_duration(budget)->count();
  record.elapsed_ms = seconds * 1e3;
  record.notes["cores"] = std::to_string(usable_cpus());
  const bool missed = budget.empty() ? seconds > *record.limit
                                     : std::abs(seconds - *record.limit) > kept_within * *record.limit;
  if (!output)
    record.message = "validate did not end with 0";
  else if (missed)
    record.message = budget.empty() ? "too long" : "missed by more than 5 %";
  record.failures = record.message.empty() ? 0 : 1;
  return record;
}

std::string line_of(const reports::Calibration& record) {
  const bool whole = record.subject == reports::CalibrationSubject::validate;
  const std::string what = whole ? fmt::format("a whole validate on {} cores", record.notes.at("cores"))
                                 : "a budget of " + record.name;
  const std::string off = whole ? fmt::format("at most {:.0f} s", *record.limit)
                                : fmt::format("{:+.2f} %", 100 * (*record.value / *record.limit - 1));
  return fmt::format("{:<4} {:<32} {:<9} took {:>7.2f} s, {}{}\n", record.failures == 0 ? "ok" : "MISS", what,
                     record.backend, *record.value, off, record.message.empty() ? "" : ": " + record.message);
}

int run_budget(Invocation& invocation) {
  std::vector<std::string> budgets = split_list(invocation.text("budgets"));
  for (const std::string& budget : budgets) {
    if (!parse_duration(budget))
      invocation.refuse("budgets", "'" + budget + "', expected times such as 20s,60s");
  }
  const std::string wanted = invocation.choice("backend", {"auto", "cpu", "cuda", "reference"});
  const std::string backend = wanted == "auto" ? "cpu" : wanted;
  if (!invocation.flag("no-whole")) budgets.emplace_back();
  if (budgets.empty())
    throw Failure(ExitCode::usage, "--budgets is empty and --no-whole given: nothing to time");
  CalibrationRun run(invocation);
  std::vector<reports::Calibration> made;
  std::string text;
  bool missed = false;
  for (const std::string& budget : budgets) {
    made.push_back(timed(invocation, backend, budget));
    run.append(made.back());
    missed = missed || made.back().failures > 0;
    text += line_of(made.back());
  }
  const int code = run.finish(missed ? ExitCode::incorrect : ExitCode::ok);
  if (invocation.json())
    invocation.print_json(calibration_document(run.run(), code, made));
  else
    invocation.print(text);
  return code;
}

}  // namespace

Command describe_calibrate_budget() {
  Command command;
  command.path = "calibrate budget";
  command.summary = "By how much `validate --budget` misses its time, and how long a whole one takes";
  command.examples = R"(Examples:
  assay calibrate budget
  assay calibrate budget --budgets 10s,20s,60s --no-whole
On a machine that does nothing else: what other programs take is missed too. The backend is cpu where none is named.
Exit codes: 0 budgets kept within 5 % and the whole within 5 minutes, 3 not.)";
  command.options = {{"budgets", "TIMES", "the budgets to try; commas separate several", "20s,60s"},
                     {"no-whole", "", "without the whole validate"},
                     store_option()};
  command.run = run_budget;
  return command;
}

}  // namespace assay::program
