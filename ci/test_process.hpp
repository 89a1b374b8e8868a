#pragma once

/// What the tests of the program share: they run the built program as its users do, in a folder of their own.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace assay::program {

namespace fs = std::filesystem;

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

inline std::string content_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// The program under test: beside the test program.
inline fs::path program_path() {
  return fs::read_symlink("/proc/self/exe").parent_path() / "assay";
}

/// A folder of this process that is gone after the test, with the program run inside it.
class InFolder : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fs::exists(program_path())) << program_path() << " has to be built first";
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) /
              (std::string("assay_") + info->test_suite_name() + "_" + info->name() + "." +
               std::to_string(::getpid()));  // the same test may run twice at once
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "work");
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path work() const { return folder_ / "work"; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(work() / name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) const { return content_of(work() / name); }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(work()))
      names.insert(entry.path().lexically_relative(work()));
    return names;
  }

  /// Starts the program and goes on: the number of its process, to be given to `finish`. Where several run at
  /// once, each has a name. Measuring runs of a test wait for each other, and for nobody else on the machine.
  pid_t start(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment = {},
              const std::string& name = "") const {
    const fs::path out = folder_ / ("out" + name), err = folder_ / ("err" + name);
    arguments.insert(arguments.begin(), program_path().string());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      const int to_out = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      const int to_err = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(to_out, STDOUT_FILENO);
      ::dup2(to_err, STDERR_FILENO);
      if (::chdir(work().c_str()) != 0) ::_exit(125);
      ::setenv("ASSAY_LOCK_FOLDER", folder_.c_str(), 1);
      for (const auto& [variable, value] : environment) ::setenv(variable.c_str(), value.c_str(), 1);
      ::execv(argv[0], argv.data());
      ::_exit(126);
    }
    return child;
  }

  /// Waits for a started process: its exit code, or 128 and the signal that ended it.
  Outcome finish(pid_t child, const std::string& name = "") const {
    int status = 0;
    ::waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            content_of(folder_ / ("out" + name)), content_of(folder_ / ("err" + name))};
  }

  Outcome run(std::vector<std::string> arguments,
              const std::map<std::string, std::string>& environment = {}) const {
    return finish(start(std::move(arguments), environment));
  }

  /// The JSON document of a call that has to succeed: nothing else may stand on standard output.
  nlohmann::json document(std::vector<std::string> arguments,
                          const std::map<std::string, std::string>& environment = {}) const {
    arguments.emplace_back("--json");
    const Outcome outcome = run(arguments, environment);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out, nullptr, false);
  }

  /// Refused: that code, nothing on standard output, one line on standard error that begins with the command
  /// and holds the text, no file that was not there before.
  void expect_refused(const std::vector<std::string>& arguments, const std::string& expected, int code = 2,
                      const std::map<std::string, std::string>& environment = {}) const {
    std::string shown;
    for (const std::string& argument : arguments) shown += argument + " ";
    SCOPED_TRACE(shown);
    const std::set<std::string> before = files();
    const Outcome outcome = run(arguments, environment);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find(expected), std::string::npos) << outcome.err << "expected: " << expected;
    EXPECT_TRUE(outcome.err.starts_with("assay")) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(files(), before);
  }

  fs::path folder_;
};

/// The exact bits of a coupled pair of series would need a generator here; the program has one.
class WithSeries : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_EQ(run({"te", "generate", "--system", "ar1", "--rows", "400", "--out", "a.csv"}).code, 0);
  }
};

}  // namespace assay::program
