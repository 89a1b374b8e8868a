#include "ci/program/series_input.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ci/program/failure.hpp"
#include "ci/program/suggestion.hpp"
#include "engine/io/npy.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

constexpr std::int64_t all_rows = std::numeric_limits<std::int64_t>::max();

}  // namespace

std::vector<Option> series_options() {
  return {
      {"data", "FILE", "time series: .csv (one row a time step) or .npy (2-D, float32 or float64)"},
      {"trial-column", "COL", "column that numbers independent trials; their rows are consecutive"},
      {"rows", "N", "use only the first N rows"},
      {"header", "WHEN", "whether a text file's first row names the columns: auto, yes, no", "auto"},
  };
}

SeriesInput::SeriesInput(const Invocation& invocation) : path_(invocation.text("data")) {
  const std::string header = invocation.choice("header", {"auto", "yes", "no"});
  if (!io::is_npy_name(path_)) {
    csv_ = value_or_fail(io::CsvFile::open(path_, header == "auto"  ? io::Header::detect
                                                  : header == "yes" ? io::Header::present
                                                                    : io::Header::absent));
    names_ = csv_->names();
    return;
  }
  array_ = value_or_fail(io::read_npy(path_));
  if (array_.dtype() != DType::f64 && array_.dtype() != DType::f32) {
    throw Failure(ExitCode::usage, fmt::format("{}: elements of type {}, expected float32 or float64", path_,
                                               name_of(array_.dtype())));
  }
  const Shape& shape = array_.shape();
  if (shape.size() != 1 && shape.size() != 2) {
    throw Failure(ExitCode::usage, fmt::format("{}: shape {}, expected two dimensions: (rows, columns)",
                                               path_, to_string(shape)));
  }
  const std::int64_t width = shape.size() == 2 ? shape[1] : 1;
  if (shape[0] == 0 || width == 0) {
    throw Failure(ExitCode::usage, path_ + ": holds no numbers, expected rows of them");
  }
  for (std::int64_t i = 0; i < width; ++i) names_.push_back(std::to_string(i));
}

SeriesInput::~SeriesInput() = default;

std::string SeriesInput::label(std::int64_t file_column) const {
  const std::string& name = names_[static_cast<std::size_t>(file_column)];
  return name == std::to_string(file_column)
             ? fmt::format("column {}", file_column)
             : fmt::format("column {} ({})", file_column, io::printable(name));
}

std::int64_t SeriesInput::file_column(const Invocation& invocation, const std::string& option,
                                      const std::string& text) const {
  const auto found = std::find(names_.begin(), names_.end(), text);
  if (found != names_.end() && !text.empty()) {
    if (std::find(found + 1, names_.end(), text) != names_.end()) {
      invocation.refuse(
          option, fmt::format("{}: several columns are named '{}', expected a number from 0 to {}", path_,
                              io::printable(text), names_.size() - 1));
    }
    return found - names_.begin();
  }
  const auto number = parse_integer(text);
  if (number && *number >= 0 && *number < static_cast<std::int64_t>(names_.size())) return *number;
  std::string known;
  for (std::size_t i = 0; i < names_.size() && i < 12; ++i)
    known += (i ? ", " : "") + io::printable(names_[i]);
  if (names_.size() > 12) known += ", ...";
  invocation.refuse(option, fmt::format("{}: no column '{}'{} (it has {}: {})", path_, io::printable(text),
                                        number ? "" : suggestion(text, names_), names_.size(), known));
}

std::int64_t SeriesInput::table_column(std::int64_t file_column) {
  const auto found = std::find(wanted_.begin(), wanted_.end(), file_column);
  if (found != wanted_.end()) return found - wanted_.begin();
  wanted_.push_back(file_column);
  return static_cast<std::int64_t>(wanted_.size()) - 1;
}

std::vector<std::int64_t> SeriesInput::columns(const Invocation& invocation, const std::string& option) {
  std::vector<std::int64_t> columns;
  const auto text = invocation.maybe_text(option);
  if (!text) return columns;
  const bool whole = std::find(names_.begin(), names_.end(), *text) != names_.end();
  for (const std::string& part : whole ? std::vector<std::string>{*text} : split_list(*text)) {
    const std::int64_t column = table_column(file_column(invocation, option, part));
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      invocation.refuse(option, "column '" + io::printable(part) + "' is named twice");
    }
    columns.push_back(column);
  }
  return columns;
}

std::vector<std::int64_t> SeriesInput::all_columns(const Invocation& invocation) {
  const auto trial = invocation.maybe_text("trial-column");
  const std::int64_t left_out = trial ? file_column(invocation, "trial-column", *trial) : -1;
  std::vector<std::int64_t> columns;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(names_.size()); ++i) {
    if (i == left_out) continue;
    wanted_.push_back(i);
    columns.push_back(static_cast<std::int64_t>(wanted_.size()) - 1);
  }
  return columns;
}

analysis::SeriesTable SeriesInput::read_csv(std::int64_t rows) const {
  io::NumberTable numbers = value_or_fail(csv_->read(wanted_, rows));
  analysis::SeriesTable table;
  table.names = std::move(numbers.names);
  table.values = Tensor::from(numbers.values, {numbers.rows, static_cast<std::int64_t>(wanted_.size())});
  return table;
}

analysis::SeriesTable SeriesInput::read_array(std::int64_t rows) const {
  const auto width = names_.size();
  const std::int64_t count = std::min(rows, array_.shape()[0]);
  analysis::SeriesTable table;
  for (const std::int64_t column : wanted_) table.names.push_back(names_[static_cast<std::size_t>(column)]);
  table.values = Tensor(DType::f64, {count, static_cast<std::int64_t>(wanted_.size())});
  const std::span<double> values = table.values.as<double>();
  const auto copy = [&](auto source) {
    std::size_t at = 0;
    for (std::int64_t row = 0; row < count; ++row) {
      for (const std::int64_t column : wanted_) {
        const auto value = static_cast<double>(
            source[static_cast<std::size_t>(row) * width + static_cast<std::size_t>(column)]);
        if (!std::isfinite(value)) {
          throw Failure(ExitCode::usage,
                        fmt::format("{}: row {}, column {}: {} is not finite, expected a finite number",
                                    path_, row, column, value));
        }
        values[at++] = value;
      }
    }
  };
  if (array_.dtype() == DType::f64)
    copy(array_.as<double>());
  else
    copy(array_.as<float>());
  return table;
}

analysis::SeriesTable SeriesInput::read(const Invocation& invocation) {
  const std::int64_t rows = invocation.given("rows") ? invocation.integer("rows", 1) : all_rows;
  std::int64_t trial = -1;
  const auto variables = static_cast<std::int64_t>(wanted_.size());
  if (const auto text = invocation.maybe_text("trial-column")) {
    trial = table_column(file_column(invocation, "trial-column", *text));
  }
  analysis::SeriesTable table = csv_ ? read_csv(rows) : read_array(rows);
  if (rows != all_rows && table.rows() < rows) {
    invocation.console().warn(
        fmt::format("{}: has {} rows, fewer than --rows {}", path_, table.rows(), rows));
  }
  if (trial >= 0) table = value_or_fail(analysis::with_trials(table, trial));
  for (std::int64_t column = 0; column < variables; ++column) {
    if (column != trial && analysis::constant_column(table, column)) {
      invocation.console().warn(
          fmt::format("{}: {} is constant", path_, label(wanted_[static_cast<std::size_t>(column)])));
    }
  }
  return table;
}

}  // namespace assay::program
