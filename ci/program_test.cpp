#include "ci/test_process.hpp"

namespace assay::program {
namespace {

using Program = InFolder;
using Settings = WithSeries;
using nlohmann::json;

TEST_F(Program, UsageErrorsAreOneLineAndExitTwo) {
  expect_refused({}, "assay: a command is required, one of doctor, list");
  expect_refused({"te"}, "assay te: a command is required, one of pair, mi");
  expect_refused({"valdate"}, "unknown command 'valdate', did you mean 'validate'?");
  expect_refused({"te", "netwrk"}, "assay te: unknown command 'netwrk', did you mean 'network'?");
  expect_refused({"--jsn"}, "unknown option '--jsn', did you mean '--json'?");
  expect_refused({"run"}, "assay run: OP is required");
  expect_refused({"run", "te.kn"}, "no operation 'te.kn', did you mean 'te.knn'?");
  expect_refused({"replay", "no.json"}, "no.json: no such file");
  expect_refused({"gate", "--store", "no.sqlite"}, "no.sqlite");
  expect_refused({"validate", "--golden", "no"}, "no such folder");
  expect_refused({"validate", "--cases", "0"}, "--cases: 0 is too small");
  expect_refused({"validate", "--budget", "soon"}, "--budget: 'soon', expected a time");
  expect_refused({"bench", "--store", "no/store.sqlite", "--record"}, "no such folder 'no'");
}

TEST_F(Program, WhatMatchesNothingIsVacuous) {
  fs::create_directory(work() / "empty");
  expect_refused({"validate", "--op", "no.such"}, "matches nothing", 6);
  expect_refused({"bench", "--op", "no.such"}, "matches", 6);
  expect_refused({"list", "--op", "no.such"}, "no operation matches", 6);
  expect_refused({"validate", "--golden", "empty"}, "manifest.json", 6);
  expect_refused({"gate"}, "nothing is recorded yet", 6);
  expect_refused({"history"}, "nothing is recorded yet", 6);
  expect_refused({"baseline", "show"}, "nothing is recorded yet", 6);
}

TEST_F(Program, CalibratesFalseRedsAndGoesOnWhereItEnded) {
  expect_refused({"calibrate", "false-reds", "--op", "no.such"}, "matches no property", 6);
  expect_refused({"calibrate", "replays", "--op", "no.such"}, "no planted fault matches", 6);
  expect_refused({"calibrate", "budget", "--budgets", "soon"}, "--budgets: 'soon', expected times");
  expect_refused({"calibrate", "mechanical", "no.json"}, "no.json: no such file");
  write("score.json", R"({"seed":1,"killed":9,"survived":1,"by_file":{"a.cpp":{"killed":9,"survived":1}}})");
  write("other.json", R"({"seed":1})");
  expect_refused({"calibrate", "mechanical", "other.json"}, "not a result of validation/mechanical");
  EXPECT_EQ(document({"calibrate", "mechanical", "score.json", "--store", "s.sqlite"})["score"], 0.9);

  // A store that belongs to a commit goes on where it ended: nothing is drawn twice.
  const std::map<std::string, std::string> commit{{"ASSAY_COMMIT", "0123456789ab"}};
  const auto count = [&](const std::string& cases) {
    return document({"calibrate", "false-reds", "--op", "te.digamma", "--backend", "cpu", "--cases", cases,
                     "--store", "s.sqlite"},
                    commit);
  };
  const json first = count("30");
  ASSERT_EQ(first["families"].size(), 1u);
  const int cases = first["families"][0]["cases"];
  EXPECT_GE(cases, 30);
  EXPECT_EQ(first["families"][0]["reds"], 0);
  EXPECT_GT(first["families"][0]["rate_upper_bound_95"], 0.0);
  const json again = count("30");
  EXPECT_EQ(again["calibrations"].size(), 0u);
  EXPECT_EQ(again["families"][0]["cases"], cases);
  const json more = count("60");
  EXPECT_GE(more["families"][0]["cases"], 60);
  for (const json& item : more["calibrations"]) EXPECT_EQ(item["notes"]["first_turn"], "1");
}

TEST_F(Program, CountsFiltersBesideTheReference) {
  expect_refused({"calibrate", "filters", "--op", "sampling.top"}, "matches no filter, expected some of", 6);
  expect_refused({"calibrate", "filters", "--backend", "reference"}, "it is what they are compared with");
  const json counted =
      document({"calibrate", "filters", "--cases", "2000", "--backend", "cpu", "--store", "s.sqlite"});
  ASSERT_EQ(counted["filters"].size(), 4u);
  for (const json& item : counted["filters"]) {
    EXPECT_EQ(item["cases"], 2000);
    EXPECT_EQ(item["differing"], item["differing_among_close"]);
    EXPECT_LE(item["differing_among_close"], item["close_calls"]);
    if (item["operation"] == "sampling.top_k") {
      EXPECT_EQ(item["close_calls"], 0);
      continue;
    }
    // What is put at a threshold is a close call but where nothing is decided there (p of 1 keeps all).
    EXPECT_GT(item["at_threshold"]["cases"], 100);
    EXPECT_GT(item["at_threshold"]["close_calls"], 100);
  }
  const json again = document({"calibrate", "filters", "--cases", "2000", "--backend", "cpu", "--store",
                               "s.sqlite", "--threads", "1"});
  EXPECT_EQ(again["filters"], counted["filters"]);
}

TEST_F(Program, PlantedFailuresReplayBitForBit) {
  const json replays =
      document({"calibrate", "replays", "--op", "te.ksg.stale_surrogate,te.digamma.later_chunks_lost",
                "--backend", "cpu", "--count", "4", "--store", "s.sqlite"});
  EXPECT_GE(replays["replayed"], 4);
  EXPECT_EQ(replays["same"], replays["replayed"]);
  EXPECT_EQ(replays["shrunk_in_time"], replays["replayed"]);
  // What has more than 64 non-zeros is listed; psi takes no 0, so that a fault beyond 4,096 arguments needs
  // them.
  ASSERT_GE(replays["more_than_64_non_zeros"].size(), 1u);
  for (const json& dense : replays["more_than_64_non_zeros"]) {
    EXPECT_EQ(dense["fault"], "te.digamma.later_chunks_lost");
    EXPECT_EQ(dense["non_zeros"], 4097);
    EXPECT_NE(dense["because"], "");
  }
}

TEST_F(Program, HelpAndVersion) {
  const Outcome version = run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_TRUE(version.out.starts_with("assay "));
  EXPECT_NE(run({"--help"}).out.find("Usage: assay [OPTIONS]"), std::string::npos);
  EXPECT_NE(run({"te", "pair", "--help"}).out.find("Usage: assay te pair [OPTIONS]"), std::string::npos);
  for (const auto& command : std::vector<std::vector<std::string>>{{},
                                                                   {"doctor"},
                                                                   {"list"},
                                                                   {"run"},
                                                                   {"validate"},
                                                                   {"replay"},
                                                                   {"bench"},
                                                                   {"gate"},
                                                                   {"history"},
                                                                   {"baseline", "show"},
                                                                   {"baseline", "promote"},
                                                                   {"mutate"},
                                                                   {"brief"},
                                                                   {"compare"},
                                                                   {"aa"},
                                                                   {"calibrate", "false-reds"},
                                                                   {"calibrate", "replays"},
                                                                   {"calibrate", "budget"},
                                                                   {"calibrate", "exploits"},
                                                                   {"calibrate", "mechanical"},
                                                                   {"calibrate", "filters"},
                                                                   {"report"},
                                                                   {"nightly"},
                                                                   {"te", "pair"},
                                                                   {"te", "mi"},
                                                                   {"te", "cmi"},
                                                                   {"te", "ais"},
                                                                   {"te", "network"},
                                                                   {"te", "embed"},
                                                                   {"te", "generate"}}) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    const Outcome help = run(arguments);
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.out.find("Examples:"), std::string::npos) << arguments.front();
    EXPECT_EQ(help.err, "");
  }
  const Outcome operation = run({"run", "te.knn", "--help"});
  EXPECT_EQ(operation.code, 0);
  for (const char* word : {"points", "trial_lengths", "theiler_window", "distances", "indices"}) {
    EXPECT_NE(operation.out.find(word), std::string::npos) << word;
  }
}

