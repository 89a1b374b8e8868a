#include <cstdlib>

#include "ci/test_process.hpp"

/// What the program says of a history: on a file, on a server, over many nights, with waivers.
namespace assay::program {
namespace {

using nlohmann::json;

json lines_of(const std::string& text) {
  json out = json::array();
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out.push_back(json::parse(line));
  return out;
}

std::string text_of(const json& lines) {
  std::string out;
  for (const json& line : lines) out += line.dump() + "\n";
  return out;
}

class GateWaivers : public InFolder {
 protected:
  /// A baseline, and after it the same run with one check red. The red check's key is `red_`.
  void SetUp() override {
    InFolder::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_EQ(
        run({"validate", "--op", "te.digamma", "--cases", "3", "--backend", "cpu", "--store", "s.sqlite"})
            .code,
        0);
    ASSERT_EQ(run({"baseline", "promote", "--store", "s.sqlite"}).code, 0);
    ASSERT_EQ(run({"history", "--store", "s.sqlite", "--export", "run.jsonl"}).code, 0);
    json lines = lines_of(read("run.jsonl"));
    lines[0]["id"] = "ffffffff-0000-4000-8000-000000000000";
    for (json& line : lines) {
      if (line["type"] != "check" || line["kind"] != "property" || !red_.empty()) continue;
      line["verdict"] = "fail";
      line["message"] = "off by one";
      red_ = line["operation"].get<std::string>() + "/" + line["name"].get<std::string>() + "/" +
             line["backend"].get<std::string>();
    }
    ASSERT_FALSE(red_.empty());
    write("red.jsonl", text_of(lines));
    ASSERT_EQ(run({"history", "--store", "s.sqlite", "--import", "red.jsonl"}).code, 0);
  }

  Outcome gate(const std::string& waivers) const {
    write("w.toml", waivers);
    return run({"gate", "--store", "s.sqlite", "--waivers", "w.toml"});
  }
  void expect_waivers_refused(const std::string& waivers, const std::string& expected) const {
    write("w.toml", waivers);
    expect_refused({"gate", "--store", "s.sqlite", "--waivers", "w.toml"}, expected);
  }
  std::string waiver(const std::string& key, const std::string& expires) const {
    return "[[waiver]]\ncase = \"" + key + "\"\nreason = \"#12: known\"\nexpires = " + expires + "\n";
  }

  std::string red_;
};

TEST_F(GateWaivers, LetANamedRedPassUntilTheirDay) {
  const Outcome red = run({"gate", "--store", "s.sqlite"});
  EXPECT_EQ(red.code, 3) << red.out << red.err;
  const Outcome waived = gate(waiver(red_, "2999-12-31"));
  EXPECT_EQ(waived.code, 0) << waived.out;
  EXPECT_NE(waived.out.find("Green, with 1 waived red"), std::string::npos) << waived.out;
  EXPECT_NE(waived.out.find("waived until 2999-12-31: #12: known"), std::string::npos) << waived.out;
  EXPECT_EQ(read("gate.xml").find("<failure"), std::string::npos);
  EXPECT_NE(read("gate.xml").find("waived until 2999-12-31"), std::string::npos);
  const json document =
      json::parse(run({"gate", "--store", "s.sqlite", "--waivers", "w.toml", "--json"}).out);
  EXPECT_EQ(document["exit_code"], 0);
  EXPECT_EQ(document["verdicts"]["waived"], 1);
  EXPECT_TRUE(document["unused_waivers"].empty());
}

TEST_F(GateWaivers, ThatMatchNothingAreReported) {
  const Outcome outcome = gate(waiver(red_, "2999-12-31") + waiver("te.none/p/cpu", "2999-12-31"));
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("te.none/p/cpu"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("te.none/p/cpu"), std::string::npos) << outcome.out;
}

TEST_F(GateWaivers, ThatExpiredOrMakeNoSenseAreRefusedWithTheirLine) {
  expect_waivers_refused(waiver("te.x/p/cpu", "2999-01-01") + waiver(red_, "2020-02-29"),
                         "w.toml: line 5: the waiver of " + red_ + " expired on 2020-02-29");
  expect_waivers_refused("[[waiver]]\ncase = \"a\"\nreason = \"b\"\nexpires = 2999-01-01\nexpiry = 1\n",
                         "w.toml: line 5: 'expiry' is unknown in a waiver, did you mean 'expires'?");
  expect_waivers_refused("waivers = []\n", "w.toml: line 1: 'waivers' is unknown");
  expect_waivers_refused("[waiver]\ncase = \"a\"\n", "expected [[waiver]]");
  expect_waivers_refused("[[waiver]]\ncase = \"a\"\nreason = \" \"\nexpires = 2999-01-01\n",
                         "w.toml: line 3: 'reason'");
  expect_waivers_refused("[[waiver]]\ncase = \"a\"\nexpires = 2999-01-01\n",
                         "w.toml: line 1: a waiver without 'reason'");
  expect_waivers_refused("[[waiver]]\ncase = \"a\"\nreason = \"b\"\n",
                         "w.toml: line 1: a waiver without 'expires'");
  expect_waivers_refused("[[waiver]]\ncase = \"a\"\nreason = \"b\"\nexpires = \"2999-01-01\"\n",
                         "w.toml: line 4: 'expires' is no date");
  expect_waivers_refused("[[waiver]]\ncase = \"a\"\nreason = \"b\"\nexpires = 2999-02-31\n",
                         "w.toml: line 4, column");
  expect_waivers_refused(waiver("a", "2999-01-01") + waiver("a", "2999-01-01"), "a is waived twice");
  fs::remove(work() / "w.toml");
  expect_refused({"gate", "--store", "s.sqlite", "--waivers", "w.toml"}, "w.toml: no such file");
}

class ManyNights : public InFolder {};

TEST_F(ManyNights, ChangePointsAreShownWithTheirCommits) {
  ASSERT_EQ(run({"bench", "--op", "te.digamma", "--quick", "--seconds", "0.001", "--backend", "cpu",
                 "--record", "--store", "one.sqlite"})
                .err.find("cannot"),
            std::string::npos);
  ASSERT_EQ(run({"history", "--store", "one.sqlite", "--export", "one.jsonl"}).code, 0);
  const json night = lines_of(read("one.jsonl"));
  std::string label;
  json all = json::array();
  constexpr int nights = 40, change = 25;
  for (int i = 0; i < nights; ++i) {
    for (json line : night) {
      if (line["type"] == "run") {
        line["id"] = "aaaaaaaa-0000-4000-8000-0000000000" + std::to_string(10 + i);
        line["commit"] = "c" + std::to_string(100 + i);
        line["dirty"] = false;
      }
      if (line["type"] == "benchmark") {
        label = line["label"];
        line["validity"] = i % 9 == 4 ? "invalid" : "valid";
        line["median_ns"] = (i < change ? 1000.0 : 1300.0) + (i * 7) % 5;
      }
      all.push_back(line);
    }
  }
  ASSERT_FALSE(label.empty());
  write("nights.jsonl", text_of(all));
  ASSERT_EQ(run({"history", "--store", "s.sqlite", "--import", "nights.jsonl"}).code, 0);

  const json found =
      document({"history", "te.digamma", "--store", "s.sqlite", "--limit", "100"})["change_points"];
  ASSERT_FALSE(found.empty());
  for (const json& point : found) {
    EXPECT_EQ(point["commit_before"], "c124");
    EXPECT_EQ(point["commit_after"], "c125");
    EXPECT_EQ(point["commit_range"], "c124..c125");
    EXPECT_NEAR(point["ratio"].get<double>(), 1.3, 0.01);
  }
  const std::string text = run({"history", "te.digamma", "--store", "s.sqlite", "--limit", "100"}).out;
  EXPECT_NE(text.find("c124..c125"), std::string::npos) << text;
  EXPECT_NE(text.find("+29."), std::string::npos) << text;
  // Among the newest ten runs nothing changed.
  EXPECT_NE(
      run({"history", "te.digamma", "--store", "s.sqlite", "--limit", "10"}).out.find("no change point"),
      std::string::npos);
  run({"report", "--store", "s.sqlite", "--out", "report"});
  EXPECT_NE(read("report/index.html").find("c124..c125"), std::string::npos);
  EXPECT_EQ(json::parse(read("report/report.json"))["change_points"].size(), found.size());
}

/// With the server of ci/postgres-test.
class PostgreSQL : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    const char* server = std::getenv("ASSAY_TEST_POSTGRESQL");
    if (server == nullptr || *server == '\0')
      GTEST_SKIP() << "no PostgreSQL server: ci/postgres-test starts one";
    url_ = server;
  }
  std::string url_;
};

