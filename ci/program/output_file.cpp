#include "ci/program/output_file.hpp"

#include <charconv>
#include <filesystem>

#include "ci/program/failure.hpp"
#include "engine/io/atomic_write.hpp"
#include "engine/io/npy.hpp"

namespace assay::program {
namespace {

/// A name as a field of a CSV header.
std::string csv_field(const std::string& name) {
  const bool plain = name.find_first_of(",;\t\"\r\n# ") == std::string::npos && !name.empty();
  if (plain) return name;
  std::string out = "\"";
  for (const char letter : name) out += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return out + "\"";
}

}  // namespace

void check_output_path(const std::string& path, const std::string& source) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path folder = fs::path(path).parent_path();
  if (path.empty()) throw Failure(ExitCode::usage, source + ": an empty file name, expected a path");
  if (!folder.empty() && !fs::is_directory(folder, ignored)) {
    throw Failure(ExitCode::usage, source + ": " + path + ": no such folder '" + folder.string() + "'");
  }
  if (fs::is_directory(path, ignored)) {
    throw Failure(ExitCode::usage, source + ": " + path + ": is a directory, expected a file name");
  }
}

std::optional<std::string> output_path(const Invocation& invocation, const std::string& option) {
  const auto path = invocation.maybe_text(option);
  if (path) check_output_path(*path, invocation.source(option));
  return path;
}

void write_text(const std::string& path, const std::string& text) {
  value_or_fail(io::write_file(path, {text}));
}

void write_pieces(const std::string& path, const std::function<void(const io::Sink&)>& produce) {
  value_or_fail(io::write_file(path, produce));
}

void write_array(const std::string& path, const ConstTensorView& array) {
  value_or_fail(io::write_npy(path, array));
}

std::string csv_text(const std::vector<std::string>& names, std::span<const double> values) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) out += (i ? "," : "") + csv_field(names[i]);
  out += '\n';
  char digits[32];
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto [stop, code] = std::to_chars(digits, digits + sizeof digits, values[i]);
    out.append(digits, stop);
    out += (i + 1) % names.size() == 0 ? '\n' : ',';
  }
  return out;
}

}  // namespace assay::program
