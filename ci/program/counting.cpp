#include "ci/program/counting.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "benchmarks/counted.hpp"
#include "ci/program/compare_first_look.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/program_identity.hpp"
#include "fmt/format.h"
#include "reports/comparison/counted.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double longest_process = 4 * 3600;  // seconds: some fifty times what it takes by itself

/// Gone with everything in it with this object.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "assay-counts-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Failure(ExitCode::tool_error, name + ": cannot be created");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string valgrind() {
  const char* const path = std::getenv("PATH");
  std::string folders = path == nullptr ? "" : path;
  while (!folders.empty()) {
    const auto colon = folders.find(':');
    const std::string file = folders.substr(0, colon) + "/valgrind";
    if (::access(file.c_str(), X_OK) == 0) return file;
    folders = colon == std::string::npos ? "" : folders.substr(colon + 1);
  }
  throw Failure(ExitCode::invalid,
                "--counted: no valgrind is in the PATH, expected it to be installed (package valgrind)");
}

/// What one dump says; nothing where it is not of a counted call (the one at the process's end).
std::optional<double> count_in(const fs::path& dump) {
  std::ifstream file(dump);
  bool of_call = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("desc: Trigger:") && line.find(benchmarks::counted_function) != std::string::npos)
      of_call = true;
    if (!line.starts_with("totals: ")) continue;
    double count = 0;
    const char* const end = line.data() + line.size();
    const auto [last, error] = std::from_chars(line.data() + 8, end, count);
    if (of_call && error == std::errc{} && last == end) return count;
    break;
  }
  return std::nullopt;
}

/// One process of a program: the counts of these cases, in their order.
std::vector<double> count(const ComparedProgram& program, const ProcessOptions& options,
                          const std::vector<std::string>& lines) {
  const Folder folder;
  ComparedProgram under = program;
  under.under = {valgrind(),
                 "--tool=callgrind",
                 fmt::format("--toggle-collect={}", benchmarks::counted_function),
                 fmt::format("--dump-after={}", benchmarks::counted_function),
                 fmt::format("--callgrind-out-file={}/calls", folder.path()),
                 fmt::format("--log-file={}/log", folder.path())};
  run_process(under, options, lines, {"--count"});
  return counts_in(folder.path(), lines.size());
}

}  // namespace

std::vector<double> counts_in(const std::string& folder, std::size_t calls) {
  std::vector<double> counts;
  // "calls.1", "calls.2", ...: one a dump, and one more at the process's end.
  for (std::size_t number = 1; number <= calls; ++number) {
    const auto one = count_in(fs::path(folder) / fmt::format("calls.{}", number));
    if (!one) break;
    counts.push_back(*one);
  }
  if (counts.size() != calls)
    throw Failure(
        ExitCode::invalid,
        fmt::format(
            "callgrind counted {} calls of {}, expected all: is the program stripped of the symbol '{}'?",
            counts.size(), calls, benchmarks::counted_function));
  return counts;
}

Comparison count_both(const ComparisonPlan& plan, const Console& console) {
  const auto start = Clock::now();
  valgrind();
  const CodeIdentity identity = compare_code(plan.base.path, plan.candidate.path);
  ProcessOptions options = process_options(plan);
  console.note("checking the answers of both programs");
  ComparisonPlan timed = plan;
  timed.measures = {"wall"};  // what the first look knows of; no time is used
  const nlohmann::json first = look_at_both(timed, options);
  Comparison made;
  made.identity = identity.how;
  made.cases = cases_in(first);
  std::array<std::vector<std::string>, 2> lines;  // of the base and of the candidate
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < made.cases.size(); ++at) {
    reports::ComparedCase& item = made.cases[at];
    item.measures.clear();
    if (reports::verdict_without_times(item)) continue;
    item.measures[reports::counted_measure].unit = "instructions";
    places.push_back(at);
    for (std::size_t side = 0; side < 2; ++side)
      lines[side].push_back(
          fmt::format("{}\t{}", item.name, first["cases"][at]["planted_steps"][side].get<std::int64_t>()));
  }
  options.limit_seconds = longest_process;
  constexpr int processes = 2;
  ProgressLine line(console, "counting");
  for (int process = 0; process < 2 * processes && !places.empty(); ++process) {
    const bool candidate = process % 2 == 1;
    line.update(process, 2 * processes, candidate ? "the candidate" : "the base");
    const auto counts = count(candidate ? plan.candidate : plan.base, options, lines[candidate ? 1 : 0]);
    for (std::size_t i = 0; i < places.size(); ++i) {
      reports::ComparisonSeries& series = made.cases[places[i]].measures[reports::counted_measure];
      (candidate ? series.candidate : series.base).push_back(counts[i]);
    }
    ++made.blocks;
  }
  made.result = reports::judge_counted(made.cases, {.identity = plan.rule.identity}, identity.equal);
  made.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return made;
}

}  // namespace assay::program
