#include "ci/program/history_lines.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <sstream>

#include "ci/program/failure.hpp"
#include "ci/program/output_file.hpp"
#include "ci/program/recording.hpp"
#include "fmt/format.h"
#include "reports/jsonl.hpp"

namespace assay::program {
namespace {

std::int64_t sequence_of(const reports::Store& store, const std::string& reference) {
  const auto summary = store.find(reference);
  if (!summary) throw Failure(ExitCode::vacuous, store.url() + ": no run '" + reference + "' is stored");
  return summary->sequence;
}

/// --run REF, or FIRST..LAST with both ends included, where an end that is left out is open.
std::pair<std::int64_t, std::int64_t> wanted_sequences(const reports::Store& store,
                                                       const std::optional<std::string>& reference) {
  std::pair<std::int64_t, std::int64_t> wanted{0, std::numeric_limits<std::int64_t>::max()};
  if (!reference) return wanted;
  const auto dots = reference->find("..");
  if (dots == std::string::npos) {
    wanted.first = wanted.second = sequence_of(store, *reference);
    return wanted;
  }
  const std::string first = reference->substr(0, dots), last = reference->substr(dots + 2);
  if (!first.empty()) wanted.first = sequence_of(store, first);
  if (!last.empty()) wanted.second = sequence_of(store, last);
  if (wanted.first > wanted.second)
    throw Failure(ExitCode::usage, fmt::format("--run {}: the first run began after the last", *reference));
  return wanted;
}

/// Oldest first.
std::vector<reports::RunSummary> wanted_runs(const Invocation& invocation, const reports::Store& store) {
  const auto [first, last] = wanted_sequences(store, invocation.maybe_text("run"));
  const std::string commit = invocation.maybe_text("commit").value_or("");
  reports::RunFilter filter;
  filter.limit = std::numeric_limits<int>::max();
  std::vector<reports::RunSummary> runs = store.runs(filter);  // newest first
  std::erase_if(runs, [&, first = first, last = last](const reports::RunSummary& one) {
    return one.sequence < first || one.sequence > last || !one.run.commit.starts_with(commit);
  });
  if (invocation.given("limit")) {
    const auto newest = static_cast<std::size_t>(invocation.integer("limit", 1, 1'000'000));
    if (runs.size() > newest) runs.resize(newest);
  }
  if (runs.empty())
    throw Failure(ExitCode::vacuous,
                  fmt::format("{}: no run {}is stored", store.url(),
                              commit.empty() ? "" : fmt::format("of a commit '{}...' ", commit)));
  std::reverse(runs.begin(), runs.end());
  return runs;
}

}  // namespace

int export_runs(const Invocation& invocation, const std::string& path) {
  check_output_path(path, "--export");
  if (!invocation.positionals().empty())
    throw Failure(ExitCode::usage, "--export writes whole runs, expected no operation beside it, got '" +
                                       invocation.positionals().front() + "'");
  const reports::Store store = open_existing_store(invocation);
  const auto runs = wanted_runs(invocation, store);
  // One run at a time: a history of years does not fit into memory.
  write_pieces(path, [&](const io::Sink& sink) {
    for (const reports::RunSummary& one : runs) {
      std::ostringstream lines;
      reports::write_json_lines(lines, store.load(one.run.id).value());
      sink(lines.str());
    }
  });
  invocation.print(runs.size() == 1
                       ? fmt::format("{}: run {} of {}\n", path, runs[0].run.id, runs[0].run.started_at)
                       : fmt::format("{}: {} runs, {} to {}\n", path, runs.size(),
                                     runs.front().run.started_at, runs.back().run.started_at));
  return code_of(ExitCode::ok);
}

int import_runs(const Invocation& invocation, const std::string& path) {
  const reports::JsonLines lines = reports::read_json_lines(std::filesystem::path(path));
  if (!lines.ok()) throw Failure(ExitCode::usage, reports::describe(lines.errors.front(), path));
  if (lines.runs.empty()) throw Failure(ExitCode::usage, path + ": holds no run");
  reports::Store store = open_store(invocation);
  std::size_t added = 0;
  for (const reports::RunRecord& record : lines.runs) added += store.import(record) ? 1 : 0;
  invocation.print(
      fmt::format("{}: {} of {} runs added to {}\n", path, added, lines.runs.size(), store.url()));
  return code_of(ExitCode::ok);
}

}  // namespace assay::program
