#include <algorithm>
#include <map>

#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/history_lines.hpp"
#include "ci/program/invocation.hpp"
#include "ci/program/operation_help.hpp"
#include "ci/program/recording.hpp"
#include "ci/program/suggestion.hpp"
#include "fmt/format.h"
#include "reports/change_points.hpp"
#include "reports/format.hpp"

namespace assay::program {
namespace {

nlohmann::ordered_json run_json(const reports::RunSummary& summary) {
  const reports::Run& run = summary.run;
  nlohmann::ordered_json item{{"sequence", summary.sequence},
                              {"id", run.id},
                              {"started_at", run.started_at},
                              {"command", run.command},
                              {"commit", run.commit},
                              {"branch", run.branch},
                              {"dirty", run.dirty},
                              {"quick", run.quick},
                              {"state", reports::to_string(run.state)},
                              {"fingerprint", run.environment.fingerprint()}};
  item["exit_status"] = run.exit_status ? nlohmann::ordered_json(*run.exit_status) : nlohmann::ordered_json();
  return item;
}

std::string run_line(const reports::RunSummary& summary) {
  const reports::Run& run = summary.run;
  return fmt::format("{:>5}  {}  {:<9} {:<9} {:<8} {}{}  {}{}\n", summary.sequence,
                     run.started_at.substr(0, 19), run.command, reports::to_string(run.state),
                     run.exit_status ? fmt::format("exit {}", *run.exit_status) : std::string("-"),
                     run.commit.empty() ? "no commit" : run.commit.substr(0, 10), run.dirty ? "+" : "",
                     run.id.substr(0, 8), run.quick ? "  quick" : "");
}

std::string change_line(const reports::ChangePoint& point) {
  return fmt::format("  {}/{}: {} ({} -> {}) between runs {} and {}, {}; p = {:.3g}\n", point.label,
                     point.backend, reports::format_change(point.ratio),
                     reports::format_time(point.median_before_ns),
                     reports::format_time(point.median_after_ns), point.sequence_before, point.sequence_after,
                     reports::commit_range(point), point.p_value);
}

/// Where the times of that operation changed and stayed so, among the runs shown.
std::vector<reports::ChangePoint> changes_of(const Invocation& invocation, const reports::History& history,
                                             const std::string& operation) {
  if (operation.empty()) return {};
  reports::DivisiveOptions options;
  options.seed = invocation.seed();
  return reports::change_points(history, options);
}

int run_history(Invocation& invocation) {
  if (const auto path = invocation.maybe_text("export")) return export_runs(invocation, *path);
  if (const auto path = invocation.maybe_text("import")) return import_runs(invocation, *path);
  reports::HistoryFilter filter;
  filter.runs.limit = static_cast<int>(invocation.integer("limit", 1, 1'000'000));
  if (!invocation.positionals().empty()) filter.operation = invocation.positionals().front();
  if (const auto backend = invocation.maybe_text("on")) filter.backend = *backend;
  const reports::Store store = open_existing_store(invocation);
  const reports::History history = store.history(filter);
  if (history.runs.empty()) throw Failure(ExitCode::vacuous, store.url() + ": no run is stored");
  if (!filter.operation.empty() && history.benchmarks.empty() && history.checks.empty()) {
    throw Failure(ExitCode::vacuous, "nothing is stored of '" + filter.operation + "'" +
                                         suggestion(filter.operation, operation_names()));
  }
  const auto changes = changes_of(invocation, history, filter.operation);
  if (invocation.json()) {
    nlohmann::ordered_json document;
    document["store"] = store.url();
    document["runs"] = nlohmann::ordered_json::array();
    for (const auto& summary : history.runs) document["runs"].push_back(run_json(summary));
    document["benchmarks"] = nlohmann::ordered_json::array();
    for (const auto& point : history.benchmarks) {
      document["benchmarks"].push_back({{"sequence", point.sequence},
                                        {"operation", point.operation},
                                        {"label", point.label},
                                        {"backend", point.backend},
                                        {"peer", point.peer},
                                        {"median_ns", point.median_ns},
                                        {"low_ns", point.low_ns},
                                        {"high_ns", point.high_ns},
                                        {"validity", reports::to_string(point.validity)}});
    }
    document["checks"] = nlohmann::ordered_json::array();
    for (const auto& point : history.checks) {
      nlohmann::ordered_json item{{"sequence", point.sequence},
                                  {"operation", point.operation},
                                  {"name", point.name},
                                  {"backend", point.backend},
                                  {"verdict", reports::to_string(point.verdict)}};
      if (point.utilisation) item["utilisation"] = *point.utilisation;
      document["checks"].push_back(std::move(item));
    }
    document["change_points"] = nlohmann::ordered_json::array();
    for (const reports::ChangePoint& point : changes)
      document["change_points"].push_back(nlohmann::ordered_json(nlohmann::json(point)));
    invocation.print_json(document);
    return code_of(ExitCode::ok);
  }
  std::string text = "  run  started (UTC)        command   state     exit     commit       id\n";
  for (const auto& summary : history.runs) text += run_line(summary);
  if (!filter.operation.empty()) {
    std::map<std::string, std::string> times;
    for (const auto& point : history.benchmarks) {
      const std::string name =
          fmt::format("{}/{}{}", point.label, point.backend, point.peer.empty() ? "" : "@" + point.peer);
      times[name] += fmt::format(" {}:{:.4g}", point.sequence, point.median_ns / 1e6);
    }
    if (!times.empty()) text += "medians in ms, by run\n";
    for (const auto& [name, line] : times) text += fmt::format("  {}:{}\n", name, line);
    if (!times.empty())
      text += changes.empty() ? "no change point: no shift that stays, within one environment\n"
                              : "change points, newest first\n";
    for (const reports::ChangePoint& point : changes) text += change_line(point);
    std::map<std::string, std::string> verdicts;
    for (const auto& point : history.checks) {
      if (point.verdict == reports::Verdict::pass) continue;
      verdicts[point.name + "/" + point.backend] +=
          fmt::format(" {}:{}", point.sequence, reports::to_string(point.verdict));
    }
    text += verdicts.empty() ? "every stored check of it passed\n" : "checks that did not pass, by run\n";
    for (const auto& [name, line] : verdicts) text += fmt::format("  {}:{}\n", name, line);
  }
  invocation.print(text);
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_history() {
  Command command;
  command.path = "history";
  command.summary = "The stored runs, or what they say of one operation";
  command.examples =
      R"(Examples:
  assay history
  assay history te.ksg --on cpu --json
  assay history --export all.jsonl                   every stored run, oldest first
  assay history --export run.jsonl --run latest      one run; 1f3a..latest and 1f3a.. are ranges, ends included
  assay history --export some.jsonl --commit 6e3a8a7 --limit 2
  assay history --import all.jsonl --store other.sqlite)";
  command.options = {
      {"limit", "N", "the newest N runs (listed: 30; exported: all)", "30"},
      {"on", "BACKEND", "only results on that backend"},
      {"export", "FILE.jsonl", "write the stored runs as JSON lines instead"},
      {"run", "REF[..REF]", "export this run alone, or a range: ids, beginnings of ids, latest"},
      {"commit", "HASH", "export runs of this commit alone, which may be cut short"},
      {"import", "FILE.jsonl", "add the runs of such a file to the store instead"},
      store_option()};
  command.positionals = {{"OP", "an operation; by default the runs alone", false}};
  command.run = run_history;
  return command;
}

}  // namespace assay::program
