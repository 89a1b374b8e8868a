#include "validation/replay.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "validation/generators.hpp"

namespace assay::validation {
namespace {

// A property that is broken while `broken` is.
std::vector<Suite> planted(const bool& broken) {
  std::vector<Suite> all;
  all.emplace_back("test.replay")
      .property({.name = "planted",
                 .summary = "",
                 .body =
                     [&broken](Probe& probe) {
                       const Cloud cloud = *clouds().as("points");
                       probe.expect(!broken || cloud.rows * cloud.columns < 20, "fewer than 20 elements");
                     },
                 .cases = 100,
                 .backends = {},
                 .negative_control = [](Probe& probe) { probe.expect(false, "planted"); }});
  return all;
}

TEST(Replay, FilesBringTheSameFailureBack) {
  const std::string folder = testing::TempDir() + "replay-test." + std::to_string(::getpid());
  bool broken = true;
  const auto all = planted(broken);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RunOptions options;
    options.seed = seed;
    const CheckResult failed = run_property({"test.replay", &all[0].properties()[0], Backend::cpu}, options);
    ASSERT_EQ(failed.verdict, Verdict::fail);
    const auto path = write_replay(*failed.replay, folder);
    ASSERT_TRUE(path) << path.error().message;
    const auto read = read_replay(path.value());
    ASSERT_TRUE(read) << read.error().message;
    const auto again = run_replay(read.value(), all, {});
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_TRUE(again.value().same) << again.value().summary;
    EXPECT_EQ(again.value().check.message, failed.message);
  }
  broken = false;
  const auto fixed = run_replay(read_replay(folder + "/test.replay.planted.cpu.1.json").value(), all, {});
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed.value().summary, "the case passes now");
  std::filesystem::remove_all(folder);
}

TEST(Replay, RefusalsNameTheFile) {
  EXPECT_NE(read_replay("/nonexistent.json").error().message.find("/nonexistent.json"), std::string::npos);
  const std::string path = testing::TempDir() + "no-replay.json." + std::to_string(::getpid());
  std::ofstream(path) << "{]";
  EXPECT_EQ(read_replay(path).error().message, path + ": no JSON at byte 2");
  std::ofstream(path) << "{\"operation\": \"te.ksg\"}";
  EXPECT_NE(read_replay(path).error().message.find("not a replay file"), std::string::npos);
  std::filesystem::remove(path);
  Replay unknown;
  unknown.operation = "te.none";
  unknown.property = "nothing";
  unknown.backend = "cpu";
  EXPECT_EQ(run_replay(unknown, {}, {}).error().message, "this program has no property te.none/nothing");
  unknown.backend = "abacus";
  EXPECT_NE(run_replay(unknown, {}, {}).error().message.find("'abacus'"), std::string::npos);
}

TEST(Replay, AFolderThatCannotBeMadeIsAnError) {
  EXPECT_FALSE(write_replay({}, "/proc/none/here"));
}

}  // namespace
}  // namespace assay::validation
