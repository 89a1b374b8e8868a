#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/llm/gguf/test_writer.hpp"
#include "engine/llm/tokenizer/byte_alphabet.hpp"

namespace assay::tokenizer {

/// Small tokenizers for tests, as files: right ones, and wrong ones by changing a part.

inline std::string in_json(std::string_view text) {
  std::string quoted = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') quoted += '\\';
    quoted += each;
  }
  return quoted + "\"";
}

/// The 256 bytes as letters, in the order of their values: ids 0 to 255.
inline std::vector<std::string> byte_letters() {
  std::vector<std::string> letters(256);
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    append_letters_of_bytes({&text, 1}, letters[static_cast<std::size_t>(byte)]);
  }
  return letters;
}

/// A byte-level tokenizer: the bytes, then what the merges make (ids 256, ...). Letters, with "\u0120" for a
/// space.
struct ByteLevelFile {
  std::vector<std::pair<std::string, std::string>> merges = {
      {"h", "e"}, {"l", "l"}, {"he", "ll"}, {"hell", "o"}, {"\u0120", "w"}, {"\u0120w", "o"}};
  std::string added = "[]";  ///< JSON
  std::string normalizer = "null";
  std::string pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true})";
  std::string post_processor = "null";
  std::string decoder = R"({"type":"ByteLevel"})";
  std::string more_of_model;  ///< JSON members, each with a comma before it
  bool pairs = false;         ///< merges as arrays of two

  std::vector<std::string> tokens() const {
    std::vector<std::string> all = byte_letters();
    for (const auto& [left, right] : merges) all.push_back(left + right);
    return all;
  }
  std::string json() const {
    std::string vocab, list;
    std::size_t id = 0;
    for (const std::string& token : tokens())
      vocab += (id > 0 ? "," : "") + in_json(token) + ":" + std::to_string(id), ++id;
    for (const auto& [left, right] : merges)
      list += (list.empty() ? "" : ",") +
              (pairs ? "[" + in_json(left) + "," + in_json(right) + "]" : in_json(left + " " + right));
    return R"({"version":"1.0","added_tokens":)" + added + R"(,"normalizer":)" + normalizer +
           R"(,"pre_tokenizer":)" + pre_tokenizer + R"(,"post_processor":)" + post_processor +
           R"(,"decoder":)" + decoder + R"(,"model":{"type":"BPE","vocab":{)" + vocab + R"(},"merges":[)" +
           list + "]" + more_of_model + "}}";
  }
};

inline std::string text_array(const std::vector<std::string>& texts) {
  std::vector<std::string> stored;
  for (const std::string& text : texts) stored.push_back(gguf::TestWriter::text(text));
  return gguf::TestWriter::array<std::string>(gguf::ValueType::string, stored);
}

/// The same tokenizer as GGUF metadata, with special tokens behind: <s> (control) and [x] (user-defined).
inline gguf::TestWriter byte_level_gguf(const ByteLevelFile& file, const std::string& pre = "gpt-2") {
  gguf::TestWriter writer;
  std::vector<std::string> tokens = file.tokens(), merges;
  std::vector<std::int32_t> kinds(tokens.size(), 1);
  tokens.insert(tokens.end(), {"<s>", "[x]"});
  kinds.insert(kinds.end(), {3, 4});
  for (const auto& [left, right] : file.merges) merges.push_back(left + " " + right);
  writer.set("tokenizer.ggml.model", "gpt2");
  if (!pre.empty()) writer.set("tokenizer.ggml.pre", pre);
  writer.raw("tokenizer.ggml.tokens", gguf::ValueType::array, text_array(tokens));
  writer.raw("tokenizer.ggml.token_type", gguf::ValueType::array,
             gguf::TestWriter::array(gguf::ValueType::int32, kinds));
  writer.raw("tokenizer.ggml.merges", gguf::ValueType::array, text_array(merges));
  return writer;
}

/// SentencePiece's: <unk> <s> </s>, the 256 byte tokens (3 to 258), then these with falling scores.
inline gguf::TestWriter sentencepiece_gguf(const std::vector<std::string>& pieces) {
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
  std::vector<std::int32_t> kinds = {2, 3, 3};
  std::vector<float> scores(259, 0.0f);
  for (int byte = 0; byte < 256; ++byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    tokens.push_back(std::string("<0x") + digits[static_cast<std::size_t>(byte / 16)] +
                     digits[static_cast<std::size_t>(byte % 16)] + ">");
    kinds.push_back(6);
  }
  for (const std::string& piece : pieces) {
    scores.push_back(-static_cast<float>(tokens.size()));
    tokens.push_back(piece);
    kinds.push_back(1);
  }
  gguf::TestWriter writer;
  writer.set("tokenizer.ggml.model", "llama");
  writer.raw("tokenizer.ggml.tokens", gguf::ValueType::array, text_array(tokens));
  writer.raw("tokenizer.ggml.token_type", gguf::ValueType::array,
             gguf::TestWriter::array(gguf::ValueType::int32, kinds));
  writer.raw("tokenizer.ggml.scores", gguf::ValueType::array,
             gguf::TestWriter::array(gguf::ValueType::float32, scores));
  return writer;
}

}  // namespace assay::tokenizer