TEST_F(PostgreSQL, KeepsTheHistoryOfTheProgramAsAFileDoes) {
  const std::vector<std::string> validate{"validate",  "--op", "te.digamma", "--cases", "3",
                                          "--backend", "cpu",  "--store",    url_};
  const pid_t one = start(validate, {}, "1"), two = start(validate, {}, "2");  // two writers at once
  for (const Outcome& outcome : {finish(one, "1"), finish(two, "2")})
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  const json runs = document({"history", "--store", url_})["runs"];
  ASSERT_GE(runs.size(), 2u);
  ASSERT_EQ(run({"baseline", "promote", runs[runs.size() - 2]["id"], "--store", url_}).code, 0);
  const Outcome gate = run({"gate", "--store", url_});
  EXPECT_EQ(gate.code, 0) << gate.out << gate.err;
  EXPECT_TRUE(fs::exists(work() / "reports/gate.md"));
  ASSERT_EQ(run({"report", "--store", url_, "--out", "report"}).code, 0);
  EXPECT_NE(read("report/index.html").find("te.digamma"), std::string::npos);

  // To a file and back: nothing is added where everything is there already.
  ASSERT_EQ(run({"history", "--store", url_, "--export", "run.jsonl"}).code, 0);
  ASSERT_EQ(run({"history", "--store", "s.sqlite", "--import", "run.jsonl"}).code, 0);
  ASSERT_EQ(run({"history", "--store", "s.sqlite", "--export", "back.jsonl"}).code, 0);
  EXPECT_EQ(read("back.jsonl"), read("run.jsonl"));
  EXPECT_NE(run({"history", "--store", url_, "--import", "back.jsonl"}).out.find(": 0 of "),
            std::string::npos);
}

TEST_F(PostgreSQL, NeverShowsAPassword) {
  std::string with_password = url_;
  with_password.insert(with_password.find('@'), ":hunter2");
  const Outcome shown = run({"history", "--store", with_password, "--json"});
  EXPECT_EQ((shown.out + shown.err).find("hunter2"), std::string::npos) << shown.out << shown.err;
  with_password.replace(with_password.find("/assay?"), 7, "/no_such_database?");
  const Outcome refused = run({"history", "--store", with_password});
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ((refused.out + refused.err).find("hunter2"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("no_such_database"), std::string::npos) << refused.err;
  EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err;
}

}  // namespace
}  // namespace assay::program
