#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/bytes.hpp"
#include "engine/runtime/result.hpp"

namespace assay::io {

/// Numbers of a table, row-major.
struct NumberTable {
  std::vector<std::string> names;  ///< of the columns; "0", "1", .. where the file has no header
  std::int64_t rows = 0;
  std::vector<double> values;  ///< (rows, names.size())
};

/// Whether the first row names the columns.
enum class Header : std::uint8_t { detect, present, absent };

/// A table of numbers as text: fields separated by comma, semicolon or tab (found out from the first lines),
/// with a header or none (a first row that holds something other than numbers is one), fields in double
/// quotes, UTF-8 byte-order mark, line ends of every kind, blank lines, and comment lines that begin with
/// `#`.
///
/// Opening reads the file and its header; `read` parses the columns that are asked for, so that a column of
/// dates beside them does no harm. Every row must have as many fields as the first. Numbers are read as a
/// correctly rounded parser reads them; NaN, Inf and empty fields are refused. Errors name file, line
/// (1-based), column (1-based, and its name) and what was expected.
class CsvFile {
 public:
  static Result<CsvFile> open(const std::string& path, Header header = Header::detect);
  /// The same from memory; `name` stands for the path in messages.
  static Result<CsvFile> parse(std::string name, FileBytes bytes, Header header = Header::detect);

  const std::vector<std::string>& names() const { return names_; }
  bool has_header() const { return has_header_; }
  char separator() const { return separator_; }

  /// The columns (0-based) of the first `max_rows` rows.
  Result<NumberTable> read(std::span<const std::int64_t> columns,
                           std::int64_t max_rows = std::numeric_limits<std::int64_t>::max()) const;
  Result<NumberTable> read_all(std::int64_t max_rows = std::numeric_limits<std::int64_t>::max()) const;

  /// The 1-based line of a row of numbers (0-based), for messages about its values. Walks through the file.
  std::uint64_t line_of(std::int64_t row) const;

 private:
  std::string path_;
  FileBytes bytes_;
  std::vector<std::string> names_;
  bool has_header_ = false;
  char separator_ = ',';
  std::size_t body_ = 0;         ///< offset of the first row of numbers
  std::uint64_t body_line_ = 1;  ///< and its line
};

/// The correctly rounded double of a decimal number, without blanks around it; a leading + is allowed.
/// Nothing where the text is no number. The result may be infinite or NaN.
std::optional<double> parse_double(std::string_view text);

}  // namespace assay::io
