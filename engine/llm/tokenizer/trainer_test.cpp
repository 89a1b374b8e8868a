#include "engine/llm/tokenizer/trainer.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/llm/tokenizer/cpu_engine.hpp"
#include "engine/llm/tokenizer/tokenizer.hpp"
#include "engine/llm/tokenizer/tokenizer_json.hpp"

namespace assay::tokenizer {
namespace {

Tokenizer read_back(const std::string& text) {
  Result<TokenizerDescription> read = read_tokenizer_json("trained", text);
  if (!read) throw std::runtime_error(read.error().message);
  auto description = std::make_shared<const TokenizerDescription>(std::move(read).value());
  return {description, make_cpu_engine(description)};
}

std::vector<std::string> pieces_of(const Tokenizer& tokenizer, std::string_view text) {
  const auto encoding = tokenizer.encode(text);
  std::vector<std::string> pieces;
  for (const TokenId id : encoding.value().ids)
    pieces.emplace_back(tokenizer.description().vocabulary.bytes_of(id));
  return pieces;
}

TEST(Trainer, WhatItWritesIsReadAndEncodesWhatWasLearnt) {
  for (const char* name :
       {"gpt-2", "llama-bpe", "qwen2", "gpt-4o", "starcoder", "falcon", "deepseek-coder"}) {
    Trainer trainer(*find_pre_tokenizer(name), {"<|end|>"});
    for (int i = 0; i < 3; ++i)
      ASSERT_TRUE(trainer.add("text", "the cat, the hat\nthe c\xC3\xA2t 2025<|end|>the end"));
    const Tokenizer tokenizer = read_back(trainer.tokenizer_json({.tokens = 300}).text);
    const Vocabulary& vocabulary = tokenizer.description().vocabulary;
    EXPECT_LE(vocabulary.size(), 300u);
    EXPECT_EQ(vocabulary.bytes_of(0), "<|end|>") << name;
    EXPECT_EQ(pieces_of(tokenizer, "the cat<|end|>"), (std::vector<std::string>{"the", " cat", "<|end|>"}))
        << name;
    EXPECT_EQ(vocabulary.find("<|"), no_token) << "nothing is learnt from a special token";
    const auto unseen = tokenizer.encode("\xF0\x9F\x98\x80 unseen").value();
    EXPECT_GT(unseen.ids.size(), 4u) << "bytes stand in for what was never seen";
  }
}

TEST(Trainer, NormalisesBeforeItCounts) {
  Trainer trainer(*find_pre_tokenizer("qwen2"), {});
  ASSERT_TRUE(trainer.add("text", "e\xCC\x81"));  // e and a combining acute accent
  EXPECT_EQ(trainer.pieces(), (PieceCounts{{"\xC3\xA9", 1}}));
}

TEST(Trainer, RefusesWhatIsNoText) {
  Trainer trainer(*find_pre_tokenizer("gpt-2"), {});
  const auto refused = trainer.add("corpus.txt", "good\xFF");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "corpus.txt: byte 4 is no UTF-8, expected text");
  EXPECT_TRUE(trainer.pieces().empty()) << "nothing of a refused document counts";
}

// 256 bytes and no merge where nothing occurs twice.
TEST(Trainer, HasNoMoreTokensThanPairs) {
  Trainer trainer(*find_pre_tokenizer("gpt-2"), {"<s>", "</s>"});
  ASSERT_TRUE(trainer.add("text", "abc"));
  const auto document = nlohmann::json::parse(trainer.tokenizer_json({.tokens = 1000}).text);
  EXPECT_EQ(document["model"]["vocab"].size(), 258u);
  EXPECT_TRUE(document["model"]["merges"].empty());
  EXPECT_EQ(document["added_tokens"].size(), 2u);
}

}  // namespace
}  // namespace assay::tokenizer
