#include "engine/llm/tokenizer/rank_file.hpp"

#include <gtest/gtest.h>

#include "engine/llm/tokenizer/open.hpp"

namespace assay::tokenizer {
namespace {

std::string in_base64(std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    const std::string_view part = bytes.substr(at, 3);
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < part.size() ? static_cast<std::uint8_t>(part[i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) text += i <= part.size() ? letters[group >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

/// The 256 bytes and "he", "hel" behind them.
std::string small_file() {
  std::string file;
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    file += in_base64({&text, 1}) + " " + std::to_string(byte) + "\n";
  }
  return file + in_base64("he") + " 256\n" + in_base64("hel") + " 258\n";
}

void expect_refused(const std::string& file, const std::string& part, const std::string& pre = "gpt-2") {
  const Result<TokenizerDescription> read = parse("t.tiktoken", file, pre);
  ASSERT_FALSE(read) << "accepted; expected: " << part;
  EXPECT_NE(read.error().message.find(part), std::string::npos)
      << read.error().message << "\nexpected: " << part;
}

TEST(RankFile, ReadsTokensWhoseIdsAreTheirRanks) {
  const Result<TokenizerDescription> read = parse("t.tiktoken", small_file(), "qwen2");
  ASSERT_TRUE(read) << read.error().message;
  const Vocabulary& vocabulary = read.value().vocabulary;
  EXPECT_EQ(vocabulary.size(), 259U);
  EXPECT_EQ(vocabulary.bytes_of(200), "\xC8");
  EXPECT_EQ(vocabulary.find("hel"), 258U);
  EXPECT_EQ(vocabulary.kind_of(257), TokenKind::unused);
  EXPECT_EQ(read.value().specification.merge_rule, MergeRule::token_rank);
  EXPECT_TRUE(read.value().specification.ignore_merges);
  EXPECT_TRUE(read.value().specification.nfc);
}

TEST(RankFile, RefusesByLine) {
  expect_refused(small_file(),
                 "t.tiktoken: a .tiktoken file does not say how text is split: name it (--pre), one of gpt-2",
                 "");
  expect_refused(small_file(), "the pre-tokenizer \"gpt-5\" is unknown", "gpt-5");
  expect_refused("", "holds no tokens");
  expect_refused(small_file() + "x\n", "line 259: is \"x\", expected a token in base64");
  expect_refused(small_file() + "a*== 300\n", "line 259: has the token \"a*==\", expected base64");
  expect_refused(small_file() + "aGU 300\n", "expected base64");
  expect_refused(small_file() + " 300\n", "has a token of 0 bytes");
  expect_refused(small_file() + "aGVs -1\n", "has the rank \"-1\"");
  expect_refused(small_file() + "aGVs 9999999\n", "expected a number below 4194304");
  expect_refused(small_file() + "aGVs 4194303\n", "has the rank 4194303 among 259 tokens");
  expect_refused(small_file() + "eHg= 258\n", "line 259: has the rank 258 of an earlier line");
  expect_refused(small_file() + "aGVs 400\n", "line 259: has a token that has another rank too");
  expect_refused("IQ== 0\n", "has no token for the byte 0x20");
}

}  // namespace
}  // namespace assay::tokenizer
