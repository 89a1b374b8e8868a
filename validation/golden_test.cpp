#include "validation/golden.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/analysis/systems.hpp"
#include "validation/replay.hpp"

namespace assay::validation {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A folder with data A (200 rows) and one case whose published value is known.
class Golden : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("golden-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + "." +
               std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "data");
    const auto table = analysis::coupled_ar1(200, 0.6, 0.5, 0.4, 42).table;
    std::ofstream out(folder_ / "data/a.csv");
    out << "x,y\n";
    for (std::size_t row = 0; row < 200; ++row) {
      out << fmt::format("{:.17g},{:.17g}\n", table.values.as<double>()[2 * row],
                         table.values.as<double>()[2 * row + 1]);
    }
    manifest_ = {{"format_version", 1}, {"units", "nats"}, {"norm", "max"}, {"cases", json::array({item()})}};
  }
  void TearDown() override { fs::remove_all(folder_); }

  static json item() {
    return {{"id", "a"},
            {"measure", "te"},
            {"file", "data/a.csv"},
            {"params",
             {{"k", 4},
              {"algorithm", 1},
              {"normalise", "none"},
              {"theiler", 0},
              {"source", {0}},
              {"target", {1}},
              {"k_history", 1},
              {"k_tau", 1},
              {"l_history", 1},
              {"l_tau", 1},
              {"delay", 1}}},
            {"n_observations", 199},
            {"expected", {{"average", 0.110257587}}},
            {"tolerance_abs", 1e-9}};
  }

  Result<GoldenFolder> read() {
    std::ofstream(folder_ / "manifest.json") << manifest_.dump();
    return read_golden(folder_.string());
  }
  CheckResult run(Backend backend = Backend::cpu) {
    auto folder = read();
    EXPECT_TRUE(folder) << folder.error().message;
    return run_golden_case(folder.value(), folder.value().cases.at(0), backend, {});
  }
  std::string problem() {
    const auto folder = read();
    return folder ? "" : folder.error().message;
  }

  fs::path folder_;
  json manifest_;
};

TEST_F(Golden, HoldsOnCpuAndReference) {
  for (const Backend backend : {Backend::cpu, Backend::reference}) {
    const CheckResult result = run(backend);
    EXPECT_EQ(result.verdict, Verdict::pass) << result.message;
    EXPECT_EQ(result.kind, CheckKind::golden);
    EXPECT_EQ(result.assertions, 2);
    ASSERT_TRUE(result.utilisation.has_value());
    EXPECT_LE(*result.utilisation, 1);
  }
}

TEST_F(Golden, AWrongValueFailsAndReplays) {
  manifest_["cases"][0]["expected"]["average"] = 0.1102576;
  const CheckResult result = run();
  EXPECT_EQ(result.verdict, Verdict::fail);
  EXPECT_NE(result.message.find("average is 0.1102575"), std::string::npos) << result.message;
  ASSERT_TRUE(result.replay.has_value());
  const auto replayed = run_replay(*result.replay, {}, {});
  ASSERT_TRUE(replayed);
  EXPECT_TRUE(replayed.value().same) << replayed.value().summary;
}

TEST_F(Golden, WhatDependsOnTiesIsInformation) {
  manifest_["cases"][0]["expected"]["average"] = 0.2;
  manifest_["cases"][0]["tags"] = {"ties", "order_dependent_ties"};
  const CheckResult result = run();
  EXPECT_EQ(result.verdict, Verdict::pass);
  EXPECT_NE(result.message.find("information: average is"), std::string::npos) << result.message;
}

TEST_F(Golden, AWrongCountOfObservationsFails) {
  manifest_["cases"][0]["n_observations"] = 200;
  EXPECT_EQ(run().message, "n_observations is 199; expected 200");
}

