#include <chrono>
#include <cmath>
#include <limits>

#include "ci/test_process.hpp"

namespace assay::program {
namespace {

using Te = WithSeries;
using nlohmann::json;

/// What the time of an instrumented build says nothing about.
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr double most_seconds = 2.0;
#else
constexpr double most_seconds = 60.0;
#endif

const std::vector<std::string> pair{"te", "pair", "--data", "a.csv", "--source", "x", "--target", "y"};

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> on(const std::string& file) {
  return {"te", "pair", "--data", file, "--source", "x", "--target", "y"};
}

TEST_F(Te, RefusesFilesThatCannotBeRead) {
  write("bad.csv", "x,y\n1,2\n3,4\n\n# note\n5,abc\n");
  write("ragged.csv", "x,y\n1,2\n3\n");
  write("empty.csv", "");
  write("nan.csv", "x,y\n1,2\nNaN,4\n");
  write("inf.csv", "x,y\n1,2\n3,1e999\n");
  write("gap.csv", "x,y\n1,2\n,4\n");
  write("pickle.npy", std::string("\x93NUMPY\x01\0\x3a\0", 10) +
                          "{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }");
  write("short.npy", std::string("\x93NUMPY\x01\0\x3b\0", 10) +
                         "{'descr': '<f8', 'fortran_order': False, 'shape': (9, 2), }");
  expect_refused(on("bad.csv"), "assay te pair: bad.csv: line 6, column 2 (y): 'abc' is not a number");
  expect_refused(on("ragged.csv"), "ragged.csv: line 3: a row of 1 field, expected 2");
  expect_refused(on("empty.csv"), "empty.csv: is empty");
  expect_refused(on("nan.csv"), "nan.csv: line 3, column 1 (x): 'NaN' is not finite");
  expect_refused(on("inf.csv"), "inf.csv: line 3, column 2 (y): '1e999' is not finite");
  expect_refused(on("gap.csv"), "gap.csv: line 3, column 1 (x): an empty field, expected a number");
  expect_refused(on("missing.csv"), "missing.csv: no such file");
  expect_refused(on("."), ".: is a directory, expected a file");
  expect_refused(on("pickle.npy"), "pickle.npy: elements of type '|O' are pickled Python objects");
  expect_refused(on("short.npy"), "short.npy: shape (9, 2) of f64 needs 144 bytes, the file has 0");
}

TEST_F(Te, RefusesColumnsAndOptionsThatAreNotThere) {
  expect_refused({"te", "pair", "--data", "a.csv", "--source", "price", "--target", "y"},
                 "--source: a.csv: no column 'price' (it has 2: x, y)");
  expect_refused({"te", "pair", "--data", "a.csv", "--source", "x", "--target", "7"},
                 "--target: a.csv: no column '7'");
  expect_refused({"te", "pair", "--data", "a.csv", "--source", "x", "--target", "-1"}, "no column '-1'");
  expect_refused({"te", "pair", "--data", "a.csv", "--source", "x,x", "--target", "y"},
                 "column 'x' is named twice");
  expect_refused({"te", "pair", "--data", "a.csv", "--source", "x"}, "--target COL,.. is required");
  expect_refused({"te", "pair", "--source", "x", "--target", "y"}, "--data FILE is required");
  expect_refused(with(pair, {"--bogus", "3"}), "unknown option '--bogus'");
  expect_refused(with(pair, {"--theilr", "3"}), "unknown option '--theilr', did you mean '--theiler'?");
  expect_refused(with(pair, {"more"}), "unexpected argument 'more'");
  expect_refused(with(pair, {"--k"}), "--k: 1 required N missing");
  expect_refused(with(pair, {"--trial-column", "t"}), "--trial-column: a.csv: no column 't'");
  expect_refused({"te", "network", "--data", "a.csv", "--columns", "x"}, "1 column, expected at least two");
  write("twice.csv", "x,x,y\n1,2,3\n");
  expect_refused(on("twice.csv"), "several columns are named 'x'");
}

TEST_F(Te, RefusesNumbersThatMakeNoSense) {
  expect_refused(with(pair, {"--k", "0"}), "--k: 0 is too small, expected at least 1");
  expect_refused(with(pair, {"--k", "-2"}), "--k: -2 is too small");
  expect_refused(with(pair, {"--k", "four"}), "--k: 'four' is not an integer");
  expect_refused(with(pair, {"--k", "4.5"}), "--k: '4.5' is not an integer");
  expect_refused(with(pair, {"--k", "399"}), "too few observations: 400 rows make 399");
  expect_refused(with(pair, {"--k", "99999999999999999999"}), "is not an integer, or one too large");
  expect_refused(with(pair, {"--theiler", "200"}), "too few observations");
  expect_refused(with(pair, {"--theiler", "9223372036854775807"}),
                 "--theiler: 9223372036854775807 is too large");
  expect_refused(with(pair, {"--k-history", "1000000"}), "too few observations: 400 rows make 0");
  expect_refused(with(pair, {"--k-history", "1000000000", "--k-tau", "1000000000"}), "too few observations");
  expect_refused(with(pair, {"--l-history", "0"}), "--l-history: 0 is too small");
  expect_refused(with(pair, {"--k-tau", "0"}), "--k-tau: 0 is too small");
  expect_refused(with(pair, {"--delay", "-1"}), "--delay: -1 is too small");
  expect_refused(with(pair, {"--surrogates", "1e12"}), "--surrogates: '1e12' is not an integer");
  expect_refused(with(pair, {"--surrogates", "1000000000000"}), "--surrogates: 1000000000000 is too large");
  expect_refused(with(pair, {"--algorithm", "3"}), "--algorithm: 3 is too large, expected at most 2");
  expect_refused(with(pair, {"--normalise", "rows"}),
                 "--normalise: 'rows' is not known, expected columns, series, none");
  expect_refused(with(pair, {"--noise", "-1"}), "--noise: -1 is too small");
  expect_refused(with(pair, {"--noise", "nan"}), "--noise: 'nan' is not finite");
  expect_refused(with(pair, {"--rows", "0"}), "--rows: 0 is too small");
  expect_refused(with(pair, {"--rows", "3"}), "too few observations: 3 rows");
  expect_refused(with(pair, {"--seed", "-1"}), "--seed: '-1' is not an integer from 0");
  expect_refused(with(pair, {"--threads", "1000000"}), "--threads: 1000000 is too large");
  expect_refused(with(pair, {"--conditional", "x", "--cond-delay", "1,2"}),
                 "cond-delay: 2 entries, expected one");
  expect_refused(with(pair, {"--auto-embed", "best"}), "--auto-embed: 'best' is not known, expected ragwitz");
  expect_refused(with(pair, {"--k-search-max", "4"}), "--k-search-max: has a meaning only with --auto-embed");
  expect_refused({"te", "network", "--data", "a.csv", "--fdr", "2"},
                 "--fdr: 2 is out of range, expected 0 to 1");
  expect_refused({"te", "network", "--data", "a.csv", "--ci", "1"},
                 "--ci: expected a confidence between 0 and 1");
  expect_refused({"te", "embed", "--data", "a.csv", "--series", "x", "--history", "1000000"}, "too few rows");
  expect_refused({"te", "generate", "--system", "ar1", "--rows", "1000000000000"},
                 "--rows: 1000000000000 is too large");
  expect_refused({"te", "generate", "--system", "ar1", "--variables", "5"},
                 "--variables: the system 'ar1' has columns of its own");
  expect_refused({"te", "generate", "--system", "lorenz96", "--variables", "3"},
                 "--variables: 3 is too small, expected at least 4");
  expect_refused({"te", "generate", "--system", "chaos"}, "--system: 'chaos' is not known, expected data-a");
}

TEST_F(Te, RefusesPermutationsThatAreNone) {
  const auto permuted = [&](const std::string& text) {
    write("p.csv", text);
    return with(pair, {"--permutations", "p.csv", "--rows", "5", "--k", "1"});
  };
  expect_refused(permuted("0,1,2,3\n1,1,2,3\n"),
                 "p.csv: line 2, column 2: 1 comes twice, expected a permutation of 0 to 3");
  expect_refused(permuted("0,1,2,4\n"), "p.csv: line 1, column 4: 4 is not an index");
  expect_refused(permuted("# one\n\n0,1,2,0.5\n"), "p.csv: line 3, column 4: 0.5 is not an index");
  expect_refused(permuted("0,1,2\n"), "permutation");
  expect_refused(with(permuted("0,1,2,3\n"), {"--surrogates", "2"}),
                 "--surrogates: 2 asked for, p.csv holds 1");
}

TEST_F(Te, RefusesBackendsAndOutputsThatAreNotThere) {
  expect_refused(with(pair, {"--backend", "gpu"}), "--backend: 'gpu' is not known");
  expect_refused({"te", "network", "--data", "a.csv", "--out", "no/such/n.json"}, "no such folder 'no/such'");
  expect_refused({"te", "network", "--data", "a.csv", "--out", "n.png"},
                 "n.png: expected a name that ends with");
  expect_refused({"te", "network", "--data", "a.csv", "--format", "npy"}, "npy needs --out");
  expect_refused({"te", "generate", "--system", "ar1", "--json"}, "--out FILE is required");
  expect_refused({"te", "generate", "--system", "ar1", "--out", "."}, "is a directory");
}

TEST_F(Te, PairAsJson) {
  const json d = document(with(pair, {"--surrogates", "19", "--local"}));
  for (const char* key :
       {"te_nats", "te_bits", "samples", "k", "algorithm", "backend", "device", "elapsed_ms", "p_value",
        "p_value_raw", "surrogate_mean", "surrogate_std", "surrogates", "effective_te_nats", "local_nats"}) {
    EXPECT_TRUE(d.contains(key)) << key;
  }
  EXPECT_EQ(d["samples"], 399);
  EXPECT_EQ(d["k"], 4);
  EXPECT_EQ(d["algorithm"], 1);
  EXPECT_EQ(d["source"], json::array({"x"}));
  const double value = d["te_nats"];
  EXPECT_NEAR(value, 0.092, 0.08);
  EXPECT_DOUBLE_EQ(d["te_bits"], value / std::log(2.0));
  ASSERT_EQ(d["surrogates"].size(), 19U);
  double sum = 0;
  int hits = 0;
  for (const double s : d["surrogates"]) {
    sum += s;
    hits += s >= value;
  }
  EXPECT_NEAR(d["surrogate_mean"], sum / 19, 1e-12);
  EXPECT_DOUBLE_EQ(d["p_value"], (1 + hits) / 20.0);
  EXPECT_DOUBLE_EQ(d["p_value_raw"], hits / 19.0);
  EXPECT_NEAR(d["effective_te_nats"], value - sum / 19, 1e-12);
  ASSERT_EQ(d["local_nats"].size(), 399U);
  double local = 0;
  for (const double v : d["local_nats"]) local += v;
  EXPECT_NEAR(local / 399, value, 1e-12);
}

TEST_F(Te, TheReferenceAgreesAndSeedsAndThreadsDecideNothingElse) {
  const json cpu = document(with(pair, {"--surrogates", "10", "--threads", "1", "--seed", "7"}));
  const json two = document(with(pair, {"--surrogates", "10", "--threads", "2", "--seed", "7"}));
  const json reference =
      document(with(pair, {"--surrogates", "10", "--backend", "reference", "--seed", "7"}));
  const json other = document(with(pair, {"--surrogates", "10", "--seed", "8"}));
  EXPECT_EQ(cpu["te_nats"], two["te_nats"]);
  EXPECT_EQ(cpu["surrogates"], two["surrogates"]);
  EXPECT_NE(cpu["surrogates"], other["surrogates"]);
  EXPECT_EQ(reference["backend"], "reference");
  EXPECT_NEAR(cpu["te_nats"].get<double>(), reference["te_nats"].get<double>(), 1e-12);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_NEAR(cpu["surrogates"][i].get<double>(), reference["surrogates"][i].get<double>(), 1e-12);
  }
}

TEST_F(Te, GivenPermutationsAreUsed) {
  std::string identity;
  for (int i = 0; i < 399; ++i) identity += (i ? "," : "") + std::to_string(i);
  write("p.csv", identity + "\n" + identity + "\n");
  const json d = document(with(pair, {"--permutations", "p.csv"}));
  EXPECT_EQ(d["surrogates"], json::array({d["te_nats"], d["te_nats"]}));
  EXPECT_EQ(d["p_value"], 1.0);
}

TEST_F(Te, ColumnsByNameAndNumberAndEveryDialectAreTheSame) {
  const json named = document(pair);
  const json numbered = document({"te", "pair", "--data", "a.csv", "--source", "0", "--target", "1"});
  EXPECT_EQ(named["te_nats"], numbered["te_nats"]);
  std::string text = read("a.csv");
  std::replace(text.begin(), text.end(), ',', ';');
  write("s.csv", "\xef\xbb\xbf# exported\r\n" + text.substr(0, text.find('\n')) + "\r\n" +
                     text.substr(text.find('\n') + 1));
  EXPECT_EQ(document(on("s.csv"))["te_nats"], named["te_nats"]);
  ASSERT_EQ(run({"te", "embed", "--data", "a.csv", "--series", "x,y", "--out", "a.npy"}).code, 0);
  EXPECT_EQ(document({"te", "pair", "--data", "a.npy", "--source", "0", "--target", "1"})["te_nats"],
            named["te_nats"]);
}

TEST_F(Te, ColumnsThatAreNotUsedMayHoldAnything) {
  write("days.csv", "day,x,y\nmon,1,2\ntue,2,1\nwed,3,5\nthu,4,4\nfri,7,1\nsat,0,3\n");
  EXPECT_EQ(document({"te", "mi", "--data", "days.csv", "--x", "x", "--y", "y", "--k", "1"})["samples"], 6);
}

TEST_F(Te, MutualInformationAndStorageAsJson) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"te", "mi", "--data", "a.csv", "--x", "x", "--y", "y"},
           {"te", "cmi", "--data", "a.csv", "--x", "x", "--y", "0", "--z", "y", "--noise", "1e-6"},
           {"te", "ais", "--data", "a.csv", "--series", "y", "--surrogates", "5"}}) {
    const json d = document(arguments);
    for (const char* key :
         {"value_nats", "te_bits", "samples", "k", "algorithm", "backend", "device", "elapsed_ms"}) {
      EXPECT_TRUE(d.contains(key)) << arguments[1] << " " << key;
    }
  }
}