TEST_F(Program, ListAndDoctorAsJson) {
  const json list = document({"list"});
  std::set<std::string> names;
  for (const auto& operation : list["operations"]) {
    names.insert(operation["name"]);
    for (const char* key : {"backends", "parameters", "properties", "benchmark_cases", "inputs", "outputs"}) {
      EXPECT_TRUE(operation.contains(key)) << key;
    }
    EXPECT_FALSE(operation["properties"].empty()) << operation["name"];
  }
  for (const char* name : {"te.embed", "te.knn", "te.range_count", "te.digamma", "te.ksg", "dense.softmax"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  const json doctor = document({"doctor"});
  for (const char* key : {"environment", "fingerprint", "cpu_features", "devices", "libraries", "findings"}) {
    EXPECT_TRUE(doctor.contains(key)) << key;
  }
}

TEST_F(Program, RunOnArraysOfTheUser) {
  // x = 1, 10 as float64 in .npy; psi(1) = -0.57721.., psi(10) = 2.25175..
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
  header += std::string(117 - header.size(), ' ') + "\n";
  const double values[2] = {1, 10};
  write("x.npy", std::string("\x93NUMPY\x01\0\x76\0", 10) + header +
                     std::string(reinterpret_cast<const char*>(values), 16));
  for (const char* backend : {"cpu", "reference"}) {
    const json d =
        document({"run", "te.digamma", "--in", "x=x.npy", "--out", "psi=psi.npy", "--backend", backend});
    EXPECT_EQ(d["backend"], backend);
    EXPECT_EQ(d["outputs"]["psi"]["shape"], json::array({2}));
    const std::string written = read("psi.npy");
    double psi[2];
    ASSERT_EQ(written.size(), 128U + 16U);
    std::copy_n(written.data() + 128, 16, reinterpret_cast<char*>(psi));
    EXPECT_NEAR(psi[0], -0.57721566490153286, 1e-14);
    EXPECT_NEAR(psi[1], 2.2517525890667211, 1e-14);
  }
  expect_refused({"run", "te.digamma", "--in", "y=x.npy"}, "--in: no input 'y' (expected x)");
  expect_refused({"run", "te.digamma", "--in", "x"}, "--in: 'x', expected NAME=FILE.npy");
  expect_refused({"run", "te.digamma"}, "x");
  expect_refused({"run", "te.digamma", "--in", "x=x.npy", "--set", "k=3"}, "no parameter 'k'");
  expect_refused({"run", "te.knn", "--in", "points=x.npy", "--set", "k=3"}, "points");
  expect_refused({"run", "te.digamma", "--in", "x=x.npy", "--out", "psi=no/psi.npy"}, "no such folder");
}

TEST_F(Program, ValidateRecordsReplaysAndGates) {
  const std::vector<std::string> store{"--store", "s.sqlite"};
  const auto stored = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), store.begin(), store.end());
    return arguments;
  };
  const json d = document(stored({"validate", "--op", "te.digamma", "--cases", "3", "--junit", "j.xml"}));
  EXPECT_EQ(d["exit_code"], 0);
  EXPECT_FALSE(d["checks"].empty());
  for (const auto& check : d["checks"]) EXPECT_EQ(check["operation"], "te.digamma");
  EXPECT_NE(read("j.xml").find("<testsuite"), std::string::npos);
  expect_refused(stored({"validate", "--only-failed"}), "nothing failed in the last run", 6);
  EXPECT_EQ(document(stored({"history"}))["runs"].size(), 1U);
  EXPECT_EQ(run(stored({"gate"})).code, 6);
  EXPECT_EQ(document(stored({"baseline", "promote"}))["run"], d["run"]);
  EXPECT_EQ(document(stored({"baseline", "show"}))["baselines"].size(), 1U);
  EXPECT_EQ(run(stored({"report", "--out", "report"})).code, 0);
  for (const char* name : {"index.html", "summary.md", "report.json", "junit.xml", "metrics.prom"}) {
    EXPECT_TRUE(fs::exists(work() / "report" / name)) << name;
  }
}

