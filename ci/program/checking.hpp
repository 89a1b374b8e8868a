#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ci/program/invocation.hpp"
#include "reports/record.hpp"
#include "validation/golden_folder.hpp"
#include "validation/results.hpp"
#include "validation/runner.hpp"

namespace assay::program {

/// What is to be checked: properties that match, on some backends, and golden cases.
struct CheckPlan {
  std::vector<validation::Suite> suites;  ///< owns what the jobs point to
  std::vector<validation::Job> jobs;
  std::vector<validation::GoldenFolder> golden;
  std::vector<Backend> golden_backends;
  validation::RunOptions options;
  std::optional<std::chrono::duration<double>> budget;
  std::size_t golden_cases() const;
};

/// Backends that --backend asks for: all three with `auto`.
std::vector<Backend> wanted_backends(const Invocation& invocation);

/// Reads one or more folders of golden cases: the folder itself, or those below it that hold a manifest of
/// this kind. Throws Failure where a folder is missing or malformed (2) or holds no case (6).
std::vector<validation::GoldenFolder> read_golden_folders(const std::vector<std::string>& paths);

/// Runs the plan. After each check `done` is called with its record, the replay file already written below
/// `replay_folder`.
std::vector<reports::Check> run_checks(const CheckPlan& plan, const Console& console,
                                       const std::string& replay_folder,
                                       const std::function<void(const reports::Check&)>& done);

/// The exit code of a list of checks by themselves: 3 for anything red, 7 where `required` backends did not
/// run, 6 where nothing was compared or a check compared nothing, else 0.
int exit_code_of(const std::vector<reports::Check>& checks, bool device_required);

/// One line on a check for people.
std::string line_of(const reports::Check& check);

/// "60s", "2m", "1h" or "90": seconds. Nothing for anything else.
std::optional<std::chrono::duration<double>> parse_duration(std::string_view text);

}  // namespace assay::program