TEST_F(Te, AutomaticEmbeddingSaysWhatItChose) {
  const json d =
      document(with(pair, {"--auto-embed", "ais-te", "--k-search-max", "2", "--tau-search-max", "2"}));
  for (const char* key : {"k_history", "k_tau", "l_history", "l_tau"}) {
    ASSERT_TRUE(d.contains(key));
    EXPECT_GE(d[key], 1);
    EXPECT_LE(d[key], 2);
  }
  const json again =
      document(with(pair, {"--k-history", d["k_history"].dump(), "--k-tau", d["k_tau"].dump(), "--l-history",
                           d["l_history"].dump(), "--l-tau", d["l_tau"].dump()}));
  EXPECT_EQ(again["te_nats"], d["te_nats"]);
}

TEST_F(Te, TrialsAreKeptApart) {
  std::string text = "trial,x,y\n";
  for (int i = 0; i < 40; ++i) {
    text += std::to_string(i / 10) + "," + std::to_string((i * 37 % 101) / 7.0) + "," +
            std::to_string((i * 53 % 97) / 3.0) + "\n";
  }
  write("t.csv", text);
  EXPECT_EQ(document({"te", "pair", "--data", "t.csv", "--source", "x", "--target", "y", "--trial-column",
                      "trial"})["samples"],
            36);
  write("back.csv", "trial,x,y\n1,1,1\n2,2,2\n1,3,3\n");
  expect_refused(with(on("back.csv"), {"--trial-column", "trial"}), "trial");
}

