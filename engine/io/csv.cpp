#include "engine/io/csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace assay::io {
namespace {

constexpr std::size_t max_columns = 1'000'000;

bool is_blank(char letter) {
  return letter == ' ' || letter == '\t';
}
bool ends_line(char letter) {
  return letter == '\n' || letter == '\r';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (is_blank(text.front()))) text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()))) text.remove_suffix(1);
  return text;
}

/// Walks over the fields of a text; knows the line it is in.
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t offset, std::uint64_t line, char separator)
      : at_(text.data() + offset), end_(text.data() + text.size()), line_(line), separator_(separator) {}

  struct Field {
    std::string_view text;  ///< without quotes and blanks around it; doubled quotes inside are kept
    bool quoted = false;
    bool broken = false;  ///< a quote that is never closed, or text after a closing quote
    bool last = false;    ///< of its row
  };

  /// Skips blank lines and comments; false at the end of the text.
  bool next_row() {
    while (at_ != end_) {
      const char* probe = at_;
      while (probe != end_ && is_blank(*probe) && *probe != separator_) ++probe;
      if (probe == end_) {
        at_ = end_;
        return false;
      }
      if (*probe == '#') {
        while (probe != end_ && !ends_line(*probe)) ++probe;
      } else if (!ends_line(*probe)) {
        return true;
      }
      at_ = probe;
      end_line();
    }
    return false;
  }

  Field next_field() {
    const char* begin = at_;
    while (begin != end_ && is_blank(*begin) && *begin != separator_) ++begin;
    if (begin != end_ && *begin == '"') return quoted_field(begin + 1);
    const char* stop = begin;
    while (stop != end_ && *stop != separator_ && !ends_line(*stop)) ++stop;
    at_ = stop;
    Field field;
    field.text = trimmed({begin, static_cast<std::size_t>(stop - begin)});
    field.last = finish_field();
    return field;
  }

  void skip_row() {
    while (!next_field().last) {
    }
  }

  std::uint64_t line() const { return line_; }
  const char* position() const { return at_; }

 private:
  Field quoted_field(const char* begin) {
    Field field;
    field.quoted = true;
    const char* stop = begin;
    while (stop != end_) {
      if (*stop == '"') {
        if (stop + 1 == end_ || stop[1] != '"') break;
        ++stop;
      }
      ++stop;
    }
    field.text = {begin, static_cast<std::size_t>(stop - begin)};
    if (stop == end_) {
      // Never closed: the field is cut at its line's end, so that a message stays short.
      const std::size_t cut = field.text.find_first_of("\r\n");
      field.text = field.text.substr(0, cut);
      field.broken = true;
      field.last = true;
      at_ = end_;
      return field;
    }
    for (std::size_t i = 0; i < field.text.size(); ++i) {
      if (field.text[i] == '\n' || (field.text[i] == '\r' && field.text.substr(i + 1, 1) != "\n")) ++line_;
    }
    at_ = stop + 1;
    while (at_ != end_ && is_blank(*at_) && *at_ != separator_) ++at_;
    if (at_ != end_ && *at_ != separator_ && !ends_line(*at_)) {
      field.broken = true;
      while (at_ != end_ && *at_ != separator_ && !ends_line(*at_)) ++at_;
    }
    field.last = finish_field();
    return field;
  }

  bool finish_field() {
    if (at_ != end_ && *at_ == separator_) {
      ++at_;
      return false;
    }
    end_line();
    return true;
  }

  void end_line() {
    if (at_ == end_) return;
    const bool carriage = *at_ == '\r';
    ++at_;
    if (carriage && at_ != end_ && *at_ == '\n') ++at_;
    ++line_;
  }

  const char* at_;
  const char* end_;
  std::uint64_t line_;
  char separator_;
};

/// Fields of each of the first rows under one separator.
std::vector<std::size_t> field_counts(std::string_view text, std::size_t start, char separator) {
  Scanner scanner(text, start, 1, separator);
  std::vector<std::size_t> counts;
  while (counts.size() < 10 && scanner.next_row()) {
    std::size_t count = 1;
    while (!scanner.next_field().last && count <= max_columns) ++count;
    counts.push_back(count);
  }
  return counts;
}

