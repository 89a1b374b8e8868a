#include "engine/llm/tokenizer/tokenizer.hpp"

#include <gtest/gtest.h>

#include "engine/llm/tokenizer/cpu_engine.hpp"
#include "engine/llm/tokenizer/decoder.hpp"
#include "engine/llm/tokenizer/open.hpp"
#include "engine/llm/tokenizer/test_files.hpp"

namespace assay::tokenizer {
namespace {

Tokenizer open_test(const std::string& bytes, const std::string& name = "t.json") {
  Result<TokenizerDescription> read = parse(name, bytes);
  EXPECT_TRUE(read) << read.error().message;
  const auto description = std::make_shared<const TokenizerDescription>(std::move(read).value());
  return {description, make_cpu_engine(description)};
}

/// <s> is special, [x] is not and takes white space on both sides, "wor" only as a word; 262 to 264.
Tokenizer byte_level() {
  ByteLevelFile file;
  file.added =
      R"([{"id":262,"content":"<s>","special":true},{"id":263,"content":"[x]","lstrip":true,"rstrip":true},
                   {"id":264,"content":"wor","single_word":true}])";
  return open_test(file.json());
}

using Ids = std::vector<TokenId>;
Ids ids(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options = {}) {
  const Result<Encoding> made = tokenizer.encode(text, options);
  EXPECT_TRUE(made) << made.error().message;
  return made ? made.value().ids : Ids{};
}

TEST(Tokenizer, MergesAndFindsAddedTokens) {
  const Tokenizer tokenizer = byte_level();
  EXPECT_EQ(ids(tokenizer, "hello wo"), (Ids{259, 261}));
  EXPECT_EQ(ids(tokenizer, ""), Ids{});
  EXPECT_EQ(ids(tokenizer, "hello<s>hello"), (Ids{259, 262, 259}));
  EXPECT_EQ(ids(tokenizer, "hello<s>", {.parse_special = false}), (Ids{259, '<', 's', '>'}));
  // [x] is taken whether or not specials are, with the white space beside it.
  EXPECT_EQ(ids(tokenizer, "hello  [x]\u3000\nhello", {.parse_special = false}), (Ids{259, 263, 259}));
  EXPECT_EQ(ids(tokenizer, "[x][x] <s>"), (Ids{263, 263, 262}));
  EXPECT_EQ(ids(tokenizer, "wor wor"), (Ids{264, ' ', 264}));
  EXPECT_EQ(ids(tokenizer, "wors"), (Ids{'w', 'o', 'r', 's'}));
  EXPECT_EQ(ids(tokenizer, "\u00E9wor"), (Ids{0xC3, 0xA9, 'w', 'o', 'r'}));
}

TEST(Tokenizer, OffsetsLeadBackIntoTheText) {
  const Tokenizer tokenizer = byte_level();
  const std::string text = "hello [x] <s>\xFFo";
  const Result<Encoding> made = tokenizer.encode(text, {.offsets = true});
  ASSERT_TRUE(made);
  EXPECT_EQ(made.value().ids, (Ids{259, 263, 262, 0xEF, 0xBF, 0xBD, 'o'}));
  // The byte that is no UTF-8 is one place, whatever it was replaced by.
  EXPECT_EQ(made.value().spans,
            (std::vector<TextSpan>{{0, 5}, {5, 10}, {10, 13}, {13, 14}, {13, 14}, {13, 14}, {14, 15}}));
}

TEST(Tokenizer, OffsetsUnderNormalisation) {
  ByteLevelFile file;
  file.normalizer = R"({"type":"NFC"})";
  const Tokenizer tokenizer = open_test(file.json());
  const std::string text =
      "he"
      "e\u0301"
      "ll";  // e and an acute accent become one character
  const Result<Encoding> made = tokenizer.encode(text, {.offsets = true});
  ASSERT_TRUE(made);
  EXPECT_EQ(made.value().ids, (Ids{256, 0xC3, 0xA9, 257}));
  EXPECT_EQ(made.value().spans, (std::vector<TextSpan>{{0, 2}, {2, 5}, {2, 5}, {5, 7}}));
}