TEST_F(Te, AConstantColumnIsComputedWithAWarning) {
  std::string text = "x,y\n";
  for (int i = 0; i < 50; ++i) text += "2," + std::to_string(i * 37 % 101) + "\n";
  write("c.csv", text);
  const Outcome outcome = run(with(on("c.csv"), {"--json"}));
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("warning: c.csv: column 0 (x) is constant"), std::string::npos) << outcome.err;
  EXPECT_TRUE(json::accept(outcome.out));
  EXPECT_EQ(run(with(on("c.csv"), {"--json", "--quiet"})).err, "");
}

TEST_F(Te, PlainWordsExplainTheNumber) {
  const Outcome forward = run(with(pair, {"--surrogates", "99"}));
  EXPECT_NE(forward.out.find("transfer entropy, x -> y: "), std::string::npos);
  EXPECT_NE(forward.out.find(" bits"), std::string::npos);
  EXPECT_NE(forward.out.find(" reach the value)"), std::string::npos) << forward.out;
  EXPECT_NE(forward.err.find("seed 1"), std::string::npos);
  // Independent data: some seed among these gives a negative estimate, and it is explained.
  bool negative = false;
  for (int seed = 1; seed < 10 && !negative; ++seed) {
    ASSERT_EQ(run({"te", "generate", "--system", "independent", "--rows", "200", "--seed",
                   std::to_string(seed), "--out", "i.csv"})
                  .code,
              0);
    const Outcome outcome = run({"te", "pair", "--data", "i.csv", "--source", "0", "--target", "1"});
    negative = outcome.out.find(": -0.") != std::string::npos &&
               outcome.out.find("never negative") != std::string::npos;
  }
  EXPECT_TRUE(negative);
}

