#include "ci/program/checking.hpp"

#include <algorithm>
#include <filesystem>

#include "ci/program/failure.hpp"
#include "ci/program/translate.hpp"
#include "engine/io/csv.hpp"
#include "fmt/format.h"
#include "validation/golden.hpp"
#include "validation/replay.hpp"
#include "validation/worker.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

/// No check of the suites comes near this; one that hangs is ended and red.
constexpr std::chrono::minutes watchdog{10};

bool executed(reports::Verdict verdict) {
  return verdict != reports::Verdict::not_executed && verdict != reports::Verdict::unsupported;
}

bool red(reports::Verdict verdict) {
  using reports::Verdict;
  return verdict == Verdict::fail || verdict == Verdict::xpass || verdict == Verdict::crashed ||
         verdict == Verdict::timeout;
}

}  // namespace

std::size_t CheckPlan::golden_cases() const {
  std::size_t count = 0;
  for (const auto& folder : golden) count += folder.cases.size() * golden_backends.size();
  return count;
}

std::vector<Backend> wanted_backends(const Invocation& invocation) {
  const std::string name = invocation.choice("backend", {"auto", "cpu", "cuda", "reference"});
  if (name == "cpu") return {Backend::cpu};
  if (name == "cuda") return {Backend::cuda};
  if (name == "reference") return {Backend::reference};
  return {Backend::cpu, Backend::cuda, Backend::reference};
}

std::vector<validation::GoldenFolder> read_golden_folders(const std::vector<std::string>& paths) {
  std::vector<validation::GoldenFolder> folders;
  for (const std::string& path : paths) {
    std::error_code ignored;
    // A folder of several families' data is understood too: those of transfer entropy lie in `te`.
    const bool above = !fs::exists(fs::path(path) / "manifest.json", ignored) &&
                       fs::exists(fs::path(path) / "te" / "manifest.json", ignored);
    auto folder = value_or_fail(validation::read_golden(above ? (fs::path(path) / "te").string() : path));
    if (!folder.vacuous.empty()) throw Failure(ExitCode::vacuous, folder.vacuous);
    folders.push_back(std::move(folder));
  }
  return folders;
}

std::vector<reports::Check> run_checks(const CheckPlan& plan, const Console& console,
                                       const std::string& replay_folder,
                                       const std::function<void(const reports::Check&)>& done) {
  std::vector<reports::Check> checks;
  ProgressLine line(console, "checks");
  const std::size_t total = plan.jobs.size() + plan.golden_cases();
  const auto record = [&](const validation::CheckResult& result) {
    std::string replay;
    if (result.replay) {
      auto written = validation::write_replay(*result.replay, replay_folder);
      if (written)
        replay = written.value();
      else
        console.warn(written.error().message);
    }
    checks.push_back(check_of(result, replay));
    line.update(static_cast<std::int64_t>(checks.size()), static_cast<std::int64_t>(total), result.name());
    done(checks.back());
  };
  const auto runner = validation::isolating_runner({validation::this_program()}, watchdog, true);
  if (!plan.jobs.empty()) {
    // With a budget a property is run in turns: what counts is its result after the last one.
    const auto progress = [&](const validation::CheckResult& result, std::size_t count, std::size_t all) {
      line.update(static_cast<std::int64_t>(count), static_cast<std::int64_t>(all + plan.golden_cases()),
                  result.name());
    };
    for (const auto& result : validation::run_jobs(plan.jobs, plan.options, plan.budget, runner, progress))
      record(result);
  }
  for (const auto& folder : plan.golden) {
    for (const auto& item : folder.cases) {
      for (const Backend backend : plan.golden_backends) {
        record(validation::run_golden_case(folder, item, backend, plan.options));
      }
    }
  }
  return checks;
}

int exit_code_of(const std::vector<reports::Check>& checks, bool device_required) {
  const auto any = [&](auto&& what) { return std::any_of(checks.begin(), checks.end(), what); };
  if (device_required &&
      any([](const reports::Check& c) { return c.backend == "cuda" && !executed(c.verdict); })) {
    return code_of(ExitCode::invalid);
  }
  if (any([](const reports::Check& c) { return red(c.verdict); })) return code_of(ExitCode::incorrect);
  if (any([](const reports::Check& c) { return c.verdict == reports::Verdict::vacuous; })) {
    return code_of(ExitCode::vacuous);
  }
  if (!any([](const reports::Check& c) { return executed(c.verdict); })) return code_of(ExitCode::vacuous);
  return code_of(ExitCode::ok);
}

std::string line_of(const reports::Check& check) {
  std::string line = fmt::format("{:<12} {}", reports::to_string(check.verdict), reports::check_key(check));
  if (check.cases > 0) line += fmt::format("  {} cases", check.cases);
  if (check.utilisation) line += fmt::format(", {:.3g} % of the bound", 100 * *check.utilisation);
  for (std::size_t from = 0; from < check.message.size();) {
    const std::size_t end = std::min(check.message.find('\n', from), check.message.size());
    line += "\n             " + check.message.substr(from, end - from);
    from = end + 1;
  }
  if (!check.replay.empty()) line += "\n             again: assay replay " + check.replay;
  return line;
}

std::optional<std::chrono::duration<double>> parse_duration(std::string_view text) {
  double unit = 1;
  if (text.ends_with("ms")) {
    unit = 1e-3;
    text.remove_suffix(2);
  } else if (text.ends_with('s') || text.ends_with('m') || text.ends_with('h')) {
    unit = text.back() == 's' ? 1 : text.back() == 'm' ? 60 : 3600;
    text.remove_suffix(1);
  }
  const auto number = io::parse_double(text);
  if (!number || !(*number > 0) || *number > 1e9) return std::nullopt;
  return std::chrono::duration<double>(*number * unit);
}

}  // namespace assay::program
