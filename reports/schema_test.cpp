#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "reports/jsonl.hpp"
#include "reports/test_inputs.hpp"

namespace assay::reports {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct Validated {
  int code = -1;
  std::vector<std::string> lines;
};

/// What reports/schema/validate.py says of files.
Validated validate(const std::string& arguments) {
  const fs::path root = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
  const std::string command =
      "python3 " + (root / "reports/schema/validate.py").string() + " " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  for (char buffer[4096]; std::fgets(buffer, sizeof buffer, pipe) != nullptr;) text += buffer;
  const int status = pclose(pipe);
  Validated out{WIFEXITED(status) ? WEXITSTATUS(status) : -1, {}};
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out.lines.push_back(line);
  return out;
}

constexpr int breached = 3, not_executed = 77;

class Schema : public testing::Test {
 protected:
  void SetUp() override {
    if (validate("/dev/null").code == not_executed) GTEST_SKIP() << "python3-jsonschema is not installed";
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.file(name), std::ios::binary) << text;
    return folder_.file(name) + " ";
  }
  test::Folder folder_;
};

/// The record with everything set, as JSON lines.
std::vector<json> full_lines() {
  std::ostringstream text;
  write_json_lines(text, test::full_record());
  std::istringstream in(text.str());
  std::vector<json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

/// A report in which nothing is left out.
ReportInput full_report() {
  ReportInput input = test::bad_night();
  const RunRecord everything = test::full_record();
  input.run.calibrations = everything.calibrations;
  input.run.checks.push_back(everything.checks[0]);
  input.run.benchmarks.push_back(everything.benchmarks[0]);
  input.change_points = {
      {"te.ksg", "n=1", "cpu", 3, 4, "a1", "b2", "2025-03-01T02:00:00.000Z", true, 1.0, 2.0, 2.0, 0.01}};
  input.gate.unused_waivers = {"te.knn/n=1/cpu: nothing to waive"};
  input.recorded = {{"h200", {everything}, {"2025.jsonl:3: no JSON"}}};
  return input;
}

TEST_F(Schema, WhatIsWrittenFits) {
  std::string files = write("full.json", json_report(full_report()));
  files += write("first.json", json_report(test::after_nights({{0}})));
  ReportInput hostile = test::hostile();
  hostile.run.run.started_at = hostile.recorded[0].runs[0].run.started_at = test::run().started_at;
  files += write("hostile.json", json_report(hostile));
  std::string lines;
  for (const json& line : full_lines()) lines += line.dump() + "\n";
  files += write("full.jsonl", lines);
  const Validated found = validate("--strict " + files);
  EXPECT_EQ(found.code, 0) << testing::PrintToString(found.lines);
}

// Each key that a schema requires, taken away from a record that has everything.
TEST_F(Schema, RefusesARecordWithAMissingKey) {
  const fs::path root = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
  const json schema = json::parse(std::ifstream(root / "reports/schema/record.schema.json"));
  std::string text;
  std::size_t count = 0;
  for (const json& line : full_lines()) {
    const std::string type = line["type"];
    std::vector<std::string> required = schema["$defs"][type]["required"];
    required.push_back("type");
    if (type == "run") required.push_back("schema");
    for (const std::string& key : required) {
      json broken = line;
      ASSERT_EQ(broken.erase(key), 1u) << type << " has no " << key;
      text += broken.dump() + "\n";
      ++count;
    }
  }
  ASSERT_GT(count, 50u);
  const Validated found = validate(write("missing.jsonl", text));
  EXPECT_EQ(found.code, breached);
  EXPECT_EQ(found.lines.size(), count + 1) << testing::PrintToString(found.lines);  // and the summary
}

TEST_F(Schema, RefusesWhatIsWrongDeepInAReport) {
  const json good = json::parse(json_report(full_report()));
  const std::vector<std::pair<const char*, json>> changes{
      {"/schema", 2},
      {"/gate/exit_code", 8},
      {"/gate/checks/pass", -1},
      {"/gate/items/0/verdict", "green"},
      {"/gate/items/0/subject", nullptr},
      {"/gate/unused_waivers", "none"},
      {"/change_points/0/p_value", 2},
      {"/run/state", "done"},
      {"/run/started_at", "yesterday"},
      {"/run/seed", "1"},
      {"/run/environment/fingerprint", "none"},
      {"/checks/0/verdict", "passed"},
      {"/checks/0/elapsed_ms", "NaN"},
      {"/benchmarks/0/samples_ns/3", nullptr},
      {"/benchmarks/0/validity", true},
      {"/mutants/0/status", "equivalent"},
      {"/calibrations/0/trials", 0.5},
      {"/recorded/0/runs/0/checks/0/series/0/points/0", json::array({1.0})},
      {"/recorded/0/runs/0/operations/0/backends", "cpu"}};
  std::string files;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    json broken = good;
    const json::json_pointer at(changes[i].first);
    ASSERT_TRUE(broken.contains(at)) << changes[i].first;
    broken[at] = changes[i].second;
    files += write(std::to_string(i) + ".json", broken.dump());
  }
  json missing = good;
  missing["gate"].erase("rule");
  files += write("missing.json", missing.dump());
  const Validated found = validate(files);
  EXPECT_EQ(found.code, breached);
  EXPECT_EQ(found.lines.size(), changes.size() + 2) << testing::PrintToString(found.lines);
}

TEST_F(Schema, AKeyThatNoSchemaNamesIsRefusedOnlyWhenStrict) {
  json report = json::parse(json_report(test::bad_night()));
  report["gate"]["colour"] = "red";
  const std::string file = write("new.json", report.dump());
  EXPECT_EQ(validate(file).code, 0);
  EXPECT_EQ(validate("--strict " + file).code, breached);
}

}  // namespace
}  // namespace assay::reports