TEST_F(Te, NetworkInEveryFormat) {
  ASSERT_EQ(
      run({"te", "generate", "--system", "network", "--variables", "3", "--rows", "300", "--out", "n.csv"})
          .code,
      0);
  const std::vector<std::string> network{"te",           "network", "--data", "n.csv",
                                         "--surrogates", "9",       "--ci",   "0.9"};
  const json d = document(network);
  EXPECT_EQ(d["columns"], json::array({"v0", "v1", "v2"}));
  for (const char* key : {"te_nats", "p_value", "effective_te_nats", "significant", "ci_low", "ci_high"}) {
    ASSERT_EQ(d[key].size(), 3U) << key;
    for (std::size_t i = 0; i < 3; ++i) {
      ASSERT_EQ(d[key][i].size(), 3U);
      EXPECT_TRUE(d[key][i][i].is_null());
      EXPECT_FALSE(d[key][i][(i + 1) % 3].is_null());
    }
  }
  for (const char* key : {"samples", "k", "algorithm", "backend", "device", "elapsed_ms"})
    EXPECT_TRUE(d.contains(key));
  EXPECT_EQ(document({"te", "pair", "--data", "n.csv", "--source", "v0", "--target", "v2"})["te_nats"],
            d["te_nats"][0][2]);
  const Outcome csv = run(with(network, {"--format", "csv"}));
  EXPECT_TRUE(csv.out.starts_with(
      "source,target,te_nats,samples,p_value,effective_te_nats,significant,ci_low,ci_high\n"));
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 7);
  EXPECT_EQ(run({"te", "network", "--data", "n.csv", "--out", "n.graphml"}).code, 0);
  EXPECT_NE(read("n.graphml").find("<edge source=\"n0\" target=\"n1\">"), std::string::npos);
  EXPECT_EQ(run({"te", "network", "--data", "n.csv", "--out", "n.npy"}).code, 0);
  EXPECT_EQ(fs::file_size(work() / "n.npy"), 128U + 72U);
  EXPECT_EQ(run({"te", "network", "--data", "n.csv", "--out", "n.json"}).code, 0);
  EXPECT_EQ(json::parse(read("n.json"))["te_nats"], d["te_nats"]);
  EXPECT_EQ(files(), (std::set<std::string>{"a.csv", "n.csv", "n.graphml", "n.npy", "n.json"}));
}