TEST_F(Program, AWrongGoldenCaseIsRedAndCanBeReplayed) {
  fs::create_directories(work() / "golden" / "data");
  write("golden/data/a.csv", "x,y\n0.5,1\n2,-1\n-1.5,3\n0.25,0\n1,2.5\n-2,0.75\n3,1.25\n0,-2\n");
  const auto manifest = [&](double average) {
    nlohmann::json item{
        {"id", "mi_wrong"},
        {"measure", "mi"},
        {"file", "data/a.csv"},
        {"params",
         {{"k", 2}, {"algorithm", 1}, {"normalise", "none"}, {"theiler", 0}, {"x", {0}}, {"y", {1}}}},
        {"n_rows", 8},
        {"n_observations", 8},
        {"expected", {{"average", average}}},
        {"tolerance_abs", 1e-9}};
    nlohmann::json document{{"format_version", 1}, {"units", "nats"}, {"norm", "max"}, {"cases", {item}}};
    write("golden/manifest.json", document.dump());
  };
  manifest(12);
  const Outcome wrong =
      run({"validate", "--golden", "golden", "--backend", "cpu", "--store", "s.sqlite", "--json"});
  EXPECT_EQ(wrong.code, 3) << wrong.err;
  const json d = json::parse(wrong.out, nullptr, false);
  ASSERT_EQ(d["checks"].size(), 1U) << wrong.out;
  EXPECT_EQ(d["checks"][0]["verdict"], "fail");
  const std::string replay = d["checks"][0]["replay"];
  EXPECT_TRUE(fs::exists(work() / replay)) << replay;
  const Outcome again = run({"replay", replay});
  EXPECT_EQ(again.code, 3) << again.err;
  EXPECT_NE(again.out.find("mi_wrong"), std::string::npos);
  EXPECT_EQ(
      run({"validate", "--golden", "golden", "--backend", "cpu", "--only-failed", "--store", "s.sqlite"})
          .code,
      3);
  EXPECT_EQ(run({"gate", "--store", "s.sqlite"}).code, 3);
  const double value = document({"te", "mi", "--data", "golden/data/a.csv", "--x", "0", "--y", "1", "--k",
                                 "2", "--normalise", "none"})["value_nats"];
  manifest(value);
  EXPECT_EQ(run({"validate", "--golden", "golden", "--store", "s.sqlite"}).code, 0);
  EXPECT_EQ(run({"replay", replay}).code, 0);
}

