#include "engine/llm/tokenizer/tokenizer_json.hpp"

#include <gtest/gtest.h>

#include "engine/llm/tokenizer/test_files.hpp"

namespace assay::tokenizer {
namespace {

std::string refusal(const std::string& json) {
  const Result<TokenizerDescription> read = read_tokenizer_json("t.json", json);
  return read ? "accepted" : read.error().message;
}
std::string refusal(const ByteLevelFile& file) {
  return refusal(file.json());
}
void expect_refused(const std::string& json, const std::string& part) {
  const std::string message = refusal(json);
  EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST(TokenizerJson, ReadsAByteLevelModel) {
  ByteLevelFile file;
  for (const bool pairs : {false, true}) {
    file.pairs = pairs;
    const Result<TokenizerDescription> read = read_tokenizer_json("t.json", file.json());
    ASSERT_TRUE(read) << read.error().message;
    const Vocabulary& vocabulary = read.value().vocabulary;
    EXPECT_EQ(vocabulary.size(), 262U);
    EXPECT_EQ(vocabulary.bytes_of(259), "hello");
    EXPECT_EQ(vocabulary.bytes_of(260), " w");
    EXPECT_EQ(vocabulary.bytes_of(0), std::string_view("\0", 1));
    EXPECT_EQ(vocabulary.find(" wo"), 261U);
    EXPECT_EQ(vocabulary.find("wo"), no_token);
    ASSERT_EQ(vocabulary.merges().size(), 6U);
    EXPECT_EQ(vocabulary.merges()[3].left, 258U);
    EXPECT_EQ(vocabulary.merges()[3].result, 259U);
    EXPECT_EQ(read.value().specification.split, std::vector<SplitStep>{SplitStep::gpt2});
    EXPECT_EQ(read.value().specification.model, TokenizerModel::byte_level_bpe);
  }
}

TEST(TokenizerJson, ReadsTheComponentsOfPublishedModels) {
  ByteLevelFile file;
  file.normalizer = R"({"type":"NFC"})";
  file.pre_tokenizer = R"({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},
    {"type":"Punctuation","behavior":"Contiguous"},{"type":"Split","pattern":{"Regex":"[0-9][0-9][0-9]"},"behavior":"Isolated","invert":false},
    {"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Removed","invert":true},
    {"type":"Split","pattern":{"Regex":"[\n\r]"},"behavior":"Isolated"},{"type":"Split","pattern":{"Regex":"[一-龥ࠀ-一가-퟿]+"},"behavior":"Isolated"},
    {"type":"ByteLevel","add_prefix_space":true,"use_regex":false}]})";
  // An order that is published nowhere: "[\n\r]" is no known pattern.
  expect_refused(file.json(),
                 "pre_tokenizer.pretokenizers[4] splits by the regular expression \"[\\x0a\\x0d]\"");
  file.pre_tokenizer.replace(file.pre_tokenizer.find("[\\n\\r]"), 6, "[\\r\\n]");
  expect_refused(file.json(), "adds a space before every piece of a split");
  file.pre_tokenizer.replace(file.pre_tokenizer.find("\"add_prefix_space\":true"), 23,
                             "\"add_prefix_space\":false");
  file.more_of_model =
      R"(,"ignore_merges":true,"dropout":null,"unk_token":null,"continuing_subword_prefix":"","end_of_word_suffix":null)";
  file.added =
      R"([{"id":262,"content":"<s>","special":true},{"id":265,"content":"[tool]","special":false,"rstrip":true,"normalized":true}])";
  file.post_processor =
      R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[262],"tokens":["<s>"]}}})";
  const Result<TokenizerDescription> read = read_tokenizer_json("t.json", file.json());
  ASSERT_TRUE(read) << read.error().message;
  const Specification& made = read.value().specification;
  using enum SplitStep;
  EXPECT_EQ(made.split, (std::vector<SplitStep>{number, punctuation_run, digit_triple, llama3, line_break,
                                                deepseek_cjk}));
  EXPECT_TRUE(made.nfc);
  EXPECT_TRUE(made.ignore_merges);
  EXPECT_EQ(made.before, std::vector<TokenId>{262});
  EXPECT_EQ(made.bos, 262U);
  ASSERT_EQ(made.added.size(), 2U);
  EXPECT_TRUE(made.added[1].rstrip && made.added[1].normalized && !made.added[1].special);
  const Vocabulary& vocabulary = read.value().vocabulary;
  EXPECT_EQ(vocabulary.size(), 266U);
  EXPECT_EQ(vocabulary.kind_of(262), TokenKind::control);
  EXPECT_EQ(vocabulary.kind_of(263), TokenKind::unused);
  EXPECT_EQ(vocabulary.kind_of(265), TokenKind::user_defined);
  EXPECT_EQ(vocabulary.bytes_of(265), "[tool]");
}

