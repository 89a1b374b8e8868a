#pragma once

#include <filesystem>
#include <iosfwd>

#include "reports/record.hpp"

/// Runs as JSON lines: the form in which they are exported, imported and kept in the repository.
///
/// One object a line, each with a "type": `run` (with "schema"), then any number of `operation`, `check`,
/// `benchmark`, `mutant` and `calibration`, then `end` with the counts of what came before it. A file may
/// hold several runs, one after the other.
namespace assay::reports {

struct LineError {
  std::size_t line = 0;  // 1-based; 0 where the file as a whole is meant
  std::string message;   // one line: what, and what was expected

  bool operator==(const LineError&) const = default;
};

/// "records/x.jsonl:12: message", or without the number where the whole file is meant.
std::string describe(const LineError& error, const std::string& source);

/// What was read, and every line that could not be. Good lines survive bad ones: a run without its `end`
/// line is kept, marked interrupted, and reported as an error.
struct JsonLines {
  std::vector<RunRecord> runs;
  std::vector<LineError> errors;

  bool ok() const { return errors.empty(); }
};

JsonLines read_json_lines(std::istream& in);

/// As above; a file that cannot be opened is an error of line 0.
JsonLines read_json_lines(const std::filesystem::path& file);

void write_json_lines(std::ostream& out, const RunRecord& record);

}  // namespace assay::reports
