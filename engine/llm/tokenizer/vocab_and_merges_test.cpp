#include "engine/llm/tokenizer/vocab_and_merges.hpp"

#include <gtest/gtest.h>

#include "engine/llm/tokenizer/test_files.hpp"

namespace assay::tokenizer {
namespace {

/// vocab.json of a byte-level tokenizer, with members of its own behind.
std::string vocab(const std::string& more = "") {
  std::string json = "{";
  std::size_t id = 0;
  for (const std::string& token : ByteLevelFile().tokens())
    json += (id > 0 ? "," : "") + in_json(token) + ":" + std::to_string(id), ++id;
  return json + more + "}";
}
Result<TokenizerDescription> read(const std::string& json, const std::string& merges,
                                  const std::string& pre = "") {
  return read_vocab_and_merges("vocab.json", json, "merges.txt", merges, pre);
}
void expect_refused(const Result<TokenizerDescription>& made, const std::string& part) {
  ASSERT_FALSE(made) << "accepted; expected: " << part;
  EXPECT_NE(made.error().message.find(part), std::string::npos)
      << made.error().message << "\nexpected: " << part;
}

TEST(VocabAndMerges, ReadsGpt2sPair) {
  const auto made = read(vocab(R"(,"<|endoftext|>":262)"), "#version: 0.2\nh e\r\nl l\n\nhe ll\n");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made.value().vocabulary.merges().size(), 3U);
  EXPECT_EQ(made.value().specification.split, std::vector<SplitStep>{SplitStep::gpt2});
  EXPECT_EQ(made.value().specification.eos, 262U);
  ASSERT_EQ(made.value().specification.added.size(), 1U);
  EXPECT_TRUE(made.value().specification.added[0].special);
  const auto other = read(vocab(), "h e\n", "gpt-4o");
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(other.value().specification.split, std::vector<SplitStep>{SplitStep::gpt4o});
}

TEST(VocabAndMerges, RefusesByLineAndOffset) {
  expect_refused(read("[1]", ""),
                 "vocab.json: the vocabulary is an array, expected an object of ids by token");
  expect_refused(read(vocab(R"(,"x y":300)"), ""),
                 "has the token \"x y\", expected letters of the byte-level alphabet at byte ");
  expect_refused(read(vocab(R"(,"zz":-1)"), ""), "has no id for the token \"zz\"");
  expect_refused(read(vocab(), "h e\nh q\n"),
                 "merges.txt: line 2: \"h\" and \"q\" do not make a token together");
  expect_refused(read(vocab(), "h e l\n"), "merges.txt: line 1: \"h e l\" is no merge");
  expect_refused(read(vocab(), "#version: 0.2\n#version: 0.2\n"), "merges.txt: line 2: ");
  expect_refused(read(vocab(), "", "none"), "the pre-tokenizer \"none\" is unknown");
}

}  // namespace
}  // namespace assay::tokenizer