TEST(TokenizerJson, RefusesWhatIsNoTokenizer) {
  expect_refused("{\"model\":", "t.json: byte 9: is no JSON");
  expect_refused("[]", "the document is an array, expected an object");
  expect_refused("{}", "model is missing");
  expect_refused(std::string(100, '['), "nests deeper than 64 values");
  expect_refused(R"({"model":{"type":"WordPiece","vocab":{}},"pre_tokenizer":{"type":"ByteLevel"}})",
                 "model.type is \"WordPiece\", which is not supported");
  expect_refused(R"({"model":{"type":"Unigram"},"pre_tokenizer":{"type":"ByteLevel"}})", "\"Unigram\"");
  expect_refused(R"({"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":null})",
                 "has no ByteLevel");
  expect_refused(R"({"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}})",
                 "model.vocab holds no tokens");
  expect_refused(
      R"({"model":{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}})",
      "has the key \"a\" twice");
  expect_refused(
      R"({"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}})",
      "has the id 0 for \"a\" and \"b\"");
  expect_refused(
      R"({"model":{"type":"BPE","vocab":{"a":1e9},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}})",
      "expected a whole number below 4194304");
  expect_refused(
      R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}})",
      "has no token for the byte 0x20");
  expect_refused(
      R"({"model":{"type":"BPE","vocab":{"\u4e00":0},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}})",
      "expected letters of the byte-level alphabet");
}

TEST(TokenizerJson, RefusesComponentsByNameAndPlace) {
  const auto with = [](std::string ByteLevelFile::*part, const std::string& json) {
    ByteLevelFile file;
    file.*part = json;
    return refusal(file);
  };
  EXPECT_NE(with(&ByteLevelFile::normalizer, R"({"type":"Lowercase"})")
                .find("normalizer is \"Lowercase\", which is not supported"),
            std::string::npos);
  EXPECT_NE(with(&ByteLevelFile::normalizer,
                 R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"NFKC"}]})")
                .find("normalizer.normalizers[1] is \"NFKC\""),
            std::string::npos);
  EXPECT_NE(with(&ByteLevelFile::normalizer, R"({"type":"Replace","pattern":{"String":"a"},"content":"b"})")
                .find("replaces \"a\" by \"b\""),
            std::string::npos);
  EXPECT_NE(
      with(&ByteLevelFile::pre_tokenizer, R"({"type":"BertPreTokenizer"})").find("\"BertPreTokenizer\""),
      std::string::npos);
  EXPECT_NE(with(&ByteLevelFile::pre_tokenizer,
                 R"({"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Isolated"})")
                .find("the regular expression \"\\w+\", which is none"),
            std::string::npos);
  EXPECT_NE(with(&ByteLevelFile::pre_tokenizer,
                 R"({"type":"Split","pattern":{"Regex":"\\p{N}"},"behavior":"Removed","invert":true})")
                .find("behavior \"Removed\", inverted"),
            std::string::npos);
  EXPECT_NE(with(&ByteLevelFile::post_processor, R"({"type":"RobertaProcessing"})")
                .find("post_processor is \"RobertaProcessing\""),
            std::string::npos);
  EXPECT_NE(
      with(&ByteLevelFile::post_processor,
           R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"special_tokens":{}})")
          .find("post_processor.single[0]"),
      std::string::npos);
  EXPECT_NE(with(&ByteLevelFile::decoder, R"({"type":"CTC"})").find("decoder is \"CTC\""), std::string::npos);
  EXPECT_NE(with(&ByteLevelFile::more_of_model, R"(,"dropout":0.1)").find("model.dropout is set"),
            std::string::npos);
  EXPECT_NE(with(&ByteLevelFile::more_of_model, R"(,"end_of_word_suffix":"</w>")")
                .find("model.end_of_word_suffix is \"</w>\""),
            std::string::npos);
  EXPECT_NE(with(&ByteLevelFile::more_of_model, R"(,"unk_token":"none")").find("model.unk_token is \"none\""),
            std::string::npos);
}

TEST(TokenizerJson, RefusesMergesAndAddedTokensThatDoNotFit) {
  ByteLevelFile file;
  std::string json = file.json();
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = json;
    other.replace(other.find(from), from.size(), to);
    return other;
  };
  expect_refused(changed("\"h e\"", "\"h zz\""), "model.merges[0] \"zz\" is no token");
  expect_refused(changed("\"h e\"", "\"h  e\""), "is no merge, expected two tokens and one space");
  expect_refused(changed("\"h e\"", "\"h x\""), "do not make a token together");
  expect_refused(changed("\"h e\"", "[\"h\",\"e\",\"l\"]"), "is an array, expected \"left right\"");
  expect_refused(changed("\"h e\"", "7"), "is a number, expected");
  file.added = R"([{"id":262,"content":"a"}])";
  EXPECT_NE(refusal(file).find("which is added as 262"), std::string::npos) << refusal(file);
  file.added = R"([{"id":3,"content":"<s>"}])";
  EXPECT_NE(refusal(file).find("for the id of the added token \"<s>\""), std::string::npos) << refusal(file);
  file.added = R"([{"id":262,"content":"x1"},{"id":262,"content":"x2"}])";
  EXPECT_NE(refusal(file).find("added_tokens[1] has the id 262 of another"), std::string::npos)
      << refusal(file);
  file.added = R"([{"id":262,"content":"x1"},{"id":263,"content":"x1"}])";
  EXPECT_NE(refusal(file).find("has the content \"x1\" of another"), std::string::npos) << refusal(file);
  file.added = R"([{"id":4194303,"content":"x1"}])";
  EXPECT_NE(refusal(file).find("has the id 4194303, far above 262 tokens"), std::string::npos)
      << refusal(file);
  file.added = R"([{"id":262}])";
  EXPECT_NE(refusal(file).find("has no content"), std::string::npos) << refusal(file);
}

}  // namespace
}  // namespace assay::tokenizer