/// Tab before semicolon before comma: text that holds a rarer one consistently is separated by it, and commas
/// beside semicolons are decimal commas.
char find_separator(std::string_view text, std::size_t start) {
  constexpr std::array candidates{'\t', ';', ','};
  std::array<std::vector<std::size_t>, candidates.size()> counts;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    counts[i] = field_counts(text, start, candidates[i]);
    if (counts[i].empty() || counts[i].front() < 2) continue;
    if (std::all_of(counts[i].begin(), counts[i].end(),
                    [&](std::size_t n) { return n == counts[i].front(); })) {
      return candidates[i];
    }
  }
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!counts[i].empty() && counts[i].front() >= 2) return candidates[i];
  }
  // A header of one name over rows of several is ragged; their separator is still the better guess.
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (counts[i].size() > 1 && counts[i][1] >= 2) return candidates[i];
  }
  return ',';
}

std::string unquoted(const Scanner::Field& field) {
  std::string out;
  for (std::size_t i = 0; i < field.text.size(); ++i) {
    out += field.text[i];
    if (field.quoted && field.text[i] == '"') ++i;
  }
  return out;
}

InputError at_file(const std::string& path, InputError::Code code, const std::string& what) {
  return {code, path + ": " + what, {}, {}, {}};
}

InputError at_line(const std::string& path, std::uint64_t line, InputError::Code code,
                   const std::string& what) {
  return {code, path + ": line " + std::to_string(line) + ": " + what, {}, line, {}};
}

InputError at_field(const std::string& path, std::uint64_t line, std::size_t column, const std::string& name,
                    InputError::Code code, const std::string& what) {
  return {code,
          path + ": line " + std::to_string(line) + ", column " + std::to_string(column + 1) +
              (name.empty() ? "" : " (" + printable(name) + ")") + ": " + what,
          {},
          line,
          column + 1};
}

InputError ragged(const std::string& path, std::uint64_t line, std::size_t got, std::size_t expected) {
  return at_line(path, line, InputError::Code::malformed,
                 "a row of " + std::to_string(got) + (got == 1 ? " field" : " fields") + ", expected " +
                     std::to_string(expected) + " as in the first row");
}

}  // namespace

std::optional<double> parse_double(std::string_view text) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  double value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (stop != text.data() + text.size() || code == std::errc::invalid_argument || text.empty())
    return std::nullopt;
  // Out of range says nothing of whether it was too large or too small: the C parser rounds both correctly.
  if (code == std::errc::result_out_of_range) return std::strtod(std::string(text).c_str(), nullptr);
  return value;
}

Result<CsvFile> CsvFile::open(const std::string& path, Header header) {
  auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  return parse(path, std::move(bytes).value(), header);
}

Result<CsvFile> CsvFile::parse(std::string name, FileBytes bytes, Header header) {
  CsvFile file;
  file.path_ = std::move(name);
  file.bytes_ = std::move(bytes);
  const std::string_view text = file.bytes_.view();
  if (text.empty()) {
    return at_file(file.path_, InputError::Code::malformed, "is empty, expected rows of numbers");
  }
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    return at_file(file.path_, InputError::Code::malformed, "is UTF-16 text, expected UTF-8 or ASCII");
  }
  file.body_ = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  file.separator_ = find_separator(text, file.body_);

  Scanner scanner(text, file.body_, 1, file.separator_);
  if (!scanner.next_row()) {
    return at_file(file.path_, InputError::Code::malformed, "has no rows, expected rows of numbers");
  }
  file.body_ = static_cast<std::size_t>(scanner.position() - text.data());
  file.body_line_ = scanner.line();
  std::vector<Scanner::Field> first;
  do {
    first.push_back(scanner.next_field());
    if (first.size() > max_columns) {
      return at_line(file.path_, file.body_line_, InputError::Code::too_large,
                     "more than " + std::to_string(max_columns) + " columns");
    }
    if (first.back().broken) {
      return at_field(file.path_, file.body_line_, first.size() - 1, "", InputError::Code::malformed,
                      "a quote that is not closed before the field ends");
    }
  } while (!first.back().last);

  const auto named = [](const Scanner::Field& field) {
    return !field.text.empty() && !parse_double(field.text);
  };
  file.has_header_ = header == Header::present;
  if (header == Header::detect) {
    file.has_header_ = std::any_of(first.begin(), first.end(), named);
    // Quoted numbers over unquoted ones are names ("0","1","2" as some programs write them).
    const auto quoted = [](const Scanner::Field& field) { return field.quoted; };
    if (!file.has_header_ && std::all_of(first.begin(), first.end(), quoted)) {
      Scanner ahead = scanner;
      if (ahead.next_row()) file.has_header_ = !ahead.next_field().quoted;
    }
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    file.names_.push_back(file.has_header_ ? unquoted(first[i]) : std::to_string(i));
  }
  if (file.has_header_) {
    const bool more = scanner.next_row();
    file.body_ = static_cast<std::size_t>(scanner.position() - text.data());
    file.body_line_ = scanner.line();
    if (!more) {
      return at_file(file.path_, InputError::Code::malformed,
                     "has a header and no rows, expected rows of numbers");
    }
  }
  return file;
}

