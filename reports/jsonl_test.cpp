#include "reports/jsonl.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "reports/test_records.hpp"

namespace assay::reports {
namespace {

std::string lines_of(const RunRecord& record) {
  std::ostringstream out;
  write_json_lines(out, record);
  return out.str();
}

JsonLines read(const std::string& text) {
  std::istringstream in(text);
  return read_json_lines(in);
}

TEST(JsonLines, TwoRunsInOneFileComeBackWhole) {
  const RunRecord first = test::full_record();
  RunRecord second = test::full_record();
  second.checks.clear();
  const auto back = read(lines_of(first) + "\n" + lines_of(second));
  EXPECT_TRUE(back.ok());
  ASSERT_EQ(back.runs.size(), 2u);
  EXPECT_EQ(back.runs[0], first);
  EXPECT_EQ(back.runs[1], second);
}

TEST(JsonLines, BadLinesAreNamedAndTheGoodOnesKept) {
  const std::string text = R"({"type":"run","schema":1,"id":"a"}
{"type":"check","operation":"x","name":"n","backend":"cpu","verdict":"pass"}
{"type":"check","operation":"x","name":"n"
{"type":"check","operation":"x","name":"n","backend":"cpu","verdict":"great"}
{"type":"trace"}
[1]
{"operation":"x"}
{"type":"mutant","id":"m","operation":"x"}
{"type":"end","checks":1}
)";
  const auto back = read(text);
  ASSERT_EQ(back.runs.size(), 1u);
  EXPECT_EQ(back.runs[0].checks.size(), 1u);
  std::vector<std::size_t> lines;
  for (const auto& error : back.errors) {
    lines.push_back(error.line);
    EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
    EXPECT_EQ(error.message.find("json.exception"), std::string::npos) << error.message;
  }
  EXPECT_EQ(lines, (std::vector<std::size_t>{3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(back.errors[0].message.rfind("no JSON at column 43: ", 0), 0u) << back.errors[0].message;
  EXPECT_NE(back.errors[1].message.find("unknown verdict \"great\""), std::string::npos);
  EXPECT_NE(back.errors[2].message.find("unknown type \"trace\", expected run"), std::string::npos);
}

TEST(JsonLines, ACutFileIsAnInterruptedRunAndAnError) {
  RunRecord record = test::full_record();
  std::string text = lines_of(record);
  text.resize(text.rfind("{\"benchmarks\""));  // the end line
  const auto back = read(text);
  ASSERT_EQ(back.runs.size(), 1u);
  EXPECT_EQ(back.runs[0].run.state, RunState::interrupted);
  EXPECT_EQ(back.runs[0].checks, record.checks);
  ASSERT_EQ(back.errors.size(), 1u);
  EXPECT_EQ(back.errors[0].line, 1u);
  EXPECT_NE(back.errors[0].message.find("cut short"), std::string::npos);
}

TEST(JsonLines, ALostLineIsNoticed) {
  std::string text = lines_of(test::full_record());
  const auto inside = text.find("te.ksg/strict");  // the mutant's line
  ASSERT_NE(inside, std::string::npos);
  const auto at = text.rfind('\n', inside) + 1;
  text.erase(at, text.find('\n', at) - at + 1);
  const auto back = read(text);
  ASSERT_EQ(back.errors.size(), 1u);
  EXPECT_EQ(back.errors[0].message, "the run has 0 mutants, its end line expects 1");
}

TEST(JsonLines, ANewerSchemaAndALineOutsideARunAreRefused) {
  const auto newer = read("{\"type\":\"run\",\"schema\":99,\"id\":\"a\"}\n");
  EXPECT_TRUE(newer.runs.empty());
  ASSERT_EQ(newer.errors.size(), 1u);
  EXPECT_NE(newer.errors[0].message.find("schema 99"), std::string::npos);
  const auto outside = read("{\"type\":\"end\"}\r\n");
  ASSERT_EQ(outside.errors.size(), 1u);
  EXPECT_NE(outside.errors[0].message.find("outside a run"), std::string::npos);
}

TEST(JsonLines, FilesAreReadAndMissingOnesReported) {
  const test::Folder folder;
  const RunRecord record = test::full_record();
  std::ofstream(folder.file("a.jsonl")) << lines_of(record);
  const auto back = read_json_lines(std::filesystem::path(folder.file("a.jsonl")));
  ASSERT_EQ(back.runs.size(), 1u);
  EXPECT_EQ(back.runs[0], record);
  const auto missing = read_json_lines(std::filesystem::path(folder.file("b.jsonl")));
  ASSERT_EQ(missing.errors.size(), 1u);
  EXPECT_EQ(describe(missing.errors[0], "b.jsonl"), "b.jsonl: cannot be read, expected a file of JSON lines");
  EXPECT_EQ(describe({3, "bad"}, "c.jsonl"), "c.jsonl:3: bad");
}

TEST(JsonLines, TextThatIsNotUtf8DoesNotLoseTheRecord) {
  RunRecord record = test::full_record();
  record.checks[0].message = "bad byte \xff here";
  const auto back = read(lines_of(record));
  EXPECT_TRUE(back.ok());
  ASSERT_EQ(back.runs.size(), 1u);
  EXPECT_EQ(back.runs[0].checks[0].message, "bad byte \xEF\xBF\xBD here");
}

}  // namespace
}  // namespace assay::reports
