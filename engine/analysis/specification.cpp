#include "engine/analysis/specification.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace assay::analysis {

namespace {

constexpr std::int64_t largest_lag = 1'000'000'000;  // products of two such numbers fit 63 bits

InputError refuse(std::string message) {
  return {InputError::Code::out_of_range, std::move(message), {}, {}, {}};
}

std::optional<InputError> check_number(const char* what, std::int64_t value, std::int64_t least) {
  if (value >= least && value <= largest_lag) return std::nullopt;
  return refuse(std::string(what) + ": " + std::to_string(value) + " is out of range, expected " +
                std::to_string(least) + " to " + std::to_string(largest_lag));
}

std::optional<InputError> check_columns(const SeriesTable& table, const char* what,
                                        const std::vector<std::int64_t>& columns, bool may_be_empty = false) {
  if (columns.empty() && !may_be_empty)
    return refuse(std::string(what) + ": no column given, expected at least one");
  for (const std::int64_t column : columns)
    if (column < 0 || column >= table.columns())
      return refuse(std::string(what) + ": " + std::to_string(column) +
                    " is not a column of the data, expected 0 to " + std::to_string(table.columns() - 1));
  return std::nullopt;
}

/// One entry a conditional from a list that has none, one, or as many as there are conditionals.
Result<std::vector<std::int64_t>> spread(const char* what, const std::vector<std::int64_t>& list,
                                         std::size_t count, std::int64_t least) {
  for (const std::int64_t value : list)
    if (auto error = check_number(what, value, least)) return *error;
  if (list.empty()) return std::vector<std::int64_t>(count, 1);
  if (list.size() == 1) return std::vector<std::int64_t>(count, list[0]);
  if (list.size() != count)
    return refuse(std::string(what) + ": " + std::to_string(list.size()) +
                  " entries, expected one for each of the " + std::to_string(count) + " conditionals");
  return list;
}

std::vector<te::EmbeddedVariable> variables(const std::vector<std::int64_t>& columns, std::int64_t history,
                                            std::int64_t tau, std::int64_t delay) {
  std::vector<te::EmbeddedVariable> all;
  for (const std::int64_t column : columns) all.push_back({column, history, tau, delay});
  return all;
}

}  // namespace

Result<Layout> layout_of(const SeriesTable& table, const TeSpec& spec) {
  if (auto error = check_columns(table, "source", spec.sources)) return *error;
  if (auto error = check_columns(table, "target", spec.targets)) return *error;
  if (auto error = check_columns(table, "conditional", spec.conditionals, true)) return *error;
  if (auto error = check_number("k-history", spec.k_history, 0)) return *error;
  if (auto error = check_number("k-tau", spec.k_tau, 1)) return *error;
  if (auto error = check_number("l-history", spec.l_history, 1)) return *error;
  if (auto error = check_number("l-tau", spec.l_tau, 1)) return *error;
  if (auto error = check_number("delay", spec.delay, 0)) return *error;
  const std::size_t count = spec.conditionals.size();
  const auto histories = spread("cond-history", spec.cond_history, count, 0);
  if (!histories) return histories.error();
  const auto taus = spread("cond-tau", spec.cond_tau, count, 1);
  if (!taus) return taus.error();
  const auto delays = spread("cond-delay", spec.cond_delay, count, 0);
  if (!delays) return delays.error();

  Layout layout;
  layout.x = variables(spec.sources, spec.l_history, spec.l_tau, spec.delay);
  layout.y = variables(spec.targets, 1, 1, 0);
  layout.z = variables(spec.targets, spec.k_history, spec.k_tau, 1);
  for (std::size_t c = 0; c < count; ++c) {
    const std::int64_t history = histories.value()[c], tau = taus.value()[c], delay = delays.value()[c];
    layout.z.push_back({spec.conditionals[c], history, tau, delay});
    layout.least_reach = std::max(layout.least_reach, (history - 1) * tau + delay);
  }
  return layout;
}

Result<Layout> layout_of(const SeriesTable& table, const CmiSpec& spec) {
  if (auto error = check_columns(table, "x", spec.x)) return *error;
  if (auto error = check_columns(table, "y", spec.y)) return *error;
  if (auto error = check_columns(table, "z", spec.z, true)) return *error;
  return Layout{variables(spec.x, 1, 1, 0), variables(spec.y, 1, 1, 0), variables(spec.z, 1, 1, 0), 0};
}

Result<Layout> layout_of(const SeriesTable& table, const AisSpec& spec) {
  if (auto error = check_columns(table, "series", spec.series)) return *error;
  if (auto error = check_number("k-history", spec.k_history, 1)) return *error;
  if (auto error = check_number("k-tau", spec.k_tau, 1)) return *error;
  return Layout{
      variables(spec.series, spec.k_history, spec.k_tau, 1), variables(spec.series, 1, 1, 0), {}, 0};
}

}  // namespace assay::analysis
