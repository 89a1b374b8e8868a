#include "engine/llm/tokenizer/description_checks.hpp"

#include <cstdint>
#include <cstdio>

namespace assay::tokenizer {
namespace {

std::string in_hexadecimal(unsigned byte) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%02X", byte);
  return text;
}

}  // namespace

std::optional<std::string> what_is_missing(const TokenizerDescription& tokenizer) {
  const Vocabulary& vocabulary = tokenizer.vocabulary;
  const Specification& specification = tokenizer.specification;
  if (specification.model == TokenizerModel::byte_level_bpe) {
    // Published vocabularies lack bytes that no UTF-8 text has, and Falcon some that are control characters.
    for (unsigned byte = ' '; byte <= '~'; ++byte) {
      const char text = static_cast<char>(byte);
      if (vocabulary.find({&text, 1}) == no_token)
        return "has no token for the byte " + in_hexadecimal(byte) +
               ", expected one for each printable character of ASCII in a byte-level vocabulary";
    }
    return std::nullopt;
  }
  if (vocabulary.find(" ") == no_token) return "has no token \"\u2581\", which stands for a space";
  if (specification.unknown != no_token) return std::nullopt;
  for (unsigned byte = 0; byte < 256; ++byte)
    if (!specification.byte_fallback || vocabulary.byte_token(static_cast<std::uint8_t>(byte)) == no_token)
      return "has neither an unknown token nor one for the byte " + in_hexadecimal(byte) +
             ", expected one of them for characters without a token";
  return std::nullopt;
}

}  // namespace assay::tokenizer