TEST_F(Program, BenchRecordsWhatItMeasured) {
  const json d = document({"bench", "--op", "te.digamma", "--quick", "--seconds", "0.02", "--record",
                           "--store", "s.sqlite", "--backend", "cpu"});
  ASSERT_FALSE(d["benchmarks"].empty());
  for (const auto& item : d["benchmarks"]) {
    EXPECT_EQ(item["operation"], "te.digamma");
    EXPECT_GT(item["median_ns"], 0);
    EXPECT_EQ(item["checked"], true);
  }
  const json history = document({"history", "te.digamma", "--store", "s.sqlite"});
  EXPECT_EQ(history["benchmarks"].size(), d["benchmarks"].size());
  EXPECT_NE(run({"history", "te.digamma", "--store", "s.sqlite"}).out.find("medians in ms"),
            std::string::npos);
  expect_refused({"history", "te.none", "--store", "s.sqlite"}, "nothing is stored of 'te.none'", 6);
  expect_refused({"bench", "--backend", "reference"}, "the reference is never measured");
}

TEST_F(Program, PlantedFaultsAreCaught) {
  if (!fs::exists(program_path().parent_path() / "assay-mutants"))
    GTEST_SKIP() << "assay-mutants is not built";
  const json d = document({"mutate", "--op", "te.digamma", "--record", "--store", "s.sqlite"});
  EXPECT_GT(d["total"], 0);
  EXPECT_EQ(d["caught"], d["total"]);
  expect_refused({"mutate", "--op", "no.such"}, "no", 6);
}

