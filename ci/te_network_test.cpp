#include <chrono>
#include <cmath>
#include <csignal>
#include <thread>

#include "ci/test_process.hpp"

namespace assay::program {
namespace {

using nlohmann::json;

/// Eight columns of a generated network in n.csv.
class TeNetwork : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_EQ(
        run({"te", "generate", "--system", "network", "--variables", "8", "--rows", "300", "--out", "n.csv"})
            .code,
        0);
  }
  static std::vector<std::string> network(const std::vector<std::string>& more) {
    std::vector<std::string> all{"te", "network", "--data", "n.csv"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

// The process is killed for good in the middle of its work, more than once; what comes out in the end is,
// byte for byte, what an undisturbed run writes.
TEST_F(TeNetwork, SurvivesBeingKilledAndComesToTheSameResult) {
  const std::vector<std::string> work_to_do{"--surrogates", "60", "--delay", "1..3",     "--batch", "1",
                                            "--threads",    "1",  "--out",   "n.out.csv"};
  ASSERT_EQ(run(network(work_to_do)).code, 0);
  const std::string undisturbed = read("n.out.csv");
  fs::remove(work() / "n.out.csv");

  std::vector<std::string> resumable = network(work_to_do);
  resumable.insert(resumable.end(), {"--checkpoint", "part"});
  const fs::path part = work() / "part";
  const auto held = [&] { return fs::exists(part) ? fs::file_size(part) : 0; };
  constexpr std::uintmax_t header = 56;
  std::uintmax_t before = header;
  for (int kill = 0; kill < 2; ++kill) {
    const pid_t child = start(resumable);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (held() <= before && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ::kill(child, SIGKILL);
    ASSERT_EQ(finish(child).code, 128 + SIGKILL) << "it was done before it could be killed";
    ASSERT_GT(held(), before);
    EXPECT_FALSE(fs::exists(work() / "n.out.csv"));
    before = held();
    if (kill == 0) fs::resize_file(part, before - 3);  // as if the last record had been torn
  }
  const Outcome last = run(resumable);
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_NE(last.err.find("pairs were there already"), std::string::npos) << last.err;
  EXPECT_EQ(read("n.out.csv"), undisturbed);
  EXPECT_FALSE(fs::exists(part));  // the answer holds what it held
}

TEST_F(TeNetwork, RefusesACheckpointOfOtherDataOrOptions) {
  std::vector<std::string> work_to_do{"--surrogates", "300", "--batch", "1", "--checkpoint", "part"};
  const pid_t child = start(network(work_to_do));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!fs::exists(work() / "part") && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ::kill(child, SIGKILL);
  finish(child);
  ASSERT_TRUE(fs::exists(work() / "part"));
  const std::string other =
      "part: is the checkpoint of other data or options, expected those it was made with or a new name";
  const std::vector<std::vector<std::string>> changes{{"--k", "5"},
                                                      {"--seed", "2"},
                                                      {"--delay", "2"},
                                                      {"--columns", "0,1"},
                                                      {"--rows", "299"},
                                                      {"--noise", "0.1"},
                                                      {"--surrogate-method", "shift"}};
  for (const std::vector<std::string>& changed : changes) {
    std::vector<std::string> arguments = network(work_to_do);
    arguments.insert(arguments.end(), changed.begin(), changed.end());
    arguments.push_back("--quiet");
    expect_refused(arguments, other);
  }
  write("part", "a,b\n1,2\n");
  std::vector<std::string> arguments = network(work_to_do);
  arguments.push_back("--quiet");
  expect_refused(arguments, "part: is not a checkpoint of a network");
  EXPECT_EQ(read("part"), "a,b\n1,2\n");
}

TEST_F(TeNetwork, ScansDelaysWithACorrectedPValue) {
  const json d = document(network({"--delay", "1..3,5", "--surrogates", "19"}));
  EXPECT_EQ(d["delays"], json::array({1, 2, 3, 5}));
  EXPECT_EQ(d["samples"], 295);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_TRUE(d["delay"][i][i].is_null());
  const json p = document({"te", "pair", "--data", "n.csv", "--source", "v2", "--target", "v5", "--delay",
                           "1..3,5", "--surrogates", "19"});
  EXPECT_EQ(p["te_nats"], d["te_nats"][2][5]);
  EXPECT_EQ(p["delay"], d["delay"][2][5]);
  EXPECT_EQ(p["samples"], 295);
  EXPECT_EQ(p["delays"], d["delays"]);
  double most = p["te_nats_by_delay"][0];
  for (const double value : p["te_nats_by_delay"]) most = std::max(most, value);
  EXPECT_EQ(p["te_nats"], most);
  int hits = 0;
  for (const double value : p["surrogates"]) hits += value >= most;
  EXPECT_EQ(p["p_value"], (1.0 + hits) / 20);
  const Outcome csv = run(network({"--delay", "2,1", "--format", "csv"}));
  EXPECT_TRUE(csv.out.starts_with("source,target,te_nats,samples,delay\nv0,v1,")) << csv.out.substr(0, 80);
  EXPECT_NE(run(network({"--delay", "2,1", "--format", "graphml"})).out.find("<data key=\"delay\">"),
            std::string::npos);
}

TEST_F(TeNetwork, TheReferenceAndTheCutsDecideNothing) {
  const std::vector<std::string> question{"--columns", "v0,v1,v2", "--rows", "80", "--surrogates", "5"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = network(question);
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const json one = document(with({}));
  const json cut = document(with({"--batch", "1", "--threads", "1", "--memory", "200"}));
  const json reference = document(with({"--backend", "reference"}));
  for (const char* key : {"te_nats", "p_value", "effective_te_nats", "significant"}) {
    EXPECT_EQ(one[key], cut[key]) << key;
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) {
        if (i == j) continue;
        if (one[key][i][j].is_boolean())
          EXPECT_EQ(one[key][i][j], reference[key][i][j]);
        else
          EXPECT_NEAR(one[key][i][j].get<double>(), reference[key][i][j].get<double>(), 1e-12) << key;
      }
  }
}

TEST_F(TeNetwork, ADryRunSaysWhatItWouldTakeAndDoesNothing) {
  const std::set<std::string> before = files();
  const json d = document(network({"--delay", "1..4", "--surrogates", "100", "--batch", "3", "--dry-run",
                                   "--checkpoint", "part", "--out", "n.json"}));
  EXPECT_EQ(files(), before);
  EXPECT_EQ(d["dry_run"], true);
  EXPECT_EQ(d["pairs"], 56);
  EXPECT_EQ(d["samples"], 296);
  EXPECT_EQ(d["estimates"], 56 * 4 * 101);
  EXPECT_EQ(d["batches"], 3);
  EXPECT_EQ(d["batch_targets"], 3);
  EXPECT_EQ(d["result_bytes"], 64 * 33);
  EXPECT_GT(d["seconds"], 0.0);
  EXPECT_GT(d["host_bytes"], 0);
  const Outcome text = run(network({"--dry-run"}));
  EXPECT_EQ(text.code, 0);
  EXPECT_TRUE(text.out.starts_with("would estimate 56 ordered pairs of 8 columns, 299 observations each\n"))
      << text.out;
  EXPECT_NE(text.out.find("time: about"), std::string::npos);
  const json pairs = document(network({"--dry-run", "--conditional", "v0"}));
  EXPECT_EQ(pairs["shared"], false);
  EXPECT_EQ(pairs["pairs"], 56);
}

TEST_F(TeNetwork, IntervalsBothWaysAndNoBootstrap) {
  const json jackknife = document(network({"--columns", "0,1", "--ci", "0.9"}));
  const json subsample = document(network({"--columns", "0,1", "--ci", "0.9", "--ci-method", "subsample"}));
  for (const json& d : {jackknife, subsample}) {
    EXPECT_EQ(d["ci"], 0.9);
    EXPECT_LT(d["ci_low"][0][1], d["te_nats"][0][1]);
    EXPECT_GT(d["ci_high"][0][1], d["te_nats"][0][1]);
  }
  EXPECT_NE(jackknife["ci_low"], subsample["ci_low"]);
  expect_refused(network({"--ci", "0.9", "--ci-method", "bootstrap"}),
                 "--ci-method: bootstrap draws observations with replacement; the duplicates are ties, which "
                 "put a nearest-neighbour estimate off by about half a nat; expected jackknife or subsample");
  expect_refused(network({"--ci-method", "subsample"}), "--ci-method: has a meaning only with --ci");
  expect_refused(network({"--ci", "0.9", "--delay", "1..3"}), "--ci: no interval is known for the largest");
}

TEST_F(TeNetwork, RefusesWhatMakesNoSense) {
  expect_refused(network({"--delay", "3..1"}), "--delay: 3..1: expected a range that rises");
  expect_refused(network({"--delay", "1,2,1"}), "--delay: 1 is given twice, expected each once");
  expect_refused(network({"--delay", "1..x"}), "--delay: 'x' is not an integer");
  expect_refused(network({"--delay", "-1..2"}), "--delay: -1 is too small, expected at least 0");
  expect_refused(network({"--delay", "1..1000000000"}), "--delay: more than 1000 delays");
  expect_refused(network({"--delay", "1..2", "--auto-embed", "ais"}),
                 "--auto-embed: looks at a single --delay");
  expect_refused({"te", "embed", "--data", "n.csv", "--source", "v0", "--target", "v1", "--delay", "1..2"},
                 "--delay: '1..2' is not an integer");
  expect_refused(network({"--memory", "0"}), "--memory: 0 is too small");
  expect_refused(network({"--batch", "0"}), "--batch: 0 is too small");
  expect_refused(network({"--checkpoint", "no/such"}), "no such folder 'no'");
}

TEST_F(TeNetwork, RefusesWhatDoesNotFitTheMemoryBeforeItBegins) {
  std::string text;
  for (int column = 0; column < 300; ++column) text += (column ? ",c" : "c") + std::to_string(column);
  text += '\n';
  for (int row = 0; row < 12; ++row)
    for (int column = 0; column < 300; ++column)
      text += std::to_string((row * 7919 + column * 104729) % 1000) + (column == 299 ? "\n" : ",");
  write("wide.csv", text);
  expect_refused({"te", "network", "--data", "wide.csv", "--surrogates", "9", "--memory", "1", "--quiet"},
                 "network: the result of 300 columns needs 2.5 MiB of memory, of which 1.0 MiB may be used");
}

}  // namespace
}  // namespace assay::program
