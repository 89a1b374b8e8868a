#include "reports/changes.hpp"

#include <fmt/format.h>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

std::string what(const Change& change) {
  if (change.verdict_before && change.verdict_now)
    return badge(*change.verdict_before) + " → " + badge(*change.verdict_now);
  if (change.verdict_now) return badge(*change.verdict_now);
  if (change.verdict_before) return "was " + badge(*change.verdict_before);
  if (change.ns_before && change.ns_now)
    return escape_html(format_time(*change.ns_before) + " → " + format_time(*change.ns_now) + " (" +
                       format_change(change.ratio) + ")");
  if (change.ns_now) return escape_html(format_time(*change.ns_now));
  if (change.ns_before) return "was " + escape_html(format_time(*change.ns_before));
  return escape_html(change.summary);
}

}  // namespace

std::string changes(const ReportInput& input) {
  if (!input.previous)
    return section(
        "changes", "Since the last run",
        paragraph("This is the first run of its kind on this branch: there is nothing before it.", "none"));
  const RunRecord& before = *input.previous;
  Grid grid;
  grid.caption = "What changed since the last run";
  grid.columns = {"change", "where", "what"};
  grid.stack = true;
  for (const Change& change : changes_between(before, input.run))
    grid.rows.push_back({text_cell(to_string(change.kind)), code_cell(change.key), {what(change)}});
  std::string body = paragraph(fmt::format(
      "Compared with run {} of {} UTC, commit {}. A time is listed when the "
      "intervals of the two medians do not overlap: information, not a verdict.",
      format_short(before.run.id), format_moment(before.run.started_at), format_short(before.run.commit)));
  const std::string difference = environment_difference(before.run.environment, input.run.run.environment);
  if (!difference.empty())
    body += paragraph("The environment changed, so times are not compared: " + difference + ".", "note");
  body += grid.rows.empty() ? paragraph("Nothing changed.", "none") : table(grid, 40);
  return section("changes", "Since the last run", body);
}

}  // namespace assay::reports::html