TEST_F(Program, AMissingDeviceCatchesNoFault) {
  if (!fs::exists(program_path().parent_path() / "assay-mutants"))
    GTEST_SKIP() << "assay-mutants is not built";
  const std::map<std::string, std::string> nowhere{{"ASSAY_REQUIRE", "cuda"}, {"CUDA_VISIBLE_DEVICES", ""}};
  const Outcome outcome = run({"mutate", "--op", "te.digamma.cuda_*", "--json"}, nowhere);
  EXPECT_EQ(outcome.code, 7) << outcome.out;
  EXPECT_EQ(json::parse(outcome.out)["caught"], 0);
}

TEST_F(Program, NightlyRecordsItsBaselineAndReports) {
  const std::vector<std::string> nightly{"nightly",   "--quick", "--op",    "te.digamma",
                                         "--budget",  "2s",      "--store", "s.sqlite",
                                         "--backend", "cpu",     "--out",   "report"};
  const json first = document(nightly);
  EXPECT_EQ(first["exit_code"], 0);
  EXPECT_EQ(first["baseline"], "");
  EXPECT_NE(first["baseline_note"].get<std::string>().find("recorded"), std::string::npos);
  EXPECT_EQ(document({"baseline", "show", "--store", "s.sqlite"})["baselines"][0]["run"], first["run"]);
  EXPECT_NE(read("report/index.html").find("te.digamma"), std::string::npos);
  // A second run is compared with the first. Times may differ on a busy machine; the answers may not.
  const Outcome second = run(nightly);
  EXPECT_TRUE(second.code == 0 || second.code == 4 || second.code == 7) << second.code << second.err;
  EXPECT_NE(second.out.find("Compared with run " + first["run"].get<std::string>().substr(0, 8)),
            std::string::npos)
      << second.out;
  EXPECT_NE(second.out.find("report: report/index.html"), std::string::npos);
}

TEST_F(Settings, FlagsWinOverVariablesWhichWinOverTheFile) {
  write("c.toml", "seed = 3\n[te.pair]\nk = 6\nk_history = 2\n[te]\nk = 7\n[te.mi]\nk = 9\n");
  const std::vector<std::string> pair{"te", "pair",     "--data", "a.csv",    "--source",
                                      "0",  "--target", "1",      "--config", "c.toml"};
  const json file = document(pair);
  EXPECT_EQ(file["k"], 6);
  EXPECT_EQ(file["k_history"], 2);
  EXPECT_EQ(file["seed"], 3);
  EXPECT_EQ(document(pair, {{"ASSAY_K", "5"}})["k"], 5);
  std::vector<std::string> flagged = pair;
  flagged.insert(flagged.end(), {"--k", "3"});
  EXPECT_EQ(document(flagged, {{"ASSAY_K", "5"}})["k"], 3);
  EXPECT_EQ(
      document({"te", "mi", "--data", "a.csv", "--x", "0", "--y", "1"}, {{"ASSAY_CONFIG", "c.toml"}})["k"],
      9);
  const Outcome quiet =
      run({"te", "pair", "--data", "a.csv", "--source", "0", "--target", "1"}, {{"ASSAY_JSON", "1"}});
  EXPECT_TRUE(json::accept(quiet.out));
}

TEST_F(Settings, MistakesInThemAreRefusedWithTheirPlace) {
  const std::vector<std::string> pair{"te", "pair",     "--data", "a.csv",    "--source",
                                      "0",  "--target", "1",      "--config", "c.toml"};
  expect_refused(pair, "c.toml: no such file");
  write("c.toml", "[te.pair]\nk_histry = 2\n");
  expect_refused(pair, "c.toml: line 2, te.pair.k_histry: no such setting, did you mean 'k-history'?");
  write("c.toml", "[tea]\nk = 2\n");
  expect_refused(pair, "c.toml: line 1, tea: no command of that name");
  write("c.toml", "k = = 2\n");
  expect_refused(pair, "c.toml: line 1, column");
  write("c.toml", "k = 'many'\n");
  expect_refused(pair, "c.toml: line 1, k: 'many' is not an integer");
  write("c.toml", "k = 4\n");
  expect_refused(pair, "ASSAY_K: 'x' is not an integer", 2, {{"ASSAY_K", "x"}});
}

}  // namespace
}  // namespace assay::program
