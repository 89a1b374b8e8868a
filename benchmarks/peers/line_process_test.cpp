#include "benchmarks/peers/line_process.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace assay::benchmarks::peers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string refusal(LineProcess& process, milliseconds limit) {
  try {
    return "answered " + process.ask("a line", limit);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(LineProcess, AnswersEachLineWithOne) {
  LineProcess process({"sh", "-c", "while read -r line; do echo \"<$line>\"; done"});
  EXPECT_EQ(process.ask("one", seconds(10)), "<one>");
  EXPECT_EQ(process.ask("two words", seconds(10)), "<two words>");
  const std::string long_line(300'000, 'x');  // more than a socket holds
  EXPECT_EQ(process.ask(long_line, seconds(30)), "<" + long_line + ">");
  EXPECT_TRUE(process.alive());
}

TEST(LineProcess, KeepsALineThatCameWithTheOneBefore) {
  LineProcess process({"sh", "-c", "read -r line; echo first; echo second; cat >/dev/null"});
  EXPECT_EQ(process.ask("one", seconds(10)), "first");
  EXPECT_EQ(process.ask("two", seconds(10)), "second");
}

TEST(LineProcess, SaysThatItCannotBeStarted) {
  try {
    const LineProcess process({"no-such-program-anywhere"});
    FAIL() << "it was started";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "no-such-program-anywhere cannot be started: No such file or directory");
  }
}

TEST(LineProcess, SaysThatItEnded) {
  LineProcess process({"sh", "-c", "read -r line; exit 3"});
  EXPECT_EQ(refusal(process, seconds(10)), "sh ended without an answer");
  EXPECT_FALSE(process.alive());
  EXPECT_EQ(refusal(process, seconds(10)), "sh has ended");
}

TEST(LineProcess, IsEndedWithWhatItStartedWhereItTakesTooLong) {
  LineProcess process({"sh", "-c", "read -r line; sleep 100; echo late"});
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(refusal(process, milliseconds(50)), "sh took longer than 50 ms to answer");
  EXPECT_FALSE(process.alive());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(50));
}

}  // namespace
}  // namespace assay::benchmarks::peers