Result<NumberTable> CsvFile::read(std::span<const std::int64_t> columns, std::int64_t max_rows) const {
  NumberTable table;
  // slots[c]: where the values of the file's column c go; a column may be asked for more than once.
  std::vector<std::vector<std::size_t>> slots(names_.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto column = static_cast<std::size_t>(columns[i]);
    if (columns[i] < 0 || column >= names_.size()) {
      return at_file(path_, InputError::Code::out_of_range,
                     "no column " + std::to_string(columns[i]) + ", it has " + std::to_string(names_.size()));
    }
    table.names.push_back(names_[column]);
    slots[column].push_back(i);
  }
  const auto shown_name = [this](std::size_t column) { return has_header_ ? names_[column] : std::string(); };
  const std::string_view text = bytes_.view();
  const std::size_t width = columns.size();
  Scanner scanner(text, body_, body_line_, separator_);
  std::vector<double> row(width);
  while (table.rows < max_rows && scanner.next_row()) {
    const std::uint64_t line = scanner.line();
    if (table.rows == 1 && max_rows > 1) {
      // The length of the first row tells how many are to come, roughly.
      const auto used = static_cast<std::size_t>(scanner.position() - text.data()) - body_;
      const std::size_t guess = (text.size() - body_) / std::max<std::size_t>(used, 1) + 16;
      table.values.reserve(width * std::min(guess, static_cast<std::size_t>(max_rows)));
    }
    std::size_t column = 0;
    for (bool last = false; !last; ++column) {
      const Scanner::Field field = scanner.next_field();
      last = field.last;
      if (column >= names_.size()) continue;
      if (field.broken) {
        return at_field(path_, line, column, shown_name(column), InputError::Code::malformed,
                        "a quote that is not closed before the field ends");
      }
      if (slots[column].empty()) continue;
      const std::optional<double> value = parse_double(field.quoted ? trimmed(field.text) : field.text);
      // A row that is too short often shows as an odd last field: the count is the better message.
      if (!value && last && column + 1 != names_.size())
        return ragged(path_, line, column + 1, names_.size());
      if (!value) {
        return at_field(path_, line, column, shown_name(column), InputError::Code::malformed,
                        field.text.empty() ? "an empty field, expected a number"
                                           : "'" + printable(field.text) + "' is not a number");
      }
      if (!std::isfinite(*value)) {
        return at_field(path_, line, column, shown_name(column), InputError::Code::not_finite,
                        "'" + printable(field.text) + "' is not finite, expected a finite number");
      }
      for (const std::size_t slot : slots[column]) row[slot] = *value;
    }
    if (column != names_.size()) return ragged(path_, line, column, names_.size());
    table.values.insert(table.values.end(), row.begin(), row.end());
    ++table.rows;
  }
  return table;
}

std::uint64_t CsvFile::line_of(std::int64_t row) const {
  Scanner scanner(bytes_.view(), body_, body_line_, separator_);
  while (scanner.next_row() && row-- > 0) scanner.skip_row();
  return scanner.line();
}

Result<NumberTable> CsvFile::read_all(std::int64_t max_rows) const {
  std::vector<std::int64_t> columns(names_.size());
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<std::int64_t>(i);
  return read(columns, max_rows);
}

}  // namespace assay::io
