#include "engine/llm/tokenizer/gguf_tokenizer.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "engine/llm/tokenizer/open.hpp"
#include "engine/llm/tokenizer/test_files.hpp"

namespace assay::tokenizer {
namespace {

using gguf::TestWriter;
using gguf::ValueType;

Result<TokenizerDescription> read(const TestWriter& writer, const std::string& pre = "") {
  return parse("t.gguf", writer.bytes(), pre);
}
void expect_refused(const TestWriter& writer, const std::string& part, const std::string& pre = "") {
  const Result<TokenizerDescription> made = read(writer, pre);
  ASSERT_FALSE(made) << "accepted; expected: " << part;
  EXPECT_NE(made.error().message.find(part), std::string::npos)
      << made.error().message << "\nexpected: " << part;
}

TEST(GgufTokenizer, ReadsAByteLevelModel) {
  TestWriter writer = byte_level_gguf({}, "llama-bpe");
  writer.set("tokenizer.ggml.bos_token_id", std::uint32_t{262});
  const Result<TokenizerDescription> made = read(writer);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made.value().vocabulary.bytes_of(261), " wo");
  EXPECT_EQ(made.value().vocabulary.kind_of(262), TokenKind::control);
  EXPECT_EQ(made.value().specification.added.size(), 2U);
  EXPECT_TRUE(made.value().specification.added[0].special);
  EXPECT_FALSE(made.value().specification.added[1].special);
  // What the format does not carry: known from the name.
  EXPECT_TRUE(made.value().specification.ignore_merges);
  EXPECT_EQ(made.value().specification.before, std::vector<TokenId>{262});
  EXPECT_EQ(made.value().specification.split, std::vector<SplitStep>{SplitStep::llama3});
  const Result<TokenizerDescription> other = read(writer, "qwen2");
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_TRUE(other.value().specification.nfc);
  EXPECT_TRUE(other.value().specification.before.empty());
}

TEST(GgufTokenizer, ReadsASentencePieceModel) {
  TestWriter writer = sentencepiece_gguf({"\u2581", "a", "b", "\u2581a", "[PAD263]"});
  writer.set("general.architecture", "phi3");
  const Result<TokenizerDescription> made = read(writer);
  ASSERT_TRUE(made) << made.error().message;
  const Vocabulary& vocabulary = made.value().vocabulary;
  EXPECT_EQ(vocabulary.find(" a"), 262U);
  EXPECT_EQ(vocabulary.byte_token(0x0A), 13U);
  EXPECT_EQ(vocabulary.bytes_of(13), "\n");
  EXPECT_EQ(vocabulary.score_of(262), -262.0f);
  EXPECT_EQ(vocabulary.kind_of(263), TokenKind::unused);
  const Specification& specification = made.value().specification;
  EXPECT_EQ(specification.before, std::vector<TokenId>{1});
  EXPECT_EQ(specification.space_prefix, SpacePrefix::every_segment);
  EXPECT_TRUE(specification.strip_first_space);
  ASSERT_EQ(specification.added.size(), 3U);
  EXPECT_FALSE(specification.added[1].rstrip);
  EXPECT_TRUE(specification.added[2].rstrip);
}

TEST(GgufTokenizer, RefusesByKeyValueAndOffset) {
  expect_refused(TestWriter(), "t.gguf: has no tokenizer.ggml.model");
  expect_refused(TestWriter().set("tokenizer.ggml.model", "bert"),
                 "tokenizer.ggml.model is \"bert\" (WordPiece, which is not supported) at byte ");
  expect_refused(TestWriter().set("tokenizer.ggml.model", "t5"), "unigram");
  expect_refused(
      byte_level_gguf({}, ""),
      "has no tokenizer.ggml.pre, which says how text is split: name it (--pre), one of gpt-2, llama-bpe");
  expect_refused(byte_level_gguf({}, "bloom"), "tokenizer.ggml.pre is \"bloom\" at byte ");
  expect_refused(byte_level_gguf({}), "the pre-tokenizer \"xyz\" is unknown", "xyz");
  EXPECT_TRUE(read(byte_level_gguf({}, "bloom"), "gpt-2"));
  expect_refused(byte_level_gguf({}).set("tokenizer.ggml.bos_token_id", std::uint32_t{264}),
                 "tokenizer.ggml.bos_token_id is 264 at byte ");
  expect_refused(byte_level_gguf({}).set("tokenizer.ggml.add_bos_token", std::uint32_t{1}),
                 "tokenizer.ggml.add_bos_token is uint32 at byte ");
  expect_refused(byte_level_gguf({}).raw("tokenizer.ggml.add_bos_token", ValueType::boolean, "\x01"),
                 "there is no tokenizer.ggml.bos_token_id");
  ByteLevelFile file;
  file.merges.push_back({"w", "o r"});
  expect_refused(byte_level_gguf(file), "tokenizer.ggml.tokens has token 262 \"wo r\"");
  const Result<TokenizerDescription> made = read(byte_level_gguf({}, "bloom"));
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().byte_offset);
}

TEST(GgufTokenizer, RefusesArraysThatDoNotFit) {
  const auto with = [](const std::vector<std::int32_t>& kinds, const std::vector<float>& scores) {
    TestWriter writer;
    writer.set("tokenizer.ggml.model", "llama");
    writer.raw("tokenizer.ggml.tokens", ValueType::array, text_array({"<unk>", "\u2581"}));
    writer.raw("tokenizer.ggml.token_type", ValueType::array, TestWriter::array(ValueType::int32, kinds));
    writer.raw("tokenizer.ggml.scores", ValueType::array, TestWriter::array(ValueType::float32, scores));
    return writer.raw("tokenizer.ggml.add_bos_token", ValueType::boolean, std::string_view("\0", 1));
  };
  EXPECT_TRUE(read(with({2, 1}, {0, 0})));
  expect_refused(with({2}, {0, 0}), "tokenizer.ggml.token_type has 1 elements at byte ");
  expect_refused(with({2, 7}, {0, 0}), "of token 1 is 7");
  expect_refused(with({2, 6}, {0, 0}), "the byte token 1");
  expect_refused(with({2, 1}, {0}), "tokenizer.ggml.scores has 1 elements");
  expect_refused(with({2, 1}, {0, std::numeric_limits<float>::quiet_NaN()}), "of token 1 is not finite");
  expect_refused(with({2, 3}, {0, 0}), "has no token \"\u2581\", which stands for a space");
  TestWriter none;
  none.set("tokenizer.ggml.model", "llama");
  expect_refused(none, "has no tokenizer.ggml.tokens");
  expect_refused(none.raw("tokenizer.ggml.tokens", ValueType::array,
                          TestWriter::array<std::int32_t>(ValueType::int32, {1})),
                 "is an array of int32 at byte ");
}

}  // namespace
}  // namespace assay::tokenizer
