#include <gtest/gtest.h>

#include <regex>

#include "ci/test_page.hpp"

namespace assay::program {
namespace {

using Tutorial = InFolder;

/// Shares of a bound depend on how the machine's vector unit takes exp.
std::string without_shares(const std::string& output) {
  return std::regex_replace(output, std::regex("[0-9.e+]+ % of the bound"), "N % of the bound");
}

TEST_F(Tutorial, EveryCommandPrintsWhatThePageSays) {
  const fs::path build = program_path().parent_path();
  const auto steps = steps_of(content_of(build.parent_path() / "validation/first_property.md"));
  ASSERT_GE(steps.size(), 6u);
  for (const Step& step : steps) {
    const std::string command = std::regex_replace(step.command, std::regex("build/"), build.string() + "/");
    EXPECT_EQ(without_shares(answer(command, work())), without_shares(step.output)) << step.command;
  }
}

// The code on the page is the code of the suite.
TEST_F(Tutorial, QuotesTheSuite) {
  const fs::path root = program_path().parent_path().parent_path();
  const std::string page = content_of(root / "validation/first_property.md"),
                    suite = content_of(root / "validation/dense/softmax.cpp");
  std::size_t quoted = 0;
  const std::string fence = "```cpp\n";
  for (std::size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at), ++quoted) {
    at += fence.size();
    const std::string code = page.substr(at, page.find("```", at) - at);
    EXPECT_NE(suite.find(code), std::string::npos) << code;
    at += code.size() + 3;
  }
  EXPECT_EQ(quoted, 2u);
}

}  // namespace
}  // namespace assay::program