TEST(Tokenizer, WhatIsNoUtf8) {
  const Tokenizer tokenizer = byte_level();
  // A truncated character of three bytes is one maximal subpart, a surrogate's bytes are three.
  EXPECT_EQ(ids(tokenizer, "\xE4\xB8"), (Ids{0xEF, 0xBF, 0xBD}));
  EXPECT_EQ(ids(tokenizer, "\xED\xA0\x80").size(), 9U);
  EXPECT_EQ(ids(tokenizer,
                "\xE4\xB8"
                "a",
                {.invalid = InvalidUtf8::bytes}),
            (Ids{0xE4, 0xB8, 'a'}));
  const Result<Encoding> refused = tokenizer.encode("ab\xFF", {.invalid = InvalidUtf8::refuse});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "the text is no UTF-8 at byte 2, expected UTF-8");
  EXPECT_EQ(refused.error().byte_offset, 2U);
}

TEST(Tokenizer, SentencePieceSpaces) {
  gguf::TestWriter writer = sentencepiece_gguf({"\u2581", "a", "b", "\u2581a", "\u2581\u2581", "ab"});
  const Tokenizer tokenizer = open_test(writer.bytes(), "t.gguf");
  EXPECT_EQ(ids(tokenizer, "a a"), (Ids{262, 262}));
  EXPECT_EQ(ids(tokenizer, " a"), (Ids{259, 262}));  // of "  a" the last two: a higher score
  EXPECT_EQ(ids(tokenizer,
                "\u2581"
                "a"),
            ids(tokenizer, " a"));                         // the mark is a space
  EXPECT_EQ(ids(tokenizer, "a<s>a"), (Ids{262, 1, 262}));  // after an added token again
  EXPECT_EQ(ids(tokenizer, "\u00E9"), (Ids{259, 3 + 0xC3, 3 + 0xA9}));
  EXPECT_EQ(ids(tokenizer, "a", {.add_special = true}), (Ids{1, 262}));
  const Result<Encoding> made = tokenizer.encode(
      "\u2581"
      "b",
      {.offsets = true});
  EXPECT_EQ(made.value().ids, (Ids{263, 261}));
  EXPECT_EQ(made.value().spans, (std::vector<TextSpan>{{0, 3}, {3, 4}}));
  EXPECT_FALSE(tokenizer.encode("a", {.invalid = InvalidUtf8::bytes}));
}

TEST(Tokenizer, ManyTextsAreEachAsAlone) {
  const Tokenizer tokenizer = byte_level();
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i)
    texts.push_back(std::string(static_cast<std::size_t>(i), 'h') + "ello wo" +
                    (i % 3 == 0 ? "<s>" : "\xC3"));
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  for (const unsigned threads : {1u, 3u}) {
    ThreadPool pool(threads);
    const auto made = tokenizer.encode_all(pool, views, {.offsets = true});
    ASSERT_EQ(made.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto alone = tokenizer.encode(texts[i], {.offsets = true});
      EXPECT_EQ(made[i].value().ids, alone.value().ids);
      EXPECT_EQ(made[i].value().spans, alone.value().spans);
    }
  }
}

TEST(Decoder, HandsOutWholeCharacters) {
  const Tokenizer tokenizer = byte_level();
  StreamDecoder decoder(tokenizer.description());
  std::string text;
  for (const TokenId id : {0xE4u, 0xB8u}) decoder.add(id, text);
  EXPECT_EQ(text, "");
  decoder.add(0xAD, text);
  EXPECT_EQ(text, "\u4E2D");
  decoder.add(0xE4, text);
  decoder.add(259, text);
  EXPECT_EQ(text, "\u4E2D\uFFFDhello");
  decoder.add(0xE4, text);
  decoder.finish(text);
  EXPECT_EQ(text, "\u4E2D\uFFFDhello\uFFFD");
  EXPECT_EQ(decode(tokenizer.description(), Ids{262, 259, 263}), "<s>hello[x]");
  EXPECT_EQ(decode(tokenizer.description(), Ids{262, 259, 263}, {.skip_special = true}), "hello[x]");
}

}  // namespace
}  // namespace assay::tokenizer
