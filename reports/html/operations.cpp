#include <fmt/format.h>

#include <algorithm>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"
#include "reports/operation_state.hpp"

namespace assay::reports::html {
namespace {

std::string_view tone_of(OperationStanding standing) {
  switch (standing) {
    case OperationStanding::wrong:
      return "bad";
    case OperationStanding::vacuous:
      return "warn";
    case OperationStanding::checked:
      return "good";
    case OperationStanding::no_data:
    case OperationStanding::not_executed:
      break;
  }
  return "quiet";
}

std::string joined(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "–" : out;
}

Cell operation_cell(const OperationState& state) {
  std::string html = "<b>" + escape_html(state.operation) + "</b>";
  if (!state.info.summary.empty()) html += "<br><small>" + escape_html(state.info.summary) + "</small>";
  return {html, state.operation};
}

Cell body_cell(const OperationState& state) {
  if (state.backend != "cuda") return text_cell("–");
  return text_cell(state.info.cuda_body.empty() ? "–" : state.info.cuda_body);
}

Cell golden_cell(const OperationState& state) {
  if (state.golden_run == 0) return text_cell("–");
  return {fmt::format("{} / {}", state.golden_passed, state.golden_run), fmt::format("{}", state.golden_run)};
}

Cell quickest_cell(const OperationState& state) {
  if (!state.quickest) return {state.benchmarks == 0 ? "no data" : "none valid", "nan"};
  return {fmt::format("{}<br><small>{}</small>", escape_html(format_time(state.quickest->median_ns)),
                      escape_html(state.quickest->label)),
          fmt::format("{}", state.quickest->median_ns)};
}

Cell share_cell(const OperationState& state) {
  if (!state.best_roofline_share) return text_cell("–");
  return {meter(*state.best_roofline_share, format_percent(*state.best_roofline_share)),
          fmt::format("{}", *state.best_roofline_share)};
}

int severity(Verdict verdict) {
  switch (verdict) {
    case Verdict::fail:
      return 0;
    case Verdict::crashed:
      return 1;
    case Verdict::timeout:
      return 2;
    case Verdict::xpass:
      return 3;
    case Verdict::vacuous:
      return 4;
    case Verdict::xfail:
      return 5;
    case Verdict::not_executed:
      return 6;
    case Verdict::unsupported:
      return 7;
    case Verdict::pass:
      return 8;
  }
  return 9;
}

Cell message_cell(const Check& check) {
  std::string html = escape_html(check.message.substr(0, check.message.find('\n')));
  if (check.message.find('\n') != std::string::npos)
    html = "<details><summary>" + html + "</summary><pre>" + escape_html(check.message) + "</pre></details>";
  for (const auto& [name, value] : check.notes)
    html += (html.empty() ? "<small>" : "<br><small>") + escape_html(name + ": " + value) + "</small>";
  if (!check.issue.empty()) html += " " + escape_html(check.issue);
  if (!check.replay.empty()) html += "<br><code>assay replay " + escape_html(check.replay) + "</code>";
  return {html.empty() ? "–" : html};
}

}  // namespace

std::string operations(const RunRecord& record) {
  Grid grid;
  grid.caption = "Every operation on every backend it has";
  grid.columns = {"operation", "backend", "state",         "against",         "passed",   "not executed",
                  "golden",    "cases",   "quickest case", "of the roofline", "CUDA body"};
  for (const OperationState& state : operation_states(record))
    grid.rows.push_back({operation_cell(state),
                         text_cell(state.backend),
                         {badge(to_string(state.standing), tone_of(state.standing)),
                          fmt::format("{}", static_cast<int>(state.standing))},
                         text_cell(joined(state.against)),
                         {fmt::format("{} / {}", state.count(Verdict::pass), state.executed()),
                          fmt::format("{}", state.count(Verdict::pass))},
                         count_cell(state.count(Verdict::not_executed)),
                         golden_cell(state),
                         count_cell(state.cases),
                         quickest_cell(state),
                         share_cell(state),
                         body_cell(state)});
  return grid.rows.empty() ? paragraph("No operations were listed.", "none") : table(grid);
}

std::string checks(const RunRecord& record) {
  std::vector<const Check*> ordered;
  for (const Check& check : record.checks) ordered.push_back(&check);
  std::stable_sort(ordered.begin(), ordered.end(), [](const Check* a, const Check* b) {
    if (severity(a->verdict) != severity(b->verdict)) return severity(a->verdict) < severity(b->verdict);
    return a->utilisation.value_or(-1.0) > b->utilisation.value_or(-1.0);
  });
  Grid grid;
  grid.caption = "All checks, worst first";
  grid.columns = {"verdict", "operation", "check",        "kind", "backend",
                  "against", "cases",     "of the bound", "time", "message"};
  for (const Check* check : ordered)
    grid.rows.push_back({{badge(check->verdict), fmt::format("{}", severity(check->verdict))},
                         text_cell(check->operation),
                         text_cell(check->name),
                         text_cell(to_string(check->kind)),
                         text_cell(check->backend),
                         text_cell(check->against.empty() ? "–" : check->against),
                         count_cell(check->cases),
                         number_cell(check->utilisation),
                         time_cell(check->elapsed_ms * 1e6),
                         message_cell(*check)});
  return grid.rows.empty() ? paragraph("No check was recorded.", "none") : table(grid, 12);
}

}  // namespace assay::reports::html
