#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <utility>

#include "ci/program/program_identity.hpp"
#include "ci/test_process.hpp"

namespace assay::program {
namespace {

using nlohmann::json;

/// Programs that print the times they are told, so that verdicts depend on no clock. Each is a script that
/// answers `brief`; its noise comes from how often it was called. `cases` is a list of NAME=PICOSECONDS.
class Compare : public InFolder {
 protected:
  void fake(const std::string& name, const std::string& cases, const std::string& special = "") const {
    write(name, R"(#!/bin/sh
# A program whose times are told.
me=$(basename "$0")
file= list=
while [ $# -gt 0 ]; do
  case $1 in --cases) file=$2; shift;; --list) list=1;; esac
  shift
done
count=$(cat "$me.count" 2>/dev/null || echo 0)
count=$((count + 1))
echo $count > "$me.count"
)" + special + R"(
sep=
printf '{"format":1,"missing":{"instructions":"no counter"},"cases":['
for pair in )" + cases +
                    R"(; do
  name=${pair%=*} time=${pair##*=}
  if [ -n "$list" ]; then printf '%s"%s"' "$sep" "$name"; sep=,; continue; fi
  grep -qx "$name" "$file" || continue
  noise=$(( (count * 7919 + time) % 2001 - 1000 ))
  wall=$((time + time / 1000 * noise / 500))
  printf '%s{"name":"%s","seconds":0.001,"medians":{"wall":%s},"resolutions":{"wall":1},"answer":"%s"}' \
    "$sep" "$name" "$wall" "${answer:-abc}"
  sep=,
done
echo ']}'
)");
    fs::permissions(work() / name, fs::perms::owner_all);
  }
  std::vector<std::string> compare(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"compare", "base", "candidate", "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  json judged(int code, const std::vector<std::string>& more = {}) const {
    auto arguments = compare(more);
    arguments.emplace_back("--json");
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << outcome.err << outcome.out;
    return json::parse(outcome.out, nullptr, false);
  }
  static json item(const json& document, const std::string& name) {
    for (const json& one : document["items"])
      if (one["case"] == name) return one;
    return {};
  }
};

TEST_F(Compare, SlowerFasterSameGoneAndNew) {
  fake("base", "a/n=1/cpu=1000000 b/n=1/cpu=2000000 c/n=1/cpu=3000000 old/n=1/cpu=1000000");
  fake("candidate", "a/n=1/cpu=1000000 b/n=1/cpu=2200000 c/n=1/cpu=2700000 new/n=1/cpu=1000000");
  const json made = judged(4);
  EXPECT_EQ(item(made, "a/n=1/cpu")["verdict"], "same");
  EXPECT_EQ(item(made, "a/n=1/cpu")["blocks"], 10);
  EXPECT_EQ(item(made, "b/n=1/cpu")["verdict"], "regressed");
  EXPECT_EQ(item(made, "b/n=1/cpu")["blocks"], 20);
  EXPECT_EQ(item(made, "b/n=1/cpu")["blocks_to_confirm"], 20);
  EXPECT_NEAR(item(made, "b/n=1/cpu")["ratio"].get<double>(), 1.1, 0.005);
  EXPECT_GT(item(made, "a/n=1/cpu")["smallest_visible"].get<double>(), 0.005);
  EXPECT_EQ(item(made, "c/n=1/cpu")["verdict"], "improved");
  EXPECT_EQ(item(made, "old/n=1/cpu")["verdict"], "vanished");
  EXPECT_EQ(item(made, "new/n=1/cpu")["verdict"], "added");
  EXPECT_EQ(made["missing_measures"]["instructions"], "no counter");
  EXPECT_EQ(made["same_code"], false);
  EXPECT_EQ(made["blocks"], 40);
}

TEST_F(Compare, AVanishedBenchmarkAloneIsRed) {
  fake("base", "a/n=1/cpu=1000000 old/n=1/cpu=1000000");
  fake("candidate", "a/n=1/cpu=1000000");
  judged(6);
  fake("candidate", "other/n=1/cpu=1000000");
  EXPECT_EQ(judged(6)["series"], 0);
  fake("base", "");
  expect_refused({"compare", "none", "candidate"}, "none: no such file");
}

TEST_F(Compare, TooFewBlocksAreRefusedByArithmetic) {
  fake("base", "a/n=1/cpu=1000000 b/n=1/cpu=1000000");
  fake("candidate", "a/n=1/cpu=1000000 b/n=1/cpu=1000001");
  const Outcome outcome = run(compare({"--blocks", "11"}));
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("--blocks: 11 can reject nothing among 2 cases x measures"), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find("expected at least 12"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(judged(0, {"--blocks", "12"})["blocks"], 6);
  expect_refused(compare({"--blocks", "41"}), "--blocks");
  expect_refused(compare({"--measures", "time"}), "--measures: 'time'");
  expect_refused(compare({"--budget", "soon"}), "--budget: 'soon'");
  expect_refused({"compare", "base"}, "CANDIDATE is required");
}

TEST_F(Compare, EqualCodeIsTheEnvironmentUnlessItIsNotToCount) {
  // One file: its own name tells it which it is.
  fake("base", "$cases", "case $me in base) cases=a/n=1/cpu=1000000;; *) cases=a/n=1/cpu=1200000;; esac");
  fs::copy_file(work() / "base", work() / "candidate");
  const json made = judged(0, {"--strict"});
  EXPECT_EQ(item(made, "a/n=1/cpu")["verdict"], "environment");
  EXPECT_EQ(made["same_code"], true);
  EXPECT_EQ(item(judged(4, {"--no-identity"}), "a/n=1/cpu")["verdict"], "regressed");
}

TEST_F(Compare, ARedThatDoesNotComeAgainIsNone) {
  // The base's processes: --list, the first look, 40 of the first run; then the fresh run.
  fake("base", "a/n=1/cpu=1000000");
  fake("candidate", "a/n=1/cpu=$slow", "slow=1200000; [ $count -gt 42 ] && slow=1000000");
  const json made = judged(0);
  EXPECT_EQ(item(made, "a/n=1/cpu")["verdict"], "inconclusive");
  EXPECT_EQ(item(made, "a/n=1/cpu")["alarmed"], true);
  fs::remove(work() / "candidate.count");
  judged(5, {"--strict"});
}

TEST_F(Compare, WrongAndChangingAnswersGetNoTime) {
  fake("base", "a/n=1/cpu=1000000");
  fake("candidate", "a/n=1/cpu=1000000", "[ $count -gt 9 ] && answer=xyz");
  const json changed = judged(7);
  EXPECT_EQ(item(changed, "a/n=1/cpu")["verdict"], "invalid");
  EXPECT_EQ(item(changed, "a/n=1/cpu")["reason"],
            "the answer of the candidate differs from that of its first process");
  fake(
      "candidate", "",
      R"([ -z "$list" ] && echo '{"format":1,"cases":[{"name":"a/n=1/cpu","failure":"y[3]: 4, not 5"}]}' && exit
[ -n "$list" ] && echo '{"format":1,"cases":["a/n=1/cpu"]}' && exit)");
  EXPECT_EQ(item(judged(3), "a/n=1/cpu")["reason"], "candidate: y[3]: 4, not 5");
}

/// `--counted` with a Valgrind that is told what to count: NAME=INSTRUCTIONS in the file <program>.counts.
class CompareCounted : public Compare {
 protected:
  void SetUp() override {
    Compare::SetUp();
    if (HasFatalFailure()) return;
    write("valgrind", R"(#!/bin/sh
# Writes a dump for each case, as callgrind does, and runs the program.
out= triggered=assay_counted_call
while [ $# -gt 0 ]; do
  case $1 in --callgrind-out-file=*) out=${1#*=};; --*) ;; *) break;; esac
  shift
done
program=$(basename "$1")
for word in "$@"; do [ "$last" = --cases ] && file=$word; last=$word; done
number=0
while read -r name rest; do
  number=$((number + 1))
  value=$(grep "^$name=" "$program.counts" | sed "s|.*=||")
  [ -n "$value" ] && printf 'desc: Trigger: --dump-after=%s\nevents: Ir\nsummary: 1\ntotals: %s\n' "$triggered" "$value" > "$out.$number"
done < "$file"
exec "$@"
)");
    fs::permissions(work() / "valgrind", fs::perms::owner_all);
    environment_ = {{"PATH", work().string() + ":" + std::getenv("PATH")}};
  }
  Outcome counted(const std::vector<std::string>& more = {}) const {
    auto arguments = compare(more);
    arguments.insert(arguments.end(), {"--counted", "--json"});
    return run(arguments, environment_);
  }
  std::map<std::string, std::string> environment_;
};

// The script that stands for a program lists its cases with a tab and a number behind each name.
constexpr const char* reads_names = R"([ -n "$file" ] && cut -f1 "$file" > "$me.cases" && file=$me.cases)";

TEST_F(CompareCounted, MoreInstructionsAreRedWhateverTheTime) {
  fake("base", "a/n=1/cpu=1000000 b/n=1/cpu=2000000 c/n=1/cpu=1000000", reads_names);
  fake("candidate", "a/n=1/cpu=9000000 b/n=1/cpu=2000000 c/n=1/cpu=1000000", reads_names);
  write("base.counts", "a/n=1/cpu=100000\nb/n=1/cpu=100000\nc/n=1/cpu=100000\n");
  write("candidate.counts", "a/n=1/cpu=100000\nb/n=1/cpu=100200\nc/n=1/cpu=99000\n");
  const Outcome outcome = counted();
  EXPECT_EQ(outcome.code, 4) << outcome.err;
  const json made = json::parse(outcome.out, nullptr, false);
  EXPECT_EQ(item(made, "a/n=1/cpu")["verdict"], "same");
  EXPECT_EQ(item(made, "a/n=1/cpu")["measure"], "counted");
  EXPECT_EQ(item(made, "a/n=1/cpu")["unit"], "instructions");
  EXPECT_EQ(item(made, "b/n=1/cpu")["verdict"], "regressed");
  EXPECT_EQ(item(made, "b/n=1/cpu")["interval_of_processes"][0], 1.002);
  EXPECT_EQ(item(made, "c/n=1/cpu")["verdict"], "improved");
  EXPECT_EQ(made["blocks"], 4);  // two processes of each program
}

TEST_F(CompareCounted, WhatCannotBeCountedIsRefused) {
  fake("base", "a/n=1/cpu=1000000", reads_names);
  fake("candidate", "a/n=1/cpu=1000000", reads_names);
  write("base.counts", "a/n=1/cpu=5\n");
  write("candidate.counts", "");
  Outcome outcome = counted();
  EXPECT_EQ(outcome.code, 7);
  EXPECT_NE(outcome.err.find("callgrind counted 0 calls of 1"), std::string::npos) << outcome.err;
  fs::remove(work() / "valgrind");
  environment_ = {{"PATH", work().string()}};
  outcome = counted();
  EXPECT_EQ(outcome.code, 7);
  EXPECT_NE(outcome.err.find("no valgrind is in the PATH"), std::string::npos) << outcome.err;
  expect_refused(compare({"--counted", "--budget", "1m"}), "not with --counted");
  expect_refused(compare({"--counted", "--checkpoint", "c"}), "not with --counted");
  expect_refused(compare({"--counted", "--threads", "2"}), "one thread");
}

bool valgrind_is_there() {
  return std::system("command -v valgrind >/dev/null 2>&1") == 0;
}

// The real one on the real program: it counts the same twice, and finds what is planted.
using CountedByValgrind = InFolder;

TEST_F(CountedByValgrind, EqualProgramsAreSameAndPlantedWorkIsFound) {
  if (!valgrind_is_there()) GTEST_SKIP() << "Valgrind is not installed";
  const std::vector<std::string> cases{"--op", "te.digamma", "--longest", "0.004", "--json", "--quiet"};
  auto equal = cases;
  equal.insert(equal.begin(),
               {"aa", "--counted", "--runs", "1", "--conditions", "identical", "--store", "s.sqlite"});
  const Outcome same = run(equal);
  ASSERT_EQ(same.code, 0) << same.err;
  const json alike = json::parse(same.out, nullptr, false)["false_alarms"][0];
  EXPECT_EQ(alike["measure"], "counted");
  EXPECT_GE(alike["cases"], 1);
  EXPECT_EQ(alike["same"], alike["cases"]);
  auto planted = cases;
  planted.insert(planted.begin(),
                 {"aa", "--counted", "--planted", "--kinds", "work", "--sizes", "5", "--store", "s.sqlite"});
  const Outcome found = run(planted);
  ASSERT_EQ(found.code, 0) << found.err;
  const json work = json::parse(found.out, nullptr, false)["planted"][0];
  EXPECT_GE(work["cases"], 1);
  EXPECT_EQ(work["regressed"], work["cases"]) << work;
}

TEST_F(Compare, AProcessThatFailsTwiceEndsItAndOnceDoesNot) {
  fake("base", "a/n=1/cpu=1000000");
  fake("candidate", "a/n=1/cpu=1000000", "[ $count -eq 8 ] && kill -SEGV $$");
  judged(0);
  fs::remove(work() / "candidate.count");
  fake("candidate", "a/n=1/cpu=1000000", "[ $count -ge 8 ] && kill -SEGV $$");
  const Outcome outcome = run(compare());
  EXPECT_EQ(outcome.code, 7);
  EXPECT_NE(outcome.err.find("a process was ended by signal 11"), std::string::npos) << outcome.err;
  fake("candidate", "", "echo 'unknown command' >&2; exit 2");
  EXPECT_NE(run(compare()).err.find("does not know `assay brief`"), std::string::npos);
  fake("candidate", "", "echo '{\"format\":99}'; exit 0");
  EXPECT_EQ(run(compare()).code, 7);
}

TEST_F(Compare, KilledInTheMiddleItGoesOnToTheSameVerdicts) {
  const std::string of_base = "a/n=1/cpu=1000000 b/n=1/cpu=2000000";
  fake("base", of_base);
  fake("candidate", "a/n=1/cpu=1000000 b/n=1/cpu=2100000", "sleep 0.01");
  const pid_t child = start(compare({"--checkpoint", "c.jsonl"}));
  // Until a few blocks are there, whatever the machine does meanwhile.
  for (int tries = 0; tries < 3000; ++tries) {
    const std::string kept = read("c.jsonl");
    if (std::count(kept.begin(), kept.end(), '\n') >= 6) break;
    ::usleep(10'000);
  }
  ::kill(child, SIGKILL);
  EXPECT_EQ(finish(child).code, 128 + SIGKILL);
  const std::string kept = read("c.jsonl");
  const auto blocks = std::count(kept.begin(), kept.end(), '\n') - 2;
  ASSERT_GE(blocks, 4);
  ASSERT_LT(blocks, 40);
  // A line that was cut short is dropped.
  write("c.jsonl", kept + "{\"fresh\":false,\"cases\":{\"a/n=1");
  const json went_on = judged(4, {"--checkpoint", "c.jsonl"});
  const std::string whole = read("c.jsonl");
  EXPECT_TRUE(whole.starts_with(kept));
  EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'), 42);
  const json fresh = judged(4);
  EXPECT_EQ(went_on["verdicts"], fresh["verdicts"]);
  for (const char* name : {"a/n=1/cpu", "b/n=1/cpu"})
    EXPECT_EQ(item(went_on, name)["verdict"], item(fresh, name)["verdict"]);
  // Complete: nothing is measured any more and the answer is the same.
  const std::string count = read("base.count");
  EXPECT_EQ(judged(4, {"--checkpoint", "c.jsonl"})["items"], went_on["items"]);
  EXPECT_EQ(read("base.count"), count);
  // The orders of the blocks were drawn.
  EXPECT_NE(whole.find("ABBA"), std::string::npos);
  EXPECT_NE(whole.find("BAAB"), std::string::npos);

  fake("candidate", "a/n=1/cpu=1000000");
  expect_refused(compare({"--checkpoint", "c.jsonl"}),
                 "c.jsonl: belongs to a comparison of other programs or settings");
  write("d.jsonl", "something else\n");
  expect_refused(compare({"--checkpoint", "d.jsonl"}), "d.jsonl: is no checkpoint of a comparison");
  EXPECT_EQ(read("d.jsonl"), "something else\n");
}

TEST_F(Compare, ABudgetStopsItAndSaysSo) {
  fake("base", "a/n=1/cpu=1000000");
  fake("candidate", "a/n=1/cpu=1200000");
  const json made = judged(0, {"--budget", "1ms"});
  EXPECT_EQ(item(made, "a/n=1/cpu")["verdict"], "inconclusive");
  EXPECT_EQ(item(made, "a/n=1/cpu")["reason"], "not measured: the budget is spent");
  judged(5, {"--budget", "1ms", "--strict"});
}

TEST_F(Compare, AaCountsFalseRedsAndPlantedOnesAreFound) {
  fake("base", "a/n=1/cpu=1000000 b/n=1/cpu=2000000");
  const json quiet = document({"aa", "--program", "base", "--runs", "2", "--quiet"});
  ASSERT_EQ(quiet["false_alarms"].size(), 1U);
  EXPECT_EQ(quiet["false_alarms"][0]["condition"], "identical");
  EXPECT_EQ(quiet["false_alarms"][0]["cases"], 4);
  EXPECT_EQ(quiet["false_alarms"][0]["regressed"], 0);
  EXPECT_EQ(quiet["false_alarms"][0]["share_same"], 1.0);
  EXPECT_NEAR(quiet["false_alarms"][0]["changed_run_rate_at_most"].get<double>(), 0.7764, 1e-4);
  // A slower "relinked" one is a false red, since equal code counts for nothing here.
  fake("relinked", "a/n=1/cpu=1100000 b/n=1/cpu=2000000");
  EXPECT_EQ(run({"aa", "--program", "base", "--relinked", "relinked", "--runs", "1", "--quiet"}).code, 4);

  const json one_condition = document({"aa", "--program", "base", "--relinked", "base", "--conditions",
                                       "relinked", "--runs", "1", "--quiet"});
  ASSERT_EQ(one_condition["false_alarms"].size(), 1U);
  EXPECT_EQ(one_condition["false_alarms"][0]["condition"], "relinked");
  expect_refused({"aa", "--conditions", "same"},
                 "--conditions: 'same', expected some of identical, relinked");
  expect_refused({"aa", "--planted", "--conditions", "relinked"}, "--conditions: goes without --planted");

  fake("faulty", "a/n=1/cpu=$slow", "slow=1000000; [ \"$ASSAY_MUTANT\" = slowdown.idle.5 ] && slow=1050000");
  const json found =
      document({"aa", "--planted", "--program", "faulty", "--kinds", "idle,work", "--sizes", "5", "--quiet"});
  ASSERT_EQ(found["planted"].size(), 2U);
  EXPECT_EQ(found["planted"][0]["share_found"], 1.0);
  EXPECT_EQ(found["planted"][1]["share_found"], 0.0);
  expect_refused({"aa", "--planted", "--program", "faulty", "--kinds", "luck"}, "--kinds: 'luck'");
  expect_refused({"aa", "--program", "base", "--sizes", "5"}, "--sizes: goes with --planted");
}

TEST_F(Compare, TheRealProgramMeasuresItselfBriefly) {
  const json made =
      document({"brief", "--op", "te.digamma", "--threads", "1", "--backend", "cpu", "--check"});
  ASSERT_FALSE(made["cases"].empty());
  const json& first = made["cases"][0];
  EXPECT_EQ(first["name"], "te.digamma/n=10000/cpu");
  EXPECT_GT(first["medians"]["wall"].get<double>(), 1000.0);
  EXPECT_GT(first["medians"]["cpu"].get<double>(), 1000.0);
  EXPECT_EQ(first["answer"].get<std::string>().size(), 16U);
  EXPECT_GE(first["samples"].get<int>(), 3);
  const json again = document({"brief", "--op", "te.digamma", "--threads", "1", "--backend", "cpu"});
  EXPECT_EQ(again["cases"][0]["answer"], first["answer"]);
  expect_refused({"brief", "--op", "no.such"}, "no case matches", 6);
  expect_refused({"brief", "--cases", "no.txt"}, "no.txt: no such file");
  // A process of 40 cases or more.
  std::size_t listed = document({"brief", "--list", "--backend", "cpu"})["cases"].size();
  EXPECT_GE(listed, 40U);
}

/// `assay brief --turns` with the other end of its socket here.
class TurnTaker {
 public:
  TurnTaker(const std::string& program, const std::string& cases, const std::string& out) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours_ = ends[0];
    child_ = ::fork();
    if (child_ == 0) {
      const int file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      ::dup2(file, STDOUT_FILENO);
      ::dup2(file, STDERR_FILENO);
      const std::string turns = std::to_string(::dup(ends[1]));
      ::execl(program.c_str(), "assay", "brief", "--json", "--quiet", "--backend", "cpu", "--threads", "1",
              "--cases", cases.c_str(), "--turns", turns.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
  }
  ~TurnTaker() {
    if (ours_ >= 0) ::close(ours_);
  }
  /// Gives a turn and waits for its end; false where the process has ended.
  bool turn() const {
    char byte = 'x';
    return ::send(ours_, &byte, 1, MSG_NOSIGNAL) == 1 && ::read(ours_, &byte, 1) == 1;
  }
  /// Whether it says something without having been asked.
  bool speaks_within(int milliseconds) const {
    pollfd end{ours_, POLLIN, 0};
    return ::poll(&end, 1, milliseconds) != 0;
  }
  int give_up() {
    ::close(std::exchange(ours_, -1));
    return code();
  }
  int code() const {
    int status = 0;
    ::waitpid(child_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  int ours_ = -1;
  pid_t child_ = -1;
};

TEST_F(Compare, BriefWorksOnlyInItsTurn) {
  EXPECT_TRUE(document({"brief", "--list", "--backend", "cpu"})["turns"]);
  write("cases", "te.digamma/n=10000/cpu\t6\nte.embed/rows=10000,d=5/cpu\t5\n");
  TurnTaker taker(program_path().string(), (work() / "cases").string(), (work() / "out").string());
  EXPECT_FALSE(taker.speaks_within(300)) << "it worked before its turn";
  int turns = 0;
  while (taker.turn()) ++turns;
  EXPECT_EQ(turns, (1 + 6 + 1) + (1 + 5 + 1));  // preparation, samples, the check afterwards
  EXPECT_EQ(taker.code(), 0);
  const json made = json::parse(read("out"), nullptr, false);
  ASSERT_EQ(made["cases"].size(), 2U);
  EXPECT_EQ(made["cases"][0]["samples"], 6);
  EXPECT_EQ(made["cases"][1]["samples"], 5);
  EXPECT_GT(made["cases"][0]["medians"]["wall"].get<double>(), 1000.0);

  TurnTaker left_alone(program_path().string(), (work() / "cases").string(), (work() / "out").string());
  EXPECT_TRUE(left_alone.turn());
  EXPECT_EQ(left_alone.give_up(), 7);
  EXPECT_NE(read("out").find("who gives the turns has ended"), std::string::npos) << read("out");
  write("cases", "te.digamma/n=10000/cpu\tmany\n");
  expect_refused({"brief", "--cases", "cases"},
                 "cases: 'many' after 'te.digamma/n=10000/cpu', expected a number");
}

TEST_F(Compare, ProcessesOfABlockTakeTurns) {
  const std::string program = program_path().string();
  const json made = document({"compare", program, program, "--no-identity", "--op", "te.digamma", "--longest",
                              "0.001", "--blocks", "14", "--checkpoint", "c.jsonl", "--quiet"});
  for (const json& one : made["items"])
    if (one.contains("measure")) {
      EXPECT_GE(one["blocks"], 7) << one.dump();
    }
  const std::string kept = read("c.jsonl");
  EXPECT_NE(kept.find("\"turns\":true"), std::string::npos);
  EXPECT_NE(kept.find("\"samples\":"), std::string::npos);
}

TEST_F(Compare, CodeIsTheSameWhateverTheNotesSay) {
  const std::string program = program_path().string();
  fs::copy_file(program, work() / "copy");
  EXPECT_TRUE(compare_code(program, (work() / "copy").string()).equal);
  // Bytes behind the sections are not loaded; a byte of the code is.
  const std::string digest = code_digest(program);
  std::ofstream(work() / "copy", std::ios::app | std::ios::binary) << "appended";
  EXPECT_EQ(code_digest((work() / "copy").string()), digest);
  std::string bytes = content_of(program);
  const std::size_t word = bytes.find("unknown command");
  ASSERT_NE(word, std::string::npos);
  bytes[word] ^= 1;
  std::ofstream(work() / "other", std::ios::binary) << bytes;
  EXPECT_NE(code_digest((work() / "other").string()), digest);
  write("script", "#!/bin/sh\n");
  write("script2", "#!/bin/sh\n#\n");
  EXPECT_FALSE(compare_code((work() / "script").string(), (work() / "script2").string()).equal);
  EXPECT_EQ(code_digest((work() / "none").string()), "");
}

}  // namespace
}  // namespace assay::program
