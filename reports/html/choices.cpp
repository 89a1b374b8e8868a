#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

/// What the slower side may cost before a choice for it is called a bad one.
constexpr double tolerated = 1.10;

/// One case whose parameter was left to the operation, with the same case for each value of it.
struct Choice {
  const Benchmark* automatic = nullptr;
  std::map<std::string, const Benchmark*> sides;  // by value of the parameter
};

bool usable(const Benchmark& benchmark) {
  return benchmark.peer.empty() && benchmark.median_ns > 0.0 && benchmark.validity == Validity::valid;
}

/// Where the label is `plain` and one part "parameter=VALUE" more: VALUE. Else "".
std::string side_of(const std::string& label, const std::string& plain, const std::string& parameter) {
  const std::string start = plain + "," + parameter + "=";
  return label.starts_with(start) && label.find(',', start.size()) == std::string::npos
             ? label.substr(start.size())
             : "";
}

std::vector<Choice> choices_of(const RunRecord& record, const std::string& operation,
                               const std::string& parameter) {
  std::vector<Choice> all;
  for (const Benchmark& automatic : record.benchmarks) {
    if (automatic.operation != operation || !usable(automatic) || !automatic.chosen.contains(parameter))
      continue;
    Choice choice{.automatic = &automatic};
    for (const Benchmark& side : record.benchmarks) {
      if (side.operation != operation || side.backend != automatic.backend || !usable(side)) continue;
      const std::string value = side_of(side.label, automatic.label, parameter);
      if (!value.empty()) choice.sides[value] = &side;
    }
    if (!choice.sides.empty()) all.push_back(std::move(choice));
  }
  return all;
}

/// The chosen side beside the fastest; the case itself stands for a side that was not measured.
Cell judgement(const Choice& choice, const std::string& chosen, double fastest) {
  const auto side = choice.sides.find(chosen);
  const double taken = side == choice.sides.end() ? choice.automatic->median_ns : side->second->median_ns;
  const double factor = taken / std::min(fastest, taken);
  const std::string text = factor == 1.0 ? "fastest" : fmt::format("{:.0f} % slower", 100.0 * (factor - 1.0));
  return {badge(text, factor > tolerated ? "warn" : "good"), fmt::format("{}", factor)};
}

std::string table_of(const std::string& operation, const std::string& parameter,
                     const std::vector<Choice>& choices) {
  std::set<std::string> values;
  for (const Choice& choice : choices)
    for (const auto& [value, side] : choice.sides) values.insert(value);
  Grid grid;
  grid.caption = operation + " · " + parameter + ": each side of the choice, and what was chosen";
  grid.columns = {"case", "backend"};
  grid.columns.insert(grid.columns.end(), values.begin(), values.end());
  for (const char* column : {"faster", "auto", "its time", "the choice is"})
    grid.columns.emplace_back(column);
  for (const Choice& choice : choices) {
    const auto faster = std::min_element(
        choice.sides.begin(), choice.sides.end(),
        [](const auto& a, const auto& b) { return a.second->median_ns < b.second->median_ns; });
    const std::string& chosen = choice.automatic->chosen.at(parameter);
    std::vector<Cell> row{text_cell(choice.automatic->label), text_cell(choice.automatic->backend)};
    for (const std::string& value : values) {
      const auto side = choice.sides.find(value);
      row.push_back(side == choice.sides.end() ? text_cell("–") : time_cell(side->second->median_ns));
    }
    row.push_back(text_cell(choice.sides.size() > 1 || choice.automatic->median_ns > faster->second->median_ns
                                ? faster->first
                                : chosen));
    row.push_back(text_cell(chosen));
    row.push_back(time_cell(choice.automatic->median_ns));
    row.push_back(judgement(choice, chosen, faster->second->median_ns));
    grid.rows.push_back(std::move(row));
  }
  return table(grid);
}

}  // namespace

std::string choices(const RunRecord& record) {
  std::string tables;
  std::set<std::pair<std::string, std::string>> seen;
  for (const Benchmark& benchmark : record.benchmarks)
    for (const auto& [parameter, chosen] : benchmark.chosen) {
      if (!seen.emplace(benchmark.operation, parameter).second) continue;
      const auto all = choices_of(record, benchmark.operation, parameter);
      if (!all.empty()) tables += table_of(benchmark.operation, parameter, all);
    }
  if (tables.empty()) return tables;
  return "<h3>Choices by size</h3>\n" +
         paragraph(
             "Where an operation chooses by the size of a call, both sides were timed at sizes around "
             "the crossover. A choice that costs more than 10 % over the faster side is marked.") +
         tables;
}

}  // namespace assay::reports::html
