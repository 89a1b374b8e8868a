#include "ci/test_page.hpp"

namespace assay::program {
namespace {

/// `ci/compile-minutes` on logs that are written here.
class CompileMinutes : public InFolder {
 protected:
  Outcome minutes(const std::string& folder) const {
    const auto script = program_path().parent_path().parent_path() / "ci/compile-minutes";
    const std::string command = "cd '" + work().string() + "' && '" + script.string() + "' " + folder +
                                " --commit 0123abc --note 'By itself.' >out 2>err";
    const int status = std::system(command.c_str());
    return {WEXITSTATUS(status), read("out"), read("err")};
  }
  void log(const std::string& text) const {
    fs::create_directories(work() / "build");
    write("build/.ninja_log", text);
  }
};

TEST_F(CompileMinutes, AddsUpWhatEachSourceTook) {
  log("# ninja log v5\n"
      "0\t90000\t1\tCMakeFiles/assay_kernels.dir/kernels/a/slow.cu.o\t0\n"  // made again below
      "0\t30000\t2\tCMakeFiles/assay_kernels.dir/kernels/a/slow.cu.o\t0\n"
      "100\t60100\t2\tCMakeFiles/assay_kernels_mutants.dir/kernels/a/slow.cu.o\t0\n"
      "0\t6000\t2\tCMakeFiles/assay_engine.dir/engine/b.cpp.o\t0\n"
      "0\t1500\t2\tCMakeFiles/assay_engine.dir/engine/c.cpp.o\t0\n"
      "0\t99000\t2\tassay\t0\n");  // linking is no compiling
  const Outcome made = minutes("build");
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.out.find("at commit 0123abc on "), std::string::npos) << made.out;
  EXPECT_NE(made.out.find("1.6 minutes of compiling, 4 objects of 3 sources. By itself."), std::string::npos)
      << made.out;
  EXPECT_NE(made.out.find("| kernels | 1.50 | 92 % |"), std::string::npos) << made.out;
  EXPECT_NE(made.out.find("| `kernels/a/slow.cu` | 1.50 | 60.0, 30.0 |\n| `engine/b.cpp` | 0.10 | 6.0 |\n"
                          "| 1 more, below 5 s each | 0.03 |  |\n"),
            std::string::npos)
      << made.out;
}

TEST_F(CompileMinutes, WhatIsNoLogIsRefusedInOneLine) {
  const auto refused = [&](int code, const std::string& expected) {
    const Outcome outcome = minutes("build");
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find(expected), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  };
  refused(2, "build/.ninja_log: no such file");
  log("");
  refused(2, "expected '# ninja log vN'");
  log("# ninja log v5\n0\tsoon\t1\tx\t0\n");
  refused(2, "build/.ninja_log:2: ");
  log("# ninja log v5\n0\t5\t1\tassay\t0\n");
  refused(6, "holds no compilation");
}

// The table that is kept is one that the script writes.
TEST_F(CompileMinutes, TheTableThatIsKeptIsOne) {
  const std::string table = content_of(program_path().parent_path().parent_path() / "ci/compile_minutes.md");
  EXPECT_TRUE(table.starts_with("# Compile minutes by file\n\nWritten by `ci/compile-minutes` at commit "));
  EXPECT_NE(table.find("| source | minutes | of each object, s |"), std::string::npos);
}

}  // namespace
}  // namespace assay::program
