#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports::html {
namespace {

Cell status_cell(const Mutant& mutant) {
  std::string word(to_string(mutant.status));
  std::replace(word.begin(), word.end(), '_', ' ');
  if (mutant.status == MutantStatus::crashed || mutant.status == MutantStatus::timeout)
    word = "caught: " + word;
  return {badge(word, counts_as_caught(mutant.status) ? "good" : "bad"),
          fmt::format("{}", counts_as_caught(mutant.status) ? 1 : 0)};
}

/// Classes of faults by operation: how many were caught of how many.
std::string matrix(const RunRecord& record) {
  std::set<std::string> operations;
  std::map<std::string, std::map<std::string, std::pair<int, int>>> cells;  // class, operation: caught, all
  for (const Mutant& mutant : record.mutants) {
    operations.insert(mutant.operation);
    auto& [caught, all] = cells[mutant.category][mutant.operation];
    caught += counts_as_caught(mutant.status);
    ++all;
  }
  Grid grid;
  grid.caption = "Caught of planted, by class of fault and operation";
  grid.columns = {"class of fault"};
  grid.columns.insert(grid.columns.end(), operations.begin(), operations.end());
  for (const auto& [category, row] : cells) {
    std::vector<Cell> out{text_cell(category.empty() ? "–" : category)};
    for (const std::string& operation : operations) {
      const auto found = row.find(operation);
      if (found == row.end()) {
        out.push_back({"<span class=\"empty\">·</span>", "-1"});
        continue;
      }
      const auto& [caught, all] = found->second;
      out.push_back({badge(fmt::format("{} / {}", caught, all), caught == all ? "good" : "bad"),
                     fmt::format("{}", static_cast<double>(caught) / all)});
    }
    grid.rows.push_back(std::move(out));
  }
  return table(grid);
}

}  // namespace

std::string mutants(const RunRecord& record) {
  if (record.mutants.empty()) return paragraph("No planted fault was run.", "none");
  std::vector<const Mutant*> ordered;
  int caught = 0;
  for (const Mutant& mutant : record.mutants) {
    ordered.push_back(&mutant);
    caught += counts_as_caught(mutant.status);
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const Mutant* a, const Mutant* b) {
    return counts_as_caught(a->status) < counts_as_caught(b->status);
  });
  Grid grid;
  grid.caption = "Planted faults, survivors first";
  grid.columns = {"status", "fault", "class", "backend", "what was changed", "caught by", "cases"};
  for (const Mutant* mutant : ordered)
    grid.rows.push_back({status_cell(*mutant), code_cell(mutant->id), text_cell(mutant->category),
                         text_cell(mutant->backend), text_cell(mutant->change),
                         text_cell(mutant->property.empty() ? "–" : mutant->property),
                         count_cell(mutant->cases)});
  return paragraph(fmt::format("{} of {} were caught. A fault that is never reached counts as a miss.",
                               caught,
                               format_count(static_cast<long long>(ordered.size()), "planted fault"))) +
         matrix(record) + table(grid, 8);
}

}  // namespace assay::reports::html
