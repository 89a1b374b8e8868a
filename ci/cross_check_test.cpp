#include <gtest/gtest.h>

#include "ci/test_process.hpp"

namespace assay::program {
namespace {

struct Ran {
  int code = -1;
  nlohmann::json document;
};

/// The Python of ci/cross-check, where it has been there, else the machine's own.
std::string python() {
  const fs::path own = program_path().parent_path() / "frameworks/bin/python3";
  return fs::exists(own) ? own.string() : "python3";
}

bool has(const std::string& modules) {
  return std::system((python() + " -c 'import " + modules + "' >/dev/null 2>&1").c_str()) == 0;
}

/// validation/cross/check.py on a program beside this one.
Ran check(const std::string& program, const std::string& environment, const std::string& options) {
  const fs::path build = program_path().parent_path();
  const std::string command =
      environment + " " + python() + " " + (build.parent_path() / "validation/cross/check.py").string() +
      " --json --assay " + (build / program).string() + " " + options + " 2>/dev/null";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  for (char buffer[4096]; std::fgets(buffer, sizeof buffer, pipe) != nullptr;) text += buffer;
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, nlohmann::json::parse(text, nullptr, false)};
}

constexpr int wrong = 3;

/// Asked of Python itself: a check that compared nothing although it could have is red.
bool frameworks_are_here() {
  return has("numpy, scipy.special, scipy.spatial");
}

TEST(CrossCheck, AgreesWithOtherFrameworks) {
  if (!frameworks_are_here()) GTEST_SKIP() << "NumPy or SciPy is not installed";
  const Ran ran = check("assay", "", "--cases 1");
  EXPECT_EQ(ran.code, 0) << ran.document.dump(1);
  ASSERT_TRUE(ran.document.contains("results"));
  for (const auto& result : ran.document["results"])
    EXPECT_TRUE(result["verdict"] == "pass" || result["verdict"] == "not_executed") << result.dump();
}

// A wrong kernel is seen, by another framework as by the reference.
TEST(CrossCheck, SeesAPlantedFault) {
  if (!frameworks_are_here()) GTEST_SKIP() << "NumPy or SciPy is not installed";
  const auto seen = [](const std::string& mutant) {
    return check("assay-mutants", "ASSAY_MUTANT=" + mutant,
                 "--cases 4 --op " + mutant.substr(0, mutant.find_last_of('.')))
        .code;
  };
  EXPECT_EQ(seen("dense.softmax.unhandled_tail"), wrong);
  EXPECT_EQ(seen("dense.softmax.half_precision_sum"), wrong);
  if (has("gguf")) {
    EXPECT_EQ(seen("quant.quantize.rounded_down"), wrong);
    EXPECT_EQ(seen("quant.dequantize.q6_k_high_bits_lost"), wrong);
  }
  if (has("tokenizers, tiktoken")) {
    EXPECT_EQ(seen("tokenizer.encode.greedy"), wrong);
  }
}

}  // namespace
}  // namespace assay::program
