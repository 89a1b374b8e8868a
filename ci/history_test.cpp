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

/// The ids of the runs in a file of JSON lines, in its order.
std::vector<std::string> ids_in(const std::string& lines) {
  std::vector<std::string> ids;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);)
    if (const auto j = nlohmann::json::parse(line); j["type"] == "run") ids.push_back(j["id"]);
  return ids;
}

class HistoryOfMany : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (HasFatalFailure()) return;
    for (const char* const commit : {"aaaa1111", "bbbb2222", "bbbb3333", "aaaa1111"})
      ASSERT_EQ(
          run({"validate", "--op", "te.digamma", "--cases", "3", "--backend", "cpu", "--store", "s.sqlite"},
              {{"ASSAY_COMMIT", commit}})
              .code,
          0);
    ids_ = exported({});
    ASSERT_EQ(ids_.size(), 4u);
  }

  std::vector<std::string> exported(std::vector<std::string> options) const {
    options.insert(options.begin(), {"history", "--store", "s.sqlite", "--export", "out.jsonl"});
    const Outcome outcome = run(options);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return ids_in(read("out.jsonl"));
  }
  std::vector<std::string> part(std::size_t first, std::size_t last) const {
    return {ids_.begin() + static_cast<std::ptrdiff_t>(first),
            ids_.begin() + static_cast<std::ptrdiff_t>(last)};
  }

  std::vector<std::string> ids_;  ///< oldest first
};

TEST_F(HistoryOfMany, AllGoOutInTheirOrderAndComeBackWhole) {
  const std::string lines = read("out.jsonl");
  const auto listed = document({"history", "--store", "s.sqlite"})["runs"];
  ASSERT_EQ(listed.size(), ids_.size());
  for (std::size_t i = 0; i < ids_.size(); ++i) EXPECT_EQ(listed[i]["id"], ids_[i]);
  const Outcome imported = run({"history", "--store", "other.sqlite", "--import", "out.jsonl"});
  ASSERT_EQ(imported.code, 0) << imported.err;
  EXPECT_NE(imported.out.find("4 of 4 runs added"), std::string::npos) << imported.out;
  ASSERT_EQ(run({"history", "--store", "other.sqlite", "--export", "back.jsonl"}).code, 0);
  EXPECT_EQ(read("back.jsonl"), lines);
}

TEST_F(HistoryOfMany, SomeAreChosenByRunRangeAndCommit) {
  EXPECT_EQ(exported({"--run", "latest"}), part(3, 4));
  EXPECT_EQ(exported({"--run", ids_[1]}), part(1, 2));
  EXPECT_EQ(exported({"--run", ids_[1] + ".." + ids_[2]}), part(1, 3));
  EXPECT_EQ(exported({"--run", ids_[2] + ".."}), part(2, 4));
  EXPECT_EQ(exported({"--run", ".." + ids_[1]}), part(0, 2));
  EXPECT_EQ(exported({"--limit", "2"}), part(2, 4));
  EXPECT_EQ(exported({"--commit", "bbbb"}), part(1, 3));
  EXPECT_EQ(exported({"--commit", "aaaa1111"}), (std::vector<std::string>{ids_[0], ids_[3]}));
  EXPECT_EQ(exported({"--commit", "aaaa", "--run", ids_[1] + ".."}), part(3, 4));
  // Two files that overlap bring what is missing.
  exported({"--run", ids_[1] + ".." + ids_[2]});
  ASSERT_EQ(run({"history", "--store", "other.sqlite", "--import", "out.jsonl"}).code, 0);
  exported({});
  EXPECT_NE(
      run({"history", "--store", "other.sqlite", "--import", "out.jsonl"}).out.find("2 of 4 runs added"),
      std::string::npos);
}

TEST_F(HistoryOfMany, WhatFitsNoRunIsRefused) {
  const std::vector<std::string> head{"history", "--store", "s.sqlite", "--export", "none.jsonl"};
  const auto with = [&](std::vector<std::string> options) {
    options.insert(options.begin(), head.begin(), head.end());
    return options;
  };
  expect_refused(with({"--commit", "cccc"}), "no run of a commit 'cccc...'", 6);
  expect_refused(with({"--run", "nothing"}), "no run 'nothing'", 6);
  expect_refused(with({"--run", "nothing.."}), "no run 'nothing'", 6);
  expect_refused(with({"--run", ids_[2] + ".." + ids_[1]}), "the first run began after the last", 2);
  expect_refused(with({"te.digamma"}), "whole runs", 2);
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
