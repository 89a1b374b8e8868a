#include "engine/analysis/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "engine/analysis/random.hpp"
#include "engine/runtime/context.hpp"

namespace assay::analysis {

namespace {

constexpr double largest_elements = 0x1p30;  // 8 GiB of doubles

InputError refuse(InputError::Code code, std::string message) {
  return {code, std::move(message), {}, {}, {}};
}

std::optional<InputError> check_options(const EstimationOptions& options) {
  using Code = InputError::Code;
  if (options.k < 1)
    return refuse(Code::out_of_range, "k: " + std::to_string(options.k) + ", expected at least 1");
  if (options.algorithm != 1 && options.algorithm != 2)
    return refuse(Code::out_of_range,
                  "algorithm: " + std::to_string(options.algorithm) + ", expected 1 or 2");
  if (options.theiler_window < 0)
    return refuse(Code::out_of_range, "theiler: " + std::to_string(options.theiler_window) +
                                          ", expected a window of 0 or more rows");
  if (!(options.noise >= 0) || !std::isfinite(options.noise))
    return refuse(Code::out_of_range, "noise: expected a finite standard deviation of 0 or more");
  return std::nullopt;
}

std::string name_of_column(const SeriesTable& table, std::int64_t column) {
  const auto index = static_cast<std::size_t>(column);
  if (index < table.names.size() && !table.names[index].empty()) return "'" + table.names[index] + "'";
  return std::to_string(column);
}

/// The columns that any lag reads, each once, in rising order.
std::vector<std::int64_t> columns_used(const std::vector<te::EmbeddedVariable>& variables) {
  std::vector<std::int64_t> columns;
  for (const te::EmbeddedVariable& variable : variables)
    if (variable.history > 0) columns.push_back(variable.column);
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

/// Those columns alone, (rows, columns.size()), so that a wide table costs a pair no more than a narrow one.
Result<Tensor> gather_finite(const SeriesTable& table, const std::vector<std::int64_t>& columns) {
  Tensor gathered(DType::f64, {table.rows(), static_cast<std::int64_t>(columns.size())});
  const auto values = table.values.as<double>();
  auto out = gathered.as<double>().begin();
  for (std::int64_t row = 0; row < table.rows(); ++row)
    for (const std::int64_t column : columns) {
      const double value = values[static_cast<std::size_t>(row * table.columns() + column)];
      if (!std::isfinite(value)) {
        InputError error = refuse(InputError::Code::not_finite,
                                  "column " + name_of_column(table, column) + ", row " + std::to_string(row) +
                                      " of the data: " + (std::isnan(value) ? "NaN" : "infinity") +
                                      ", expected a finite number");
        error.column = static_cast<std::uint64_t>(column + 1);
        return error;
      }
      *out++ = value;
    }
  return gathered;
}

/// Columns [first, first + count) of a row-major (rows, width) matrix.
Tensor slice_columns(std::span<const double> matrix, std::int64_t rows, std::int64_t width,
                     std::int64_t first, std::int64_t count) {
  Tensor part(DType::f64, {rows, count});
  const auto target = part.as<double>();
  for (std::int64_t row = 0; row < rows; ++row)
    std::copy_n(matrix.begin() + (row * width + first), count, target.begin() + row * count);
  return part;
}

/// The row of the table of each observation.
std::vector<std::int64_t> times_of(const std::vector<std::int64_t>& trials, std::int64_t reach) {
  std::vector<std::int64_t> times;
  std::int64_t first = 0;
  for (const std::int64_t length : trials) {
    for (std::int64_t row = reach; row < length; ++row) times.push_back(first + row);
    first += length;
  }
  return times;
}

}  // namespace

std::int64_t width_of(std::span<const te::EmbeddedVariable> variables) {
  std::int64_t width = 0;
  for (const te::EmbeddedVariable& variable : variables) width += variable.history;
  return width;
}

std::int64_t reach_of(const Layout& layout) {
  std::int64_t reach = layout.least_reach;
  for (const auto* part : {&layout.x, &layout.y, &layout.z})
    reach = std::max(reach, te::embedding_reach(*part));
  return reach;
}

Points Points::clone() const {
  return {x.clone(), y.clone(), z.clone(), trial_lengths, times};
}

std::int64_t admissible_neighbours(std::span<const std::int64_t> trial_lengths, std::int64_t theiler_window) {
  std::int64_t count = 0;
  std::int64_t zone = 0;
  for (const std::int64_t length : trial_lengths) {
    count += length;
    // length <= 2 w + 1, written so that a huge window does not overflow
    zone = std::max(zone, length / 2 <= theiler_window ? length : 2 * theiler_window + 1);
  }
  return count - zone;
}

void normalise_columns(std::span<double> matrix, std::int64_t rows, std::int64_t columns) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<double> mean(width, 0.0), squares(width, 0.0), magnitude(width, 0.0);
  std::vector<bool> constant(width, true);
  const auto each = [&](auto&& visit) {
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::size_t c = 0; c < width; ++c) visit(c, matrix[static_cast<std::size_t>(row) * width + c]);
  };
  each([&](std::size_t c, double value) {
    magnitude[c] = std::max(magnitude[c], std::fabs(value));
    if (value != matrix[c]) constant[c] = false;
  });
  // Scores are free of scale: where squares might leave the range of double, a power of two
  // brings them back, exactly.
  for (std::size_t c = 0; c < width; ++c)
    if (magnitude[c] > 1e100 || (magnitude[c] < 1e-100 && magnitude[c] > 0))
      for (std::int64_t row = 0; row < rows; ++row) {
        double& value = matrix[static_cast<std::size_t>(row) * width + c];
        value = std::scalbn(value, -std::ilogb(magnitude[c]));
      }
  each([&](std::size_t c, double value) { mean[c] += value; });
  for (double& value : mean) value /= static_cast<double>(rows);
  each([&](std::size_t c, double value) { squares[c] += (value - mean[c]) * (value - mean[c]); });
  std::vector<double> deviation(width);
  for (std::size_t c = 0; c < width; ++c)
    deviation[c] = std::sqrt(squares[c] / static_cast<double>(rows - 1));
  each([&](std::size_t c, double& value) { value = constant[c] ? 0 : (value - mean[c]) / deviation[c]; });
}

