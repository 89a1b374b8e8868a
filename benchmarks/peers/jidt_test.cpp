// JIDT's jar is not part of this project. A script stands in for java here: it shows what is done with what a
// peer answers, which is all that is ours.

#include "benchmarks/peers/jidt.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "benchmarks/prepared_points.hpp"

namespace assay::benchmarks::peers {
namespace {

namespace fs = std::filesystem;

class Jidt : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("assay_jidt_test." + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    path_ = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
    ::setenv("PATH", (folder_.string() + ":" + path_).c_str(), 1);
    ::setenv("TMPDIR", folder_.c_str(), 1);
    ::setenv("ASSAY_JIDT_JAR", (folder_ / "it's a.jar").c_str(), 1);
    std::ofstream(folder_ / "it's a.jar") << "a jar";
  }
  void TearDown() override {
    ::setenv("PATH", path_.c_str(), 1);
    ::unsetenv("ASSAY_JIDT_JAR");
    ::unsetenv("TMPDIR");
    fs::remove_all(folder_);
  }

  /// What `java` does from now on: it notes its arguments and the size of the file of points, then this.
  void java(const std::string& lines) const {
    std::ofstream(folder_ / "java") << "#!/bin/sh\nfolder='" << folder_.string() << "'\n"
                                    << "shift 3; wc -c <\"$1\" >\"$folder/bytes\"; shift\n"
                                    << "echo \"$@\" >\"$folder/arguments\"\n"
                                    << lines << "\n";
    fs::permissions(folder_ / "java", fs::perms::owner_all);
  }
  std::string noted(const char* name) const {
    std::ifstream file(folder_ / name);
    std::string line;
    std::getline(file, line);
    return line;
  }
  std::string refusal() const {
    try {
      jidt("n=300,k=4", 1).run(points_, 3);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "accepted";
  }

  const HostArguments points_ =
      transfer_entropy_points(300, {.sources = {0}, .targets = {1}, .k_history = 2, .l_history = 1}, 5, 2, 1);
  fs::path folder_;
  std::string path_;
};

std::string value_of(const HostArguments& arguments) {
  Context context = Context::cpu(1);
  const double value =
      run_on_host(context, *find_operation("te.ksg"), arguments.view()).at("value").as<double>()[0];
  std::ostringstream text;
  text.precision(17);
  text << value;
  return text.str();
}

TEST_F(Jidt, GetsThePointsAndTheParametersAndItsWallTimesAreTaken) {
  java("echo value " + value_of(points_) + "; echo 11 1; echo 22 2; echo 33 3");
  const Peer peer = jidt("n=300,k=4", 1);
  EXPECT_EQ(peer.label, "n=300,k=4");
  EXPECT_EQ(peer.run(points_, 3).samples_ns, (std::vector<double>{11, 22, 33}));
  EXPECT_EQ(std::stoll(noted("bytes")), 300 * (1 + 1 + 2) * 8);
  // n, the columns of x, y and z, k, algorithm, threads, repeats
  EXPECT_EQ(noted("arguments"), "300 1 1 2 5 2 1 3");
}

TEST_F(Jidt, LeavesNoFileOfPointsBehind) {
  java("exit 1");
  refusal();
  EXPECT_NE(noted("bytes"), "");  // it was there
  for (const auto& entry : fs::directory_iterator(folder_))
    EXPECT_FALSE(entry.path().filename().string().starts_with("assay-points-")) << entry.path();
}

TEST_F(Jidt, AnotherValueGetsNoTime) {
  java("echo value 1.5; echo 11 1; echo 22 2; echo 33 3");
  EXPECT_TRUE(refusal().starts_with("JIDT's value is 1.500000, ours ")) << refusal();
}

TEST_F(Jidt, SaysWhyItDidNotRun) {
  java("exit 1");
  EXPECT_NE(refusal().find("JIDT failed; is java there"), std::string::npos) << refusal();
  java("echo usage: JidtBench");
  EXPECT_EQ(refusal(), "JIDT printed something else than its times");
  java("echo value " + value_of(points_) + "; echo 11 1");
  EXPECT_EQ(refusal(), "JIDT printed too few times");
  ::setenv("ASSAY_JIDT_JAR", (folder_ / "no.jar").c_str(), 1);
  EXPECT_EQ(refusal(), "ASSAY_JIDT_JAR names no file: " + (folder_ / "no.jar").string());
  ::unsetenv("ASSAY_JIDT_JAR");
  EXPECT_EQ(refusal(), "ASSAY_JIDT_JAR is not set");
}

}  // namespace
}  // namespace assay::benchmarks::peers
