#include "ci/test_process.hpp"

namespace assay::program {
namespace {

using HistoryFiles = InFolder;

TEST_F(HistoryFiles, ARunGoesOutAsJsonLinesAndComesBackWhole) {
  const Outcome recorded = run({"validate", "--op", "te.digamma", "--cases", "3", "--store", "first.sqlite"});
  ASSERT_EQ(recorded.code, 0) << recorded.err;
  const Outcome exported = run({"history", "--store", "first.sqlite", "--export", "run.jsonl"});
  ASSERT_EQ(exported.code, 0) << exported.err;
  const std::string lines = read("run.jsonl");
  EXPECT_TRUE(lines.starts_with("{")) << lines.substr(0, 80);
  EXPECT_NE(lines.find("\"type\":\"end\""), std::string::npos);

  const Outcome imported = run({"history", "--store", "second.sqlite", "--import", "run.jsonl"});
  ASSERT_EQ(imported.code, 0) << imported.err;
  EXPECT_NE(imported.out.find("1 of 1 runs added"), std::string::npos) << imported.out;
  const Outcome again = run({"history", "--store", "second.sqlite", "--import", "run.jsonl"});
  EXPECT_NE(again.out.find("0 of 1 runs added"), std::string::npos) << again.out;
  ASSERT_EQ(run({"history", "--store", "second.sqlite", "--export", "back.jsonl"}).code, 0);
  EXPECT_EQ(read("back.jsonl"), lines);
}

TEST_F(HistoryFiles, ACopyWithoutItsRepositoryIsToldItsCommit) {
  const Outcome recorded = run({"validate", "--op", "te.digamma", "--cases", "3", "--store", "s.sqlite"},
                               {{"ASSAY_COMMIT", "0123abcd"}, {"ASSAY_BRANCH", "main"}});
  ASSERT_EQ(recorded.code, 0) << recorded.err;
  ASSERT_EQ(run({"history", "--store", "s.sqlite", "--export", "run.jsonl"}).code, 0);
  EXPECT_NE(read("run.jsonl").find("\"commit\":\"0123abcd\""), std::string::npos);
}

TEST_F(HistoryFiles, WhatCannotBeReadOrWrittenIsRefused) {
  write("bad.jsonl", "{\"type\":\"run\"\n");
  expect_refused({"history", "--store", "s.sqlite", "--import", "bad.jsonl"}, "bad.jsonl:1");
  expect_refused({"history", "--store", "s.sqlite", "--import", "none.jsonl"}, "none.jsonl");
  expect_refused({"history", "--export", "run.jsonl"}, "nothing is recorded yet", 6);
}

}  // namespace
}  // namespace assay::program
