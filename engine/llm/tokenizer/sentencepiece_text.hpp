#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay::tokenizer {

/// How files of SentencePiece's model write tokens. A space is written as the mark U+2581, in the text too,
/// so that the two cannot be told apart afterwards; here both are the space.
inline constexpr std::string_view space_mark = "\xE2\x96\x81";

/// Appends text with every mark as a space.
inline void append_spaces_of_marks(std::string_view text, std::string& spaced) {
  while (true) {
    const std::size_t mark = text.find(space_mark);
    spaced.append(text.substr(0, mark));
    if (mark == std::string_view::npos) return;
    spaced += ' ';
    text.remove_prefix(mark + space_mark.size());
  }
}

/// The byte of a token <0x00> to <0xFF>, in capitals as SentencePiece writes them; nothing of any other.
inline std::optional<std::uint8_t> byte_of_token(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return std::nullopt;
  unsigned byte = 0;
  for (const char digit : text.substr(3, 2)) {
    if (digit >= '0' && digit <= '9')
      byte = byte * 16 + static_cast<unsigned>(digit - '0');
    else if (digit >= 'A' && digit <= 'F')
      byte = byte * 16 + static_cast<unsigned>(digit - 'A' + 10);
    else
      return std::nullopt;
  }
  return static_cast<std::uint8_t>(byte);
}

}  // namespace assay::tokenizer
