#include "engine/llm/tokenizer/vocab_and_merges.hpp"

#include <algorithm>

#include "engine/llm/tokenizer/byte_alphabet.hpp"
#include "engine/llm/tokenizer/description_checks.hpp"
#include "engine/llm/tokenizer/json_vocabulary.hpp"
#include "engine/llm/tokenizer/merge_list.hpp"
#include "engine/llm/tokenizer/pre_tokenizer_names.hpp"

namespace assay::tokenizer {
namespace {

constexpr std::string_view end_of_text = "<|endoftext|>";

std::optional<InputError> add_tokens(const std::string& name, const NumberedTexts& texts,
                                     VocabularyBuilder& builder, Specification& specification) {
  std::string bytes;
  for (const auto& [node, id] : texts.entries) {
    while (builder.size() < id) builder.add({}, TokenKind::unused);
    if (node.key() == end_of_text) {
      specification.added.push_back({.id = id, .content = std::string(end_of_text), .special = true});
      specification.bos = specification.eos = id;
      builder.add(end_of_text, TokenKind::control);
      continue;
    }
    bytes.clear();
    if (append_bytes_of_letters(node.key(), bytes))
      return json_refusal(
          name, "the vocabulary", node,
          "has the token " + quoted(node.key()) + ", expected letters of the byte-level alphabet");
    builder.add(bytes, TokenKind::normal);
  }
  return std::nullopt;
}

std::optional<InputError> add_merges(const std::string& name, std::string_view text, MergeList& merges) {
  for (std::uint64_t line = 1; !text.empty(); ++line) {
    std::string_view merge = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), merge.size() + 1));
    if (!merge.empty() && merge.back() == '\r') merge.remove_suffix(1);
    if (merge.empty() || (line == 1 && merge.substr(0, 8) == "#version")) continue;
    std::optional<std::string> wrong = merges.add(merge);
    if (!wrong && merges.size() > max_merges) wrong = "is one merge too many";
    if (wrong)
      return InputError{
          InputError::Code::malformed, name + ": line " + std::to_string(line) + ": " + *wrong, {}, line, {}};
  }
  return std::nullopt;
}

}  // namespace

Result<TokenizerDescription> read_vocab_and_merges(const std::string& vocab_name, std::string_view vocab,
                                                   const std::string& merges_name, std::string_view merges,
                                                   const std::string& pre) {
  const PreTokenizer* const named = find_pre_tokenizer(pre.empty() ? "gpt-2" : pre);
  if (named == nullptr)
    return InputError{InputError::Code::malformed,
                      vocab_name + ": the pre-tokenizer " + quoted(pre) + " is unknown, expected one of " +
                          pre_tokenizer_names(),
                      {},
                      {},
                      {}};
  const Result<io::JsonTree> tree = io::JsonTree::parse(vocab_name, vocab);
  if (!tree) return tree.error();
  const Result<NumberedTexts> texts = numbered_texts(vocab_name, "the vocabulary", tree.value().root());
  if (!texts) return texts.error();
  TokenizerDescription made;
  VocabularyBuilder builder;
  if (auto wrong = add_tokens(vocab_name, texts.value(), builder, made.specification))
    return *std::move(wrong);
  builder.index();
  MergeList list(builder, [](std::string_view letters, std::string& bytes) {
    return !append_bytes_of_letters(letters, bytes);
  });
  if (auto wrong = add_merges(merges_name, merges, list)) return *std::move(wrong);
  builder.set_merges(list.take());
  made.vocabulary = builder.build();
  made.specification.split = named->split;
  made.specification.nfc = named->nfc;
  made.specification.ignore_merges = named->ignore_merges;
  if (const auto missing = what_is_missing(made))
    return InputError{InputError::Code::malformed, vocab_name + ": " + *missing, {}, {}, {}};
  return made;
}

}  // namespace assay::tokenizer
