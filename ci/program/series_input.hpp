#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ci/program/invocation.hpp"
#include "engine/analysis/series.hpp"
#include "engine/io/csv.hpp"

namespace assay::program {

/// The user's data file, .csv (or any text) or .npy: first its columns are named, then those that are used
/// are read.
class SeriesInput {
 public:
  /// Opens --data. Throws Failure.
  explicit SeriesInput(const Invocation& invocation);
  ~SeriesInput();

  const std::vector<std::string>& names() const { return names_; }
  const std::string& path() const { return path_; }

  /// The columns that an option names, by name or 0-based number, separated by commas; a text that is a name
  /// as a whole is that name. Empty where the option was not given. The numbers are those of the table that
  /// `read` gives: a column that is asked for the first time becomes its next one. Throws Failure: an unknown
  /// column, a name that several have.
  std::vector<std::int64_t> columns(const Invocation& invocation, const std::string& option);
  /// All columns but the one of --trial-column, in the file's order.
  std::vector<std::int64_t> all_columns(const Invocation& invocation);

  /// Reads what was asked for (--rows, --trial-column), warns about constant columns. Throws Failure.
  analysis::SeriesTable read(const Invocation& invocation);

 private:
  std::int64_t file_column(const Invocation& invocation, const std::string& option,
                           const std::string& text) const;
  std::int64_t table_column(std::int64_t file_column);
  analysis::SeriesTable read_csv(std::int64_t rows) const;
  analysis::SeriesTable read_array(std::int64_t rows) const;
  std::string label(std::int64_t file_column) const;

  std::string path_;
  std::vector<std::string> names_;
  std::optional<io::CsvFile> csv_;
  Tensor array_;                      ///< of an .npy file
  std::vector<std::int64_t> wanted_;  ///< columns of the file, in the order of the table's
};

/// --data, --trial-column and --rows, for commands that read a data file.
std::vector<Option> series_options();

}  // namespace assay::program
