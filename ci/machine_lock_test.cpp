#include <signal.h>
#include <sys/file.h>

#include <chrono>
#include <thread>

#include "ci/test_process.hpp"

namespace assay::program {
namespace {

using namespace std::chrono_literals;

const std::vector<std::string> bench{"bench",     "--op",  "te.digamma", "--quick",
                                     "--seconds", "0.001", "--backend",  "cpu"};

std::vector<std::string> with(std::vector<std::string> arguments, const std::string& lock) {
  arguments.insert(arguments.end(), {"--lock", lock});
  return arguments;
}

class MachineLock : public InFolder {
 protected:
  std::string lock_file() const { return (folder_ / "measuring.lock").string(); }

  /// A process that holds the lock as a measuring run would, until it is killed.
  pid_t holder() const {
    int ready[2];
    EXPECT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
      const int file = ::open(lock_file().c_str(), O_RDWR | O_CREAT, 0666);
      const std::string name = "process 4711 (assay nightly)\n";
      if (flock(file, LOCK_EX) == 0 && ::write(file, name.data(), name.size()) > 0 &&
          ::write(ready[1], "x", 1) == 1)
        pause();
      _exit(1);
    }
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
  }

  static void end(pid_t child) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }

  /// Exit 7 may also stand for a busy machine: the lock is told by its words.
  static bool refused(const Outcome& outcome) {
    return outcome.code == 7 && outcome.err.find("two at once would measure each other") != std::string::npos;
  }
};

TEST_F(MachineLock, TheSecondIsRefusedOrGoesOnByItsOption) {
  const pid_t child = holder();
  expect_refused(with(bench, "refuse"), "process 4711 (assay nightly) measures on this machine", 7);
  const Outcome none = run(with(bench, "none"));
  EXPECT_FALSE(refused(none));
  EXPECT_NE(none.out.find("te.digamma"), std::string::npos) << none.err;
  EXPECT_FALSE(
      refused(run(bench, {{"ASSAY_LOCK", "none"}})));  // as the processes of a measuring run are told
  expect_refused(with(bench, "perhaps"), "wait, refuse");
  end(child);
  EXPECT_FALSE(refused(run(with(bench, "refuse"))));
}

TEST_F(MachineLock, ComparisonsTakeItToo) {
  const std::string program = program_path().string();
  const std::vector<std::vector<std::string>> measuring{
      {"compare", program, program, "--op", "te.digamma", "--backend", "cpu", "--quiet"},
      {"aa", "--runs", "1", "--op", "te.digamma", "--backend", "cpu", "--store", "s.sqlite", "--quiet"}};
  const pid_t child = holder();
  for (const auto& command : measuring)
    expect_refused(with(command, "refuse"), "process 4711 (assay nightly) measures on this machine", 7);
  EXPECT_FALSE(fs::exists(work() / "s.sqlite")) << "refused, and yet a run was begun";
  end(child);
  const Outcome outcome = run(with(measuring.front(), "refuse"));
  EXPECT_EQ(outcome.code, 0) << outcome.err;  // equal code: nothing to measure after the answers
}

TEST_F(MachineLock, TheSecondWaitsAndSaysForWhom) {
  const pid_t first = holder();
  const pid_t second = start(bench, {}, "waiting");
  for (int i = 0; i < 300 && content_of(folder_ / "errwaiting").empty(); ++i)
    std::this_thread::sleep_for(100ms);
  EXPECT_NE(content_of(folder_ / "errwaiting")
                .find("process 4711 (assay nightly) measures on this machine: waiting"),
            std::string::npos);
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(waitpid(second, nullptr, WNOHANG), 0) << "it did not wait";
  end(first);  // killed: a dead holder never blocks
  const Outcome outcome = finish(second, "waiting");
  EXPECT_NE(outcome.out.find("te.digamma"), std::string::npos) << outcome.err;
}

TEST_F(MachineLock, ALockThatCannotBeMadeIsOneLine) {
  const Outcome outcome = run(bench, {{"ASSAY_LOCK_FOLDER", (folder_ / "nowhere").string()}});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("--lock none does without"), std::string::npos) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
}

}  // namespace
}  // namespace assay::program