TEST_F(Golden, SurrogatesAndMatricesAreHeld) {
  std::string identity;
  for (int i = 0; i < 199; ++i) identity += (i == 0 ? "" : ",") + std::to_string(i);
  std::ofstream(folder_ / "perm.csv") << identity << "\n";
  manifest_["cases"][0]["permutation_file"] = "perm.csv";
  manifest_["cases"][0]["expected"]["surrogate_averages"] = {0.110257587};
  manifest_["cases"][0]["expected"]["p_value"] = 1.0;
  EXPECT_EQ(run().verdict, Verdict::pass) << run().message;
  manifest_["cases"][0]["expected"]["p_value"] = 0.0;
  EXPECT_NE(run().message.find("p_value is 1"), std::string::npos) << run().message;

  json matrix = item();
  matrix["measure"] = "te_matrix";
  matrix["params"]["variables"] = {0, 1};
  matrix.erase("n_observations");
  matrix["expected"] = {{"matrix_source_by_target", {{nullptr, 0.110257587}, {0.047172532, nullptr}}}};
  manifest_["cases"] = {matrix};
  EXPECT_EQ(run().verdict, Verdict::pass) << run().message;
  manifest_["cases"][0]["expected"]["matrix_source_by_target"][1][0] = 0.05;
  EXPECT_NE(run().message.find("entry [1][0]"), std::string::npos) << run().message;
}

TEST_F(Golden, AnEmptyFolderIsVacuous) {
  const auto without = read_golden((folder_ / "data").string());
  ASSERT_TRUE(without);
  EXPECT_NE(without.value().vacuous.find("holds no manifest.json"), std::string::npos);
  manifest_["cases"] = json::array();
  const auto empty = read();
  ASSERT_TRUE(empty);
  EXPECT_NE(empty.value().vacuous.find("holds no case"), std::string::npos);
}

TEST_F(Golden, RefusalsAreOneLineWithFileAndCase) {
  const std::string file = (folder_ / "manifest.json").string();
  EXPECT_EQ(read_golden("/nonexistent").error().message, "/nonexistent: no such folder of golden data");
  manifest_["cases"][0]["params"]["k"] = "four";
  EXPECT_EQ(problem(), file + ": case 'a', params: 'k' is \"four\"; expected an integer");
  manifest_["cases"][0]["params"].erase("k");
  EXPECT_EQ(problem(), file + ": case 'a', params: 'k' is missing");
  manifest_["cases"] = {item()};
  manifest_["cases"][0]["measure"] = "entropy";
  EXPECT_NE(problem().find("measure 'entropy'; expected te, cte"), std::string::npos) << problem();
  manifest_["cases"] = {item()};
  manifest_["cases"][0]["params"]["normalise"] = "ranks";
  EXPECT_NE(problem().find("normalise 'ranks'"), std::string::npos);
  manifest_["cases"] = {item()};
  manifest_["cases"][0]["file"] = "data/missing.csv";
  EXPECT_NE(problem().find("case 'a': "), std::string::npos) << problem();
  EXPECT_NE(problem().find("missing.csv"), std::string::npos) << problem();
  manifest_["cases"] = {item()};
  manifest_["cases"][0].erase("tolerance_abs");
  EXPECT_EQ(problem(), file + ": case 'a': 'tolerance_abs' is missing");
  manifest_["cases"][0].erase("id");
  EXPECT_EQ(problem(), file + ": case number 0: 'id' is missing");
  manifest_["format_version"] = 9;
  EXPECT_EQ(problem(), file + ": format_version 9; expected 1");
  std::ofstream(folder_ / "manifest.json") << "{\"cases\": [";
  EXPECT_NE(read_golden(folder_.string()).error().message.find("no JSON at byte"), std::string::npos);
}

TEST_F(Golden, ARefusedQuestionFailsTheCase) {
  manifest_["cases"][0]["params"]["target"] = {7};
  const CheckResult result = run();
  EXPECT_EQ(result.verdict, Verdict::fail);
  EXPECT_NE(result.message.find("refused: "), std::string::npos) << result.message;
}

}  // namespace
}  // namespace assay::validation
