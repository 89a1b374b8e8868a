#include "engine/llm/tokenizer/trainer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/llm/tokenizer/byte_alphabet.hpp"
#include "engine/vocabulary/split_patterns.hpp"
#include "engine/vocabulary/utf8.hpp"
#include "kernels/split/split.hpp"

namespace assay::tokenizer {
namespace {

using nlohmann::ordered_json;

Specification specification_of(const PreTokenizer& pre, const std::vector<std::string>& special) {
  Specification made;
  made.split = pre.split;
  made.nfc = pre.nfc;
  for (const std::string& content : special) {
    AddedToken token;
    token.id = static_cast<TokenId>(made.added.size());
    token.content = content;
    token.special = true;
    made.added.push_back(std::move(token));
  }
  return made;
}

ordered_json byte_level(bool with_pattern) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", with_pattern}};
}

/// GPT-2's pattern is ByteLevel's own; others are Splits before one without.
ordered_json pre_tokenizer_of(const std::vector<SplitStep>& steps) {
  if (steps.size() == 1 && steps.front() == SplitStep::gpt2) return byte_level(true);
  ordered_json parts = ordered_json::array();
  for (const SplitStep step : steps)
    parts.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", pattern_of(step)}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  parts.push_back(byte_level(false));
  return {{"type", "Sequence"}, {"pretokenizers", std::move(parts)}};
}

std::string letters_of(std::string_view bytes) {
  std::string letters;
  append_letters_of_bytes(bytes, letters);
  return letters;
}

ordered_json model_of(const std::vector<AddedToken>& special, const LearntMerges& learnt) {
  ordered_json vocabulary = ordered_json::object(), merges = ordered_json::array();
  for (const AddedToken& token : special) vocabulary[token.content] = token.id;
  const auto first = static_cast<TokenId>(special.size());
  for (std::size_t i = 0; i < learnt.tokens.size(); ++i) vocabulary[letters_of(learnt.tokens[i])] = first + i;
  for (const Merge& merge : learnt.merges)
    merges.push_back(
        {letters_of(learnt.tokens[merge.left - first]), letters_of(learnt.tokens[merge.right - first])});
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", std::move(vocabulary)},
          {"merges", std::move(merges)}};
}

std::vector<std::string> contents_of(const Specification& specification) {
  std::vector<std::string> contents;
  for (const AddedToken& token : specification.added) contents.push_back(token.content);
  return contents;
}

}  // namespace

Trainer::Trainer(const PreTokenizer& pre, const std::vector<std::string>& special)
    : pre_(pre),
      specification_(specification_of(pre, special)),
      special_(specification_.added, contents_of(specification_)),
      normaliser_(specification_) {}

Result<std::size_t> Trainer::add(const std::string& name, std::string_view document) {
  if (document.size() >= std::size_t{1} << 31)
    return InputError{
        InputError::Code::too_large,
        name + ": a document of " + std::to_string(document.size()) + " bytes, expected less than 2^31",
        {},
        {},
        {}};
  if (const std::size_t valid = valid_prefix(document); valid < document.size())
    return InputError{InputError::Code::malformed,
                      name + ": byte " + std::to_string(valid) + " is no UTF-8, expected text",
                      valid,
                      {},
                      {}};
  std::vector<TextPart> parts;
  special_.split(document, true, {}, parts);
  std::size_t count = 0;
  std::string made;
  std::vector<std::uint32_t> ends;
  for (const TextPart& part : parts) {
    if (part.token != no_token) continue;
    const std::string_view text =
        normaliser_(document.substr(part.begin, part.end - part.begin), part.begin == 0, made, nullptr);
    kernels::split::split(specification_.split, text, ends);
    std::size_t begin = 0;
    for (const std::uint32_t end : ends) {
      const std::string_view piece = text.substr(begin, end - begin);
      if (const auto found = pieces_.find(piece); found != pieces_.end())
        ++found->second;
      else
        pieces_.emplace(piece, 1);
      begin = end;
    }
    count += ends.size();
  }
  return count;
}

TrainedFile Trainer::tokenizer_json(LearningOptions options) const {
  options.first_byte = static_cast<TokenId>(specification_.added.size());
  const LearntMerges learnt = learn_merges(pieces_, options);
  ordered_json added = ordered_json::array();
  for (const AddedToken& token : specification_.added)
    added.push_back({{"id", token.id},
                     {"content", token.content},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  const ordered_json document{
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", std::move(added)},
      {"normalizer", pre_.nfc ? ordered_json{{"type", "NFC"}} : ordered_json(nullptr)},
      {"pre_tokenizer", pre_tokenizer_of(specification_.split)},
      {"post_processor", nullptr},
      {"decoder", byte_level(true)},
      {"model", model_of(specification_.added, learnt)}};
  return {document.dump(1) + "\n", document["model"]["vocab"].size(), learnt.merges.size()};
}

}  // namespace assay::tokenizer
