#include <algorithm>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {

std::string environment(const ReportInput& input) {
  const Environment& now = input.run.run.environment;
  const Environment before = input.previous ? input.previous->run.environment : Environment{};
  std::map<std::string, std::pair<std::string, std::string>> facts;
  for (const auto& [name, value] : now.facts) facts[name].first = value;
  for (const auto& [name, value] : before.facts) facts[name].second = value;
  Grid grid;
  grid.caption = "Facts about machine and build";
  grid.columns = {"fact", "now", "last run", "decides comparability"};
  for (const auto& [name, values] : facts) {
    const auto& [value, old_value] = values;
    const bool changed = input.previous && value != old_value;
    const auto& keys = fingerprint_keys();
    const bool decides = std::find(keys.begin(), keys.end(), name) != keys.end();
    std::string last = !input.previous ? "–"
                       : changed       ? escape_html(old_value.empty() ? "none" : old_value)
                                       : "same";
    if (changed) last = badge("changed", "warn") + " " + last;
    grid.rows.push_back({text_cell(name),
                         text_cell(value.empty() ? "none" : value),
                         {last, changed ? "0" : "1"},
                         text_cell(decides ? "yes" : "no")});
  }
  const std::string intro =
      "Fingerprint " + now.fingerprint() +
      (input.previous ? before.fingerprint() == now.fingerprint()
                            ? ", the same as in the last run."
                            : ", another than in the last run (" + before.fingerprint() + ")."
                      : ".") +
      " Times are compared only between runs with the same one.";
  const std::string body = grid.rows.empty() ? paragraph("No facts were recorded.", "none") : table(grid);
  return section("environment", "Environment", paragraph(intro) + body);
}

}  // namespace assay::reports::html
