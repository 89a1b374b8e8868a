#include "engine/llm/tokenizer/decoder.hpp"

#include "engine/llm/tokenizer/utf8.hpp"

namespace assay::tokenizer {

void StreamDecoder::add(TokenId id, std::string& text) {
  const TokenKind kind = tokenizer_.vocabulary.kind_of(id);
  if (options_.skip_special && (kind == TokenKind::control || kind == TokenKind::unknown)) return;
  std::string_view bytes = tokenizer_.vocabulary.bytes_of(id);
  if (at_start_ && tokenizer_.specification.strip_first_space && bytes.substr(0, 1) == " ")
    bytes.remove_prefix(1);
  at_start_ = false;
  held_ += bytes;
  emit(text);
}

void StreamDecoder::emit(std::string& text) {
  std::string_view rest = held_;
  while (!rest.empty()) {
    const std::size_t valid = valid_prefix(rest);
    text += rest.substr(0, valid);
    rest.remove_prefix(valid);
    if (rest.empty()) break;
    const Utf8Step step = utf8_step(rest);
    if (step.kind == Utf8Step::Kind::incomplete) break;
    text += replacement_character;
    rest.remove_prefix(step.size);
  }
  held_.erase(0, held_.size() - rest.size());
}

void StreamDecoder::finish(std::string& text) {
  if (!held_.empty()) text += replacement_character;
  held_.clear();
  at_start_ = true;
}

std::string decode(const TokenizerDescription& tokenizer, std::span<const TokenId> ids,
                   DecodeOptions options) {
  StreamDecoder decoder(tokenizer, options);
  std::string text;
  for (const TokenId id : ids) decoder.add(id, text);
  decoder.finish(text);
  return text;
}

}  // namespace assay::tokenizer
