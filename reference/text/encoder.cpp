#include "reference/text/encoder.hpp"

namespace assay::reference {

Encoder::Encoder(const TokenizerDescription& tokenizer)
    : tokenizer_(tokenizer), split_(tokenizer.specification.split), merge_(tokenizer) {}

void Encoder::encode(std::string_view segment, std::vector<TokenId>& ids,
                     std::vector<std::uint32_t>* ends) const {
  for (const std::string_view piece : split_(segment)) append(segment, piece, ids, ends);
}

void Encoder::encode_piece(std::string_view bytes, std::vector<TokenId>& ids,
                           std::vector<std::uint32_t>* ends) const {
  append(bytes, bytes, ids, ends);
}

bool Encoder::has_bytes(std::string_view character) const {
  if (!tokenizer_.specification.byte_fallback) return false;
  for (const char byte : character)
    if (tokenizer_.vocabulary.byte_token(static_cast<std::uint8_t>(byte)) == no_token) return false;
  return true;
}

void Encoder::append(std::string_view segment, std::string_view piece, std::vector<TokenId>& ids,
                     std::vector<std::uint32_t>* ends) const {
  const auto add = [&](TokenId id, const char* end) {
    ids.push_back(id);
    if (ends != nullptr) ends->push_back(static_cast<std::uint32_t>(end - segment.data()));
  };
  bool after_unknown = false;
  for (const MergeLoop::Symbol& symbol : merge_(piece)) {
    const char* const end = symbol.text.data() + symbol.text.size();
    const bool unknown = symbol.id == no_token && !has_bytes(symbol.text);
    if (symbol.id != no_token) {
      add(symbol.id, end);
    } else if (!unknown) {
      for (const char& byte : symbol.text)
        add(tokenizer_.vocabulary.byte_token(static_cast<std::uint8_t>(byte)), &byte + 1);
    } else if (after_unknown && tokenizer_.specification.fuse_unknown) {
      if (ends != nullptr) ends->back() = static_cast<std::uint32_t>(end - segment.data());
    } else if (tokenizer_.specification.unknown != no_token) {
      add(tokenizer_.specification.unknown, end);
    }
    after_unknown = unknown;
  }
}

}  // namespace assay::reference
