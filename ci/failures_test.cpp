#include <signal.h>

#include <chrono>
#include <thread>

#include "ci/test_process.hpp"

/// What goes wrong on a real machine in the middle of the night: a clear line, and nothing that was stored is
/// lost.
namespace assay::program {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

class Failures : public InFolder {
 protected:
  /// A run of some checks that is complete and that nothing may harm. Its id.
  std::string recorded(const std::map<std::string, std::string>& environment = {}) const {
    const Outcome outcome =
        run({"validate", "--op", "te.digamma", "--cases", "3", "--backend", "cpu", "--store", "s.sqlite"},
            environment);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return runs().back()["id"];
  }

  /// The stored runs, oldest first.
  json runs() const { return document({"history", "--store", "s.sqlite"})["runs"]; }

  /// How many checks of an operation are stored with a run.
  std::size_t checks_of(const std::string& operation, int sequence) const {
    const Outcome outcome = run({"history", operation, "--store", "s.sqlite", "--json"});
    if (outcome.code != 0 && outcome.code != 6) ADD_FAILURE() << outcome.err;
    if (outcome.code != 0) return 0;
    const json history = json::parse(outcome.out);  // outlives the loop over a part of it
    std::size_t count = 0;
    for (const json& check : history["checks"])
      if (check["sequence"].get<int>() == sequence) ++count;
    return count;
  }

  /// The program in a shell of its own in the working folder, after some preparation.
  Outcome in_shell(const std::string& before, const std::string& arguments) const {
    const std::string script = "cd '" + work().string() + "' && " + before + " '" + program_path().string() +
                               "' " + arguments + " >'" + (folder_ / "out").string() + "' 2>'" +
                               (folder_ / "err").string() + "'";
    const int status = std::system(script.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content_of(folder_ / "out"),
            content_of(folder_ / "err")};
  }

  /// A failure of the tool or the disk: its code, one line that says what.
  static void expect_one_line(const Outcome& outcome, int code, const std::string& text) {
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
    // Notes and progress of a run that had begun may stand before it; it is the last line, and of one piece.
    const std::size_t last = outcome.err.rfind('\n', outcome.err.size() - 2);
    EXPECT_NE(outcome.err.find(text, last == std::string::npos ? 0 : last), std::string::npos) << outcome.err;
  }
};

const std::vector<std::string> nightly{"nightly",   "--quick", "--op",    "te.ksg,te.digamma",
                                       "--budget",  "8s",      "--store", "s.sqlite",
                                       "--backend", "cpu",     "--out",   "report"};

TEST_F(Failures, ANightlyThatIsKilledLosesOnlyWhatItHadNotStored) {
  const std::string before = recorded();
  const pid_t child = start(nightly, {}, "nightly");
  std::size_t stored = 0;
  for (int i = 0; i < 600 && stored == 0; ++i) {
    std::this_thread::sleep_for(100ms);
    stored = checks_of("te.ksg", 2);
  }
  ASSERT_GT(stored, 0u) << "no check was stored within a minute";
  EXPECT_EQ(runs().back()["state"], "running");
  ASSERT_EQ(kill(child, SIGKILL), 0);
  EXPECT_EQ(finish(child, "nightly").code, 128 + SIGKILL);
  EXPECT_FALSE(fs::exists(work() / "report/index.html"));  // never half a report

  const json after = runs();
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[0]["id"], before);
  EXPECT_EQ(after[0]["state"], "complete");
  EXPECT_EQ(after[1]["state"], "interrupted");
  EXPECT_GE(checks_of("te.ksg", 2), stored);
  // What the dead one held is free, and what is judged is the last run that came to its end.
  EXPECT_EQ(run({"bench", "--op", "te.digamma", "--quick", "--seconds", "0.001", "--backend", "cpu", "--lock",
                 "refuse"})
                .err.find("two at once"),
            std::string::npos);
  ASSERT_EQ(run({"history", "--store", "s.sqlite", "--export", "latest.jsonl", "--run", "latest"}).code, 0);
  EXPECT_NE(read("latest.jsonl").find(before), std::string::npos);
}

TEST_F(Failures, AFullDiskIsOneLineAndLosesNothing) {
  const std::string before = recorded();
  // The limit counts blocks of 512 bytes a file; the log that SQLite writes first is such a file.
  const Outcome limited =
      in_shell("ulimit -f 60 &&", "validate --op te.digamma --cases 3 --backend cpu --store s.sqlite");
  expect_one_line(limited, 1, "cannot be written");
  EXPECT_NE(limited.err.find("what was stored before is kept"), std::string::npos) << limited.err;
  EXPECT_EQ(runs()[0]["id"], before);
  EXPECT_EQ(runs()[0]["state"], "complete");
  recorded();  // and once there is room, it goes on
}

