#include <cmath>
#include <fstream>

#include "ci/test_process.hpp"

namespace assay::program {
namespace {

using nlohmann::json;

class Sample : public InFolder {};

TEST_F(Sample, FiltersAndDraws) {
  write("logits.json", R"([1.0, 2.0, "-inf", 0.5])");
  const json probs = document({"sample", "--logits", "logits.json", "--chain", "top_k=2", "--probs"});
  ASSERT_EQ(probs["tokens"].size(), 2U);
  EXPECT_EQ(probs["tokens"][0]["id"], 1);
  EXPECT_NEAR(probs["tokens"][0]["p"].get<double>(), 1 / (1 + std::exp(-1.0)), 1e-12);
  EXPECT_EQ(probs["tokens"][1]["id"], 0);

  const json drawn = document(
      {"sample", "--logits", "logits.json", "--preset", "standard", "--draws", "10000", "--seed", "7"});
  std::int64_t sum = 0;
  for (const auto& [token, count] : drawn["counts"].items()) sum += count.get<std::int64_t>();
  EXPECT_EQ(sum, 10000);
  EXPECT_FALSE(drawn["counts"].contains("2"));
  // 10,000 draws of p = 0.695: within 6 standard deviations of 46.
  EXPECT_NEAR(drawn["counts"]["1"].get<double>(), 6953, 280);
  EXPECT_EQ(drawn, document({"sample", "--logits", "logits.json", "--preset", "standard", "--draws", "10000",
                             "--seed", "7"}));

  EXPECT_EQ(run({"sample", "--logits", "logits.json", "--preset", "greedy"}).out, "1\n");
  EXPECT_EQ(document({"sample", "--logits", "logits.json", "--probs"})["tokens"].size(), 4U);
  // A token that was seen twice: 2.0 / 2 - (2 x 0.25 + 0.25).
  const json penalised =
      document({"sample", "--logits", "logits.json", "--chain", "repetition=2,frequency=0.25,presence=0.25",
                "--previous", "1,1", "--probs"});
  EXPECT_EQ(penalised["tokens"][0]["id"], 0);
  EXPECT_EQ(penalised["tokens"][2]["id"], 1);
  EXPECT_NEAR(penalised["tokens"][2]["p"].get<double>() / penalised["tokens"][0]["p"].get<double>(),
              std::exp(0.25 - 1.0), 1e-7);
}

TEST_F(Sample, RefusesWhatItCannotMean) {
  write("logits.json", "[1.0, 2.0]");
  const auto with_chain = [](const char* chain) {
    return std::vector<std::string>{"sample", "--logits", "logits.json", "--chain", chain};
  };
  expect_refused(with_chain("min_p=1.5"), "--chain: min_p=1.5, expected at most 1");
  expect_refused(with_chain("repetition=0"), "--chain: repetition=0, expected a finite number above 0");
  expect_refused(with_chain("top_p=nan"), "--chain: top_p=nan, expected a number");
  expect_refused(with_chain("topk=3"), "--chain: no filter 'topk', did you mean 'top_k'?");
  expect_refused(with_chain("top_k=1.5"), "--chain: top_k=1.5, expected a whole number");
  expect_refused(with_chain("top_k"), "--chain: 'top_k', expected top_k=NUMBER");
  expect_refused({"sample", "--logits", "logits.json", "--previous", "2"}, "--previous");
  expect_refused({"sample", "--logits", "none.json"}, "none.json: cannot be read");
  expect_refused({"sample"}, "expected --logits FILE or --cases FILE");
  write("text.json", R"([1.0, "x"])");
  expect_refused({"sample", "--logits", "text.json"}, "text.json: element 1 is \"x\", expected a number");
  write("none.json", R"(["-inf"])");
  expect_refused({"sample", "--logits", "none.json"}, "none.json: no token can be drawn");
  // What disables a filter is legal.
  EXPECT_EQ(run(with_chain("top_k=0,top_k=-1,top_p=1,top_p=2,min_p=0,min_p=-1,last_n=0,temperature=0")).out,
            "1\n");
}

TEST_F(Sample, CasesAreAnsweredInOrderAndABadOneGoesOn) {
  write("cases.jsonl", R"({"id":"a","logits":[0,1,2],"chain":[{"op":"top_k","k":2}]}
{"id":"b","logits":[0,1,"-inf"],"chain":[{"op":"temp","t":0},{"op":"greedy"}]}
{"id":"c","logits":[0,1],"chain":[{"op":"top_z"}]}
not json
{"id":"d","n_vocab":1000,"logits_gen":{"kind":"splitmix64","seed":1000,"scale":8},"chain":[{"op":"top_p","p":0.9,"min_keep":0}]}
)");
  for (const char* backend : {"cpu", "reference"}) {
    const Outcome outcome = run({"sample", "--cases", "cases.jsonl", "--backend", backend});
    EXPECT_EQ(outcome.code, 2);
    std::istringstream lines(outcome.out);
    std::vector<json> answers;
    for (std::string line; std::getline(lines, line);) answers.push_back(json::parse(line, nullptr, false));
    ASSERT_EQ(answers.size(), 5U);
    EXPECT_EQ(answers[0]["n_survivors"], 2);
    EXPECT_EQ(answers[0]["survivors"][0]["id"], 2);
    EXPECT_EQ(answers[1]["selected"], 1);
    EXPECT_NE(answers[2]["error"].get<std::string>().find("cases.jsonl:3: chain: op 'top_z'"),
              std::string::npos);
    EXPECT_NE(answers[3]["error"].get<std::string>().find("cases.jsonl:4: no JSON at byte"),
              std::string::npos);
    EXPECT_EQ(answers[4]["n_survivors"], 159);  // formulas' generator, cut in double arithmetic
    EXPECT_EQ(answers[4]["survivors"].size(), 159U);
  }
}

/// The cases of the field's own implementation, where they are: by the rules of their README.
TEST_F(Sample, GoldenCases) {
  const char* const folder = std::getenv("ASSAY_GOLDEN");
  const fs::path path = fs::path(folder == nullptr ? "" : folder) / "sampler" / "cases.jsonl";
  if (folder == nullptr || !fs::exists(path)) GTEST_SKIP() << "no golden data here (ASSAY_GOLDEN): not run";
  for (const char* backend : {"cpu", "reference"}) {
    const Outcome outcome = run({"sample", "--cases", path.string(), "--backend", backend});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    std::istringstream lines(outcome.out);
    std::ifstream cases(path);
    std::string line;
    int count = 0;
    for (std::string text; std::getline(cases, text); ++count) {
      const json expected = json::parse(text);
      ASSERT_TRUE(std::getline(lines, line)) << "fewer answers than cases";
      const json answer = json::parse(line);
      const std::string name = expected["id"];
      EXPECT_EQ(answer["id"], name);
      if (expected.contains("selected")) {
        EXPECT_EQ(answer["selected"], expected["selected"]) << name;
        continue;
      }
      const int away = answer["n_survivors"].get<int>() - expected["n_survivors"].get<int>();
      if (expected.value("fragile", false)) {
        EXPECT_LE(std::abs(away), 1) << name;
        if (away != 0) continue;
      }
      EXPECT_EQ(away, 0) << name;
      std::int64_t ids = 0;
      ASSERT_EQ(answer["survivors"].size(), expected["survivors"].size()) << name;
      for (std::size_t at = 0; at < answer["survivors"].size(); ++at) {
        ids += answer["survivors"][at]["id"].get<std::int64_t>();
        EXPECT_NEAR(answer["survivors"][at]["p"].get<double>(), expected["survivors"][at]["p"].get<double>(),
                    1e-5)
            << name;
      }
      if (!expected.value("order_dependent", false) && answer["n_survivors"] <= 256) {
        EXPECT_EQ(ids, expected["id_sum"].get<std::int64_t>()) << name;
      }
    }
    EXPECT_GT(count, 0);
  }
}

}  // namespace
}  // namespace assay::program
