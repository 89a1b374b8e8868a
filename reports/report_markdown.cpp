#include <fmt/format.h>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/operation_state.hpp"
#include "reports/overview.hpp"
#include "reports/report.hpp"

namespace assay::reports {
namespace {

constexpr std::size_t limit = 1000000;  // of the whole; GitHub refuses 1 MiB

std::string run_line(const Run& run) {
  return fmt::format("Run {} of {} UTC, `{}`{}, commit {}{}{}, seed {}, environment `{}`.\n\n",
                     escape_markdown(format_short(run.id)), escape_markdown(format_moment(run.started_at)),
                     escape_markdown_code(run.command), run.quick ? " (quick)" : "",
                     escape_markdown(format_short(run.commit)), run.dirty ? " with local changes" : "",
                     run.branch.empty() ? "" : " on " + escape_markdown(run.branch), run.seed,
                     run.environment.fingerprint());
}

std::string operation_row(const OperationState& state) {
  std::string against = escape_markdown(checked_against(state));
  if (state.is_reference())
    against = "the truth the others are checked against" + (against.empty() ? "" : "; its own: " + against);
  const std::string passed =
      state.executed() == 0 ? "–" : fmt::format("{} / {}", state.count(Verdict::pass), state.executed());
  std::string name, time = "–", rate;
  if (state.largest) {
    name = escape_markdown(state.largest->label);
    time = format_time(state.largest->median_ns);
    rate = escape_markdown(throughput(*state.largest));
  }
  const auto or_dash = [](const std::string& text) { return text.empty() ? "–" : text; };
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", escape_markdown(state.operation),
                     escape_markdown(state.backend), standing_word(state), passed, or_dash(against),
                     or_dash(name), time, or_dash(rate));
}

std::string operations_table(const ReportInput& input, std::size_t room) {
  const auto states = operation_states(input.run);
  if (states.empty()) return {};
  std::string out =
      "\n### Operations\n\n| operation | backend | state | passed / executed | against | largest case | time "
      "| throughput |\n|---|---|---|---|---|---|---|---|\n";
  std::size_t shown = 0;
  for (const OperationState& state : states) {
    const std::string row = operation_row(state);
    if (out.size() + row.size() + 100 > room) break;
    out += row;
    ++shown;
  }
  if (shown < states.size()) out += fmt::format("\nand {} more.\n", states.size() - shown);
  return out;
}

std::string overview_lines(const ReportInput& input) {
  std::string out;
  for (const Headline& line : overview(input))
    out += fmt::format("- **{}:** {}\n", escape_markdown(line.subject), escape_markdown(line.text));
  return out + '\n';
}

std::string recorded_lines(const ReportInput& input) {
  std::string out;
  for (const RecordedDevice& device : input.recorded)
    if (!device.runs.empty()) {
      const Run& run = device.runs.back().run;
      out += fmt::format("\nRecorded on {} (not by this run): {} UTC, commit {}.\n",
                         escape_markdown(device.device), escape_markdown(format_moment(run.started_at)),
                         escape_markdown(format_short(run.commit)));
    }
  return out;
}

}  // namespace

std::string markdown_report(const ReportInput& input) {
  const std::string head = "# Assay\n\n" + run_line(input.run.run) + overview_lines(input);
  const std::string tail = recorded_lines(input);
  // The verdicts come first and may take four fifths; what is left goes to the operations.
  const std::string verdicts = input.gate.markdown(limit * 4 / 5);
  const std::size_t used = head.size() + verdicts.size() + tail.size();
  const std::string operations = used < limit ? operations_table(input, limit - used) : "";
  return head + verdicts + operations + tail;
}

}  // namespace assay::reports
