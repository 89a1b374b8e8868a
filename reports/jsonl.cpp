#include "reports/jsonl.hpp"

#include <algorithm>
#include <fstream>
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>

namespace assay::reports {
namespace {

using nlohmann::json;

/// Exceptions of the JSON library begin with "[json.exception...] "; a person needs only what follows, and
/// that on one line.
std::string plain(std::string message) {
  if (message.starts_with("[json.exception"))
    if (const auto end = message.find("] "); end != std::string::npos) message.erase(0, end + 2);
  // The library counts lines within the one line that it was given.
  const std::string_view within = "parse error at line 1, column ";
  if (message.starts_with(within)) message.replace(0, within.size(), "no JSON at column ");
  std::replace(message.begin(), message.end(), '\n', ' ');
  return message;
}

class Reader {
 public:
  void line(std::size_t number, const std::string& text) {
    try {
      const json j = json::parse(text);
      if (!j.is_object()) throw std::invalid_argument("expected an object with a \"type\"");
      accept(number, j);
    } catch (const std::exception& error) {
      out_.errors.push_back({number, plain(error.what())});
    }
  }

  JsonLines finish() {
    close_unfinished();
    return std::move(out_);
  }

 private:
  void accept(std::size_t number, const json& j) {
    const auto type = j.find("type");
    if (type == j.end() || !type->is_string()) throw std::invalid_argument("expected a \"type\"");
    const auto& name = type->get_ref<const std::string&>();
    if (name == "run") {
      begin(number, j);
      return;
    }
    if (name != "operation" && name != "check" && name != "benchmark" && name != "mutant" &&
        name != "calibration" && name != "end")
      throw std::invalid_argument(
          "unknown type \"" + name +
          "\", expected run, operation, check, benchmark, mutant, calibration or end");
    if (!open_)
      throw std::invalid_argument("\"" + name + "\" outside a run: expected a \"run\" line before it");
    RunRecord& record = out_.runs.back();
    if (name == "operation") record.operations.push_back(j.get<OperationInfo>());
    if (name == "check") record.checks.push_back(j.get<Check>());
    if (name == "benchmark") record.benchmarks.push_back(j.get<Benchmark>());
    if (name == "mutant") record.mutants.push_back(j.get<Mutant>());
    if (name == "calibration") record.calibrations.push_back(j.get<Calibration>());
    if (name == "end") end(j);
  }

  void begin(std::size_t number, const json& j) {
    close_unfinished();
    const int schema = j.value("schema", 0);
    if (schema < 1 || schema > record_schema_version)
      throw std::invalid_argument("schema " + std::to_string(schema) +
                                  " of the run is not known, expected at most " +
                                  std::to_string(record_schema_version));
    RunRecord record;
    record.run = j.get<Run>();
    out_.runs.push_back(std::move(record));
    open_ = true;
    begun_at_ = number;
  }

  void end(const json& j) {
    open_ = false;
    const RunRecord& record = out_.runs.back();
    const auto expect = [&](const char* what, std::size_t found) {
      const auto counted = j.value(what, found);
      if (counted != found)
        throw std::invalid_argument("the run has " + std::to_string(found) + " " + what +
                                    ", its end line expects " + std::to_string(counted));
    };
    expect("operations", record.operations.size());
    expect("checks", record.checks.size());
    expect("benchmarks", record.benchmarks.size());
    expect("mutants", record.mutants.size());
    expect("calibrations", record.calibrations.size());
  }

  void close_unfinished() {
    if (!open_) return;
    open_ = false;
    out_.runs.back().run.state = RunState::interrupted;
    out_.errors.push_back({begun_at_, "the run that begins here has no \"end\" line: it was cut short"});
  }

  JsonLines out_;
  bool open_ = false;
  std::size_t begun_at_ = 0;
};

template <typename T>
void write_line(std::ostream& out, const char* type, const T& value) {
  json j = value;
  j["type"] = type;
  // Text that is not UTF-8 (a file name, a message) is replaced, never a reason to lose the record.
  out << j.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
}

}  // namespace

std::string describe(const LineError& error, const std::string& source) {
  const std::string where = error.line == 0 ? source : source + ':' + std::to_string(error.line);
  return where + ": " + error.message;
}

JsonLines read_json_lines(std::istream& in) {
  Reader reader;
  std::string text;
  for (std::size_t number = 1; std::getline(in, text); ++number) {
    if (!text.empty() && text.back() == '\r') text.pop_back();
    if (!text.empty()) reader.line(number, text);
  }
  return reader.finish();
}

JsonLines read_json_lines(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file)) {
    JsonLines out;
    out.errors.push_back({0, "cannot be read, expected a file of JSON lines"});
    return out;
  }
  return read_json_lines(in);
}

void write_json_lines(std::ostream& out, const RunRecord& record) {
  json run = record.run;
  run["type"] = "run";
  run["schema"] = record_schema_version;
  out << run.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
  for (const auto& operation : record.operations) write_line(out, "operation", operation);
  for (const auto& check : record.checks) write_line(out, "check", check);
  for (const auto& benchmark : record.benchmarks) write_line(out, "benchmark", benchmark);
  for (const auto& mutant : record.mutants) write_line(out, "mutant", mutant);
  for (const auto& calibration : record.calibrations) write_line(out, "calibration", calibration);
  out << json{{"type", "end"},
              {"operations", record.operations.size()},
              {"checks", record.checks.size()},
              {"benchmarks", record.benchmarks.size()},
              {"mutants", record.mutants.size()},
              {"calibrations", record.calibrations.size()}}
             .dump()
      << '\n';
}

}  // namespace assay::reports