Result<Observations> observations_of(const SeriesTable& table, std::int64_t reach, std::int64_t width,
                                     const EstimationOptions& options) {
  if (auto error = check_options(options)) return *error;
  Observations seen;
  seen.reach = reach;
  for (const std::int64_t length : te::embedded_trial_lengths(trial_lengths_of(table), reach)) {
    if (length > 0) seen.trial_lengths.push_back(length);
    seen.count += length;
  }
  const std::int64_t admissible = admissible_neighbours(seen.trial_lengths, options.theiler_window);
  if (admissible < options.k)
    return refuse(InputError::Code::out_of_range,
                  "too few observations: " + std::to_string(table.rows()) + " rows make " +
                      std::to_string(seen.count) + " embedded observations, of which " +
                      std::to_string(admissible) + " may be neighbours outside a Theiler window of " +
                      std::to_string(options.theiler_window) +
                      "; expected at least k = " + std::to_string(options.k));
  if (static_cast<double>(seen.count) * static_cast<double>(width) > largest_elements)
    return refuse(InputError::Code::too_large, std::to_string(seen.count) + " embedded observations of " +
                                                   std::to_string(width) +
                                                   " values each are too large, expected at most 8 GiB");
  return seen;
}

Result<Tensor> prepare_part(const SeriesTable& table, std::span<const te::EmbeddedVariable> asked,
                            std::int64_t reach, std::int64_t first_column, const EstimationOptions& options) {
  const std::vector<std::int64_t> trials = trial_lengths_of(table);
  std::int64_t count = 0;
  for (const std::int64_t length : te::embedded_trial_lengths(trials, reach)) count += length;
  std::vector<te::EmbeddedVariable> variables;
  for (const te::EmbeddedVariable& variable : asked)
    if (variable.history > 0) variables.push_back(variable);
  const std::int64_t width = width_of(variables);
  if (width == 0) return Tensor(DType::f64, {count, 0});
  const std::vector<std::int64_t> columns = columns_used(variables);
  Result<Tensor> series = gather_finite(table, columns);
  if (!series) return series.error();
  if (options.normalise == Normalise::series)
    normalise_columns(series.value().as<double>(), table.rows(), static_cast<std::int64_t>(columns.size()));
  for (te::EmbeddedVariable& variable : variables)
    variable.column = std::lower_bound(columns.begin(), columns.end(), variable.column) - columns.begin();
  // Where the start is held back further than the lags need, one more column does it, and is cut off again.
  const bool held_back = reach > te::embedding_reach(variables);
  if (held_back) variables.push_back({0, 1, 1, reach});

  Tensor embedded(DType::f64, {count, held_back ? width + 1 : width});
  Tensor times(DType::i64, {count});
  Context host = Context::cpu(1);
  te::embed(host, assay::as_const(series.value().view()), trials, variables, embedded.view(), times.view());
  if (held_back) embedded = slice_columns(embedded.as<double>(), count, width + 1, 0, width);
  const auto matrix = embedded.as<double>();
  if (options.normalise == Normalise::columns) normalise_columns(matrix, count, width);
  if (options.noise > 0)
    for (std::int64_t c = 0; c < width; ++c)
      for (std::int64_t row = 0; row < count; ++row) {
        Philox stream(options.seed,
                      random_stream(RandomUse::noise, static_cast<std::uint32_t>(first_column + c)),
                      static_cast<std::uint64_t>(row));
        matrix[static_cast<std::size_t>(row * width + c)] += options.noise * stream.normal();
      }
  return embedded;
}

Result<Points> prepare(const SeriesTable& table, const Layout& layout, const EstimationOptions& options) {
  std::vector<te::EmbeddedVariable> variables;
  for (const auto* part : {&layout.x, &layout.y, &layout.z})
    variables.insert(variables.end(), part->begin(), part->end());
  const std::int64_t width_x = width_of(layout.x), width_y = width_of(layout.y), width_z = width_of(layout.z);
  const std::int64_t width = width_x + width_y + width_z;
  Result<Observations> seen = observations_of(table, reach_of(layout), width, options);
  if (!seen) return seen.error();
  const std::int64_t reach = seen.value().reach, count = seen.value().count;
  const Result<Tensor> embedded = prepare_part(table, variables, reach, 0, options);
  if (!embedded) return embedded.error();

  Points points;
  points.trial_lengths = std::move(seen.value().trial_lengths);
  const auto matrix = embedded.value().as<double>();
  points.x = slice_columns(matrix, count, width, 0, width_x);
  points.y = slice_columns(matrix, count, width, width_x, width_y);
  points.z = slice_columns(matrix, count, width, width_x + width_y, width_z);
  points.times = times_of(trial_lengths_of(table), reach);
  return points;
}

}  // namespace assay::analysis
