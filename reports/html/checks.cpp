#include <fmt/format.h>

#include <algorithm>

#include "reports/escape.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

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
  std::string html = message_html(check.message);
  for (const auto& [name, value] : check.notes)
    html += (html.empty() ? "<small>" : "<br><small>") + escape_html(name + ": " + value) + "</small>";
  if (!check.issue.empty()) html += " " + escape_html(check.issue);
  if (!check.replay.empty()) html += "<br><code>assay replay " + escape_html(check.replay) + "</code>";
  return {html.empty() ? "–" : html};
}

}  // namespace

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