TEST_F(Failures, AFullFileSystemIsOneLineAndLosesNothing) {
  if (std::system("unshare -rm true 2>/dev/null") != 0)
    GTEST_SKIP() << "no small file system can be mounted here";
  recorded();
  // Room for the run to begin and to store some checks, beside what is stored: a store grows with the
  // operations.
  const std::uintmax_t room = fs::file_size(work() / "s.sqlite") / 1024 + 62;
  const std::string script =
      "unshare -rm sh -c 'mkdir small && mount -t tmpfs -o size=" + std::to_string(room) +
      "k none small && cp s.sqlite small/ && "
      "\"$@\"; code=$?; "
      "cp small/s.sqlite* . && exit $code' small";
  const Outcome full =
      in_shell(script, "validate --op te.digamma --cases 3 --backend cpu --store small/s.sqlite");
  expect_one_line(full, 1, "cannot be written");
  const json after = runs();
  EXPECT_EQ(after[0]["state"], "complete");
  EXPECT_EQ(after.back()["state"], "interrupted");
  EXPECT_GT(checks_of("te.digamma", 1), 0u);
}

TEST_F(Failures, AReadOnlyStoreIsReadAndNotWritten) {
  const std::string before = recorded();
  if (std::system("unshare -rm true 2>/dev/null") != 0)
    GTEST_SKIP() << "no folder can be mounted read-only here";
  const std::string read_only =
      "unshare -rm sh -c 'mount --bind . . && mount -o remount,ro,bind . && cd . && "
      "cd \"$PWD\" && \"$@\"' ro";
  const Outcome history = in_shell(read_only, "history --store s.sqlite");
  EXPECT_EQ(history.code, 0) << history.err;
  EXPECT_NE(history.out.find(before.substr(0, 8)), std::string::npos) << history.out << history.err;
  const Outcome written =
      in_shell(read_only, "validate --op te.digamma --cases 3 --backend cpu --store s.sqlite");
  expect_one_line(written, 1, "not written");
  EXPECT_EQ(runs().size(), 1u);
}

TEST_F(Failures, ADamagedStoreIsRefusedAndLeftAsItIs) {
  recorded();
  std::string bytes = read("s.sqlite");
  ASSERT_GT(bytes.size(), 8192u);
  for (std::size_t i = 4096; i < bytes.size(); ++i) bytes[i] = 'x';
  write("s.sqlite", bytes);
  for (const std::vector<std::string>& call : {std::vector<std::string>{"history", "--store", "s.sqlite"},
                                               {"gate", "--store", "s.sqlite"},
                                               nightly}) {
    const Outcome outcome = run(call);
    expect_one_line(outcome, 2, "damaged");
    EXPECT_EQ(read("s.sqlite"), bytes) << call[0];
  }
}

TEST_F(Failures, TwoNightliesAtOnceMeasureOneAfterTheOther) {
  std::vector<std::string> quick = nightly;
  quick[3] = "te.digamma";
  quick[5] = "1s";
  std::vector<std::string> other = quick;
  other.back() = "report2";
  const pid_t first = start(quick, {}, "1");
  const pid_t second = start(other, {}, "2");
  const Outcome one = finish(first, "1"), two = finish(second, "2");
  // Times may differ on a busy machine; that both end, and neither takes the other's place, may not.
  for (const Outcome& outcome : {one, two})
    EXPECT_TRUE(outcome.code == 0 || outcome.code == 4 || outcome.code == 7) << outcome.code << outcome.err;
  const bool waited = one.err.find("waiting until it ends") != std::string::npos ||
                      two.err.find("waiting until it ends") != std::string::npos;
  EXPECT_TRUE(waited) << one.err << two.err;
  const json stored = runs();
  ASSERT_EQ(stored.size(), 2u);
  for (const json& each : stored) EXPECT_EQ(each["state"], "complete");
  // One after the other: the second began when the first had ended, and was compared with it.
  EXPECT_EQ(document({"baseline", "show", "--store", "s.sqlite"})["baselines"].size(), 1u);
  EXPECT_TRUE(fs::exists(work() / "report/index.html") && fs::exists(work() / "report2/index.html"));
}

TEST_F(Failures, AClockThatJumpsBackChangesNoOrder) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's own library has to be loaded first";
#endif
  const std::string library = (program_path().parent_path() / "assay_clock.so").string();
  ASSERT_TRUE(fs::exists(library)) << library << " has to be built first";
  const auto at = [&](long shift) {
    return std::map<std::string, std::string>{{"LD_PRELOAD", library},
                                              {"ASSAY_TEST_CLOCK_SHIFT", std::to_string(shift)}};
  };
  const std::string first = recorded(at(0)), second = recorded(at(86400)), back = recorded(at(-30 * 86400L));
  const json stored = runs();
  ASSERT_EQ(stored.size(), 3u);
  EXPECT_LT(stored[2]["started_at"], stored[0]["started_at"]);  // the clock was really moved
  EXPECT_GT(stored[1]["started_at"], stored[0]["started_at"]);
  EXPECT_EQ(stored[0]["id"], first);
  EXPECT_EQ(stored[1]["id"], second);
  EXPECT_EQ(stored[2]["id"], back);
  for (const json& each : stored) EXPECT_EQ(each["state"], "complete");
  // The newest is the one that came last, and the one before it is the one that came before it.
  const json judged = json::parse(run({"gate", "--baseline", "latest", "--store", "s.sqlite", "--json"}).out);
  EXPECT_EQ(judged["run"], back);
  EXPECT_EQ(judged["baseline"], second);
}

}  // namespace
}  // namespace assay::program
