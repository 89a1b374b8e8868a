#include "engine/analysis/series.hpp"

#include <algorithm>
#include <set>

namespace assay::analysis {

namespace {

InputError out_of_range(std::string message) {
  return {InputError::Code::out_of_range, std::move(message), {}, {}, {}};
}

}  // namespace

Result<SeriesTable> take_first_rows(const SeriesTable& table, std::int64_t count) {
  if (count < 1 || count > table.rows())
    return out_of_range("rows: " + std::to_string(count) + " asked for, expected 1 to " +
                        std::to_string(table.rows()) + " (the rows of the data)");
  SeriesTable cut;
  cut.names = table.names;
  const auto values = table.values.as<double>();
  cut.values = Tensor::from(values.first(static_cast<std::size_t>(count * table.columns())),
                            Shape{count, table.columns()});
  std::int64_t left = count;
  for (const std::int64_t length : table.trial_lengths) {
    if (left == 0) break;
    cut.trial_lengths.push_back(std::min(length, left));
    left -= cut.trial_lengths.back();
  }
  return cut;
}

Result<SeriesTable> with_trials(const SeriesTable& table, std::int64_t column) {
  const std::int64_t columns = table.columns();
  if (column < 0 || column >= columns)
    return out_of_range("trial column: " + std::to_string(column) + " is not a column, expected 0 to " +
                        std::to_string(columns - 1));
  SeriesTable split;
  split.names = table.names;
  split.values = table.values.clone();
  const auto values = split.values.as<double>();
  std::set<double> seen;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const double trial = values[static_cast<std::size_t>(row * columns + column)];
    if (row > 0 && trial == values[static_cast<std::size_t>((row - 1) * columns + column)]) {
      ++split.trial_lengths.back();
      continue;
    }
    if (!seen.insert(trial).second)
      return out_of_range("trial column: row " + std::to_string(row) +
                          " returns to a trial that had ended, expected " +
                          "the rows of a trial to be consecutive");
    split.trial_lengths.push_back(1);
  }
  return split;
}

std::vector<std::int64_t> trial_lengths_of(const SeriesTable& table) {
  if (!table.trial_lengths.empty()) return table.trial_lengths;
  return {table.rows()};
}

bool constant_column(const SeriesTable& table, std::int64_t column) {
  const auto values = table.values.as<double>();
  for (std::int64_t row = 1; row < table.rows(); ++row)
    if (values[static_cast<std::size_t>(row * table.columns() + column)] !=
        values[static_cast<std::size_t>(column)])
      return false;
  return true;
}

}  // namespace assay::analysis
