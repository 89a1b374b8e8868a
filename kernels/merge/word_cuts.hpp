#pragma once

#include <cstdint>
#include <cstring>

#include "engine/runtime/mutant.hpp"
#include "engine/vocabulary/vocabulary.hpp"

namespace assay::kernels::merge {

/// SentencePiece's model merges the whole text, but no further than its tokens reach: where no token has a
/// space behind another byte, nothing is merged across the place before a space that follows something else,
/// and text can be cut there into words as if a pattern said so. True of the published vocabularies; looked
/// up in others.
inline bool cut_at_spaces(const Vocabulary& vocabulary) {
  for (TokenId id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.kind_of(id) != TokenKind::normal) continue;
    const std::string_view bytes = vocabulary.bytes_of(id);
    for (std::size_t i = 1; i < bytes.size(); ++i)
      if (bytes[i] == ' ' && bytes[i - 1] != ' ' && !mutant("tokenizer.encode.cut_inside_tokens"))
        return false;
  }
  return true;
}

/// Where the word ends that begins at `at`: before the next space that follows another byte.
inline const std::uint8_t* word_end(const std::uint8_t* at, const std::uint8_t* end) {
  while (at < end && *at == ' ') ++at;
  constexpr std::uint64_t ones = 0x0101010101010101;
  for (; end - at >= 8; at += 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, at, 8);
    const std::uint64_t other = bytes ^ ' ' * ones;
    if (((other - ones) & ~other & 0x80 * ones) != 0) break;  // a space among them
  }
  while (at < end && *at != ' ') ++at;
  return at;
}

}  // namespace assay::kernels::merge
