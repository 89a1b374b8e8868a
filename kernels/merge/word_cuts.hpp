#pragma once

#include <bitset>
#include <cstdint>

#include "engine/runtime/mutant.hpp"
#include "engine/vocabulary/vocabulary.hpp"

namespace assay::kernels::merge {

/// SentencePiece's model merges the whole text, but nothing is merged across a place unless a token has the
/// two bytes around it side by side. Text is cut at every other place between characters, as if a pattern
/// said so: mostly before spaces, around line breaks, and where symbols meet letters. The pieces repeat, so
/// that a cache serves them.
class WordCuts {
 public:
  explicit WordCuts(const Vocabulary& vocabulary) {
    for (TokenId id = 0; id < vocabulary.size(); ++id) {
      if (vocabulary.kind_of(id) != TokenKind::normal) continue;
      const std::string_view bytes = vocabulary.bytes_of(id);
      for (std::size_t i = 1; i < bytes.size(); ++i)
        if (bytes[i] != ' ' || bytes[i - 1] == ' ' || !mutant("tokenizer.encode.cut_inside_tokens"))
          joined_.set(pair(static_cast<std::uint8_t>(bytes[i - 1]), static_cast<std::uint8_t>(bytes[i])));
    }
  }

  /// Where the piece ends that begins at `at`, which is below `end`.
  const std::uint8_t* piece_end(const std::uint8_t* at, const std::uint8_t* end) const {
    for (++at; at < end; ++at)
      if (!joined_[pair(at[-1], at[0])] && (at[0] & 0xC0) != 0x80) break;
    return at;
  }

 private:
  static std::size_t pair(std::uint8_t first, std::uint8_t second) {
    return std::size_t{first} << 8 | second;
  }

  std::bitset<65536> joined_;
};

}  // namespace assay::kernels::merge
