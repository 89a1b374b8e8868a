#include "ci/test_process.hpp"

namespace assay::program {
namespace {

using nlohmann::json;

class Train : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (HasFatalFailure()) return;
    write("a.txt", "the cat and the hat and the bat\n");
    write("b.jsonl", "{\"text\":\"the hat<|end|>the hat\"}\n\n{\"text\":\"the hat\"}\n");
  }
  static std::vector<std::string> with(std::vector<std::string> more) {
    more.insert(more.begin(), {"tokenize", "--train", "a.txt,b.jsonl", "--out", "t.json"});
    return more;
  }
};

TEST_F(Train, WhatItLearnsTokenizes) {
  const Outcome outcome = run(with({"--tokens", "270", "--special", "<|end|>"}));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.substr(0, outcome.out.find(',')), "t.json: 266 tokens") << outcome.out;
  const json document =
      this->document({"tokenize", "--tokenizer", "t.json", "--text", "the hat<|end|>", "--json"});
  EXPECT_EQ(document["pieces"], (json{"the", " hat", "<|end|>"}));
  EXPECT_EQ(document["ids"][2], 0);
  // at, he, the; " h", " hat"; three of " and"; " the": what is left of " cat" and " bat" occurs once.
  const json again = this->document(with({"--tokens", "270", "--special", "<|end|>", "--json"}));
  EXPECT_EQ(again["tokens"], 266);
  EXPECT_EQ(again["merges"], 9);
  EXPECT_EQ(again["pieces"], 15);
}

TEST_F(Train, RandomTextsComeBackAsTheyWere) {
  for (const char* pre : {"gpt-2", "qwen2", "starcoder"}) {
    ASSERT_EQ(run(with({"--tokens", "300", "--pre", pre})).code, 0);
    const json checked =
        this->document({"tokenize", "--tokenizer", "t.json", "--round-trips", "5000", "--json"});
    EXPECT_EQ(checked["texts"], 5000);
    EXPECT_EQ(checked["changed"], 0) << pre << checked["first"];
    EXPECT_GT(checked["tokens"], 100000);
  }
}

TEST_F(Train, RefusesWhatDoesNotGoTogether) {
  expect_refused({"tokenize", "--train", "a.txt"}, "--train: needs --out FILE");
  expect_refused(with({"--tokenizer", "x.json"}), "--tokenizer: does not go with --train");
  expect_refused(with({"--tokens", "256", "--special", "<a>"}), "--tokens: 256 is too small");
  expect_refused(with({"--special", "<a>,<a>"}), "--special: '<a>' is empty or comes twice");
  expect_refused(with({"--pre", "bert"}), "--pre: 'bert' is not known, expected one of gpt-2");
  write("bad.jsonl", "{\"text\":\"good\"}\n{\"words\":1}\n");
  expect_refused({"tokenize", "--train", "bad.jsonl", "--out", "t.json"},
                 "bad.jsonl:2: expected a JSON object with a string \"text\"");
  write("bad.txt", "caf\xE9");
  expect_refused({"tokenize", "--train", "bad.txt", "--out", "t.json"}, "bad.txt: byte 3 is no UTF-8");
  write("empty.txt", "");
  expect_refused({"tokenize", "--train", "empty.txt", "--out", "t.json"}, "no text to learn from", 6);
  expect_refused({"tokenize", "--train", "none.txt", "--out", "t.json"}, "none.txt: no such file");
  EXPECT_FALSE(fs::exists("t.json"));
}

}  // namespace
}  // namespace assay::program