TEST_F(Te, EmbedWritesTheMatrix) {
  write("e.csv", "x,y\n1,10\n2,20\n3,30\n4,40\n");
  EXPECT_EQ(
      run({"te", "embed", "--data", "e.csv", "--series", "x,y", "--history", "2,1", "--lag", "0,1"}).out,
      "x[t],x[t-1],y[t-1]\n2,1,10\n3,2,20\n4,3,30\n");
  EXPECT_EQ(run({"te", "embed", "--data", "e.csv", "--source", "x", "--target", "y", "--delay", "2"}).out,
            "y[t],y[t-1],x[t-2]\n30,20,1\n40,30,2\n");
}

TEST_F(Te, GenerateIsTheSameEverywhereAndKnowsTheTruth) {
  const json list = document({"te", "generate"});
  EXPECT_GE(list["systems"].size(), 10U);
  for (const auto& system : list["systems"]) {
    const std::string name = system["name"];
    ASSERT_EQ(run({"te", "generate", "--system", name, "--rows", "30", "--seed", "5", "--out", "1.csv"}).code,
              0)
        << name;
    ASSERT_EQ(run({"te", "generate", "--system", name, "--rows", "30", "--seed", "5", "--out", "2.csv"}).code,
              0)
        << name;
    EXPECT_EQ(read("1.csv"), read("2.csv")) << name;
  }
  const json d = document({"te", "generate", "--system", "ar1", "--rows", "30", "--out", "3.csv"});
  EXPECT_EQ(d["edges"][0]["source"], "x");
  EXPECT_NEAR(d["edges"][0]["te_nats"].get<double>(), 0.0923, 0.001);
  const json ring = document({"te", "generate", "--system", "lorenz96", "--variables", "100", "--rows", "5",
                              "--observation-noise", "0.1", "--out", "4.csv"});
  EXPECT_EQ(ring["columns"].size(), 100U);
  EXPECT_EQ(ring["edges"].size(), 300U);
  EXPECT_FALSE(ring["edges"][0].contains("te_nats"));
}

TEST_F(Te, AMillionRowsAreReadInUnderTwoSeconds) {
  ASSERT_EQ(run({"te", "generate", "--system", "ar1", "--rows", "1000000", "--out", "m.csv"}).code, 0);
  // The last line is wrong: all lines before it are read, and nothing is computed.
  std::ofstream(work() / "m.csv", std::ios::app) << "1,x\n";
  const auto start = std::chrono::steady_clock::now();
  expect_refused(on("m.csv"), "m.csv: line 1000002, column 2 (y): 'x' is not a number");
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), most_seconds);
}

}  // namespace
}  // namespace assay::program
