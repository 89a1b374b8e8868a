#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/result.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay::analysis {

/// Time series side by side: one column a variable, one row a time step. Rows of one trial are consecutive.
struct SeriesTable {
  std::vector<std::string> names;           ///< one a column; "0", "1", .. where the file has no header
  Tensor values;                            ///< (rows, columns) f64
  std::vector<std::int64_t> trial_lengths;  ///< empty: one trial; else >= 1 each, summing to rows

  std::int64_t rows() const { return values.shape().at(0); }
  std::int64_t columns() const { return values.shape().at(1); }
};

/// The leading rows alone; the last trial is cut short where the cut falls inside it. Refused: count < 1 or
/// beyond the rows that are there.
Result<SeriesTable> take_first_rows(const SeriesTable& table, std::int64_t count);

/// The same table with its trials read from a column that numbers them. Refused: a column that is not
/// there, or a trial number that comes back after another one (rows of a trial must be consecutive). The
/// column stays in the table.
Result<SeriesTable> with_trials(const SeriesTable& table, std::int64_t column);

/// The trials as lengths: {rows} where the table has one trial.
std::vector<std::int64_t> trial_lengths_of(const SeriesTable& table);

/// Whether all values of a column are equal: legal, but worth a warning to the user.
bool constant_column(const SeriesTable& table, std::int64_t column);

}  // namespace assay::analysis
