#include "engine/llm/tokenizer/byte_alphabet.hpp"

#include <array>

namespace assay::tokenizer {
namespace {

constexpr bool is_printable(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD && byte <= 0xFF);
}

constexpr unsigned letter_count = 0x144;
constexpr std::int16_t no_byte = -1;

constexpr std::array<std::uint16_t, 256> letter_of = [] {
  std::array<std::uint16_t, 256> letters{};
  std::uint16_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte)
    letters[byte] = is_printable(byte) ? static_cast<std::uint16_t>(byte) : next++;
  return letters;
}();

constexpr std::array<std::int16_t, letter_count> byte_of = [] {
  std::array<std::int16_t, letter_count> bytes{};
  bytes.fill(no_byte);
  for (unsigned byte = 0; byte < 256; ++byte) bytes[letter_of[byte]] = static_cast<std::int16_t>(byte);
  return bytes;
}();

}  // namespace

std::optional<std::size_t> append_bytes_of_letters(std::string_view letters, std::string& bytes) {
  // No letter has fewer bytes than the one that it stands for.
  const std::size_t before = bytes.size();
  bytes.resize(before + letters.size());
  char* to = bytes.data() + before;
  std::optional<std::size_t> stopped;
  for (std::size_t at = 0; at < letters.size();) {
    unsigned letter = static_cast<std::uint8_t>(letters[at]);
    std::size_t size = 1;
    // The alphabet ends at U+0143: no letter of it has more than two bytes.
    if ((letter & 0xE0) == 0xC0 && at + 1 < letters.size() && (letters[at + 1] & 0xC0) == 0x80) {
      letter = (letter & 0x1F) << 6 | (static_cast<std::uint8_t>(letters[at + 1]) & 0x3Fu);
      size = 2;
    } else if (letter >= 0x80) {
      letter = letter_count;
    }
    if (letter >= letter_count || byte_of[letter] == no_byte) {
      stopped = at;
      break;
    }
    *to++ = static_cast<char>(byte_of[letter]);
    at += size;
  }
  bytes.resize(static_cast<std::size_t>(to - bytes.data()));
  return stopped;
}

void append_letters_of_bytes(std::string_view bytes, std::string& letters) {
  for (const char byte : bytes) {
    const unsigned letter = letter_of[static_cast<std::uint8_t>(byte)];
    if (letter < 0x80) {
      letters += static_cast<char>(letter);
    } else {
      letters += static_cast<char>(0xC0 | letter >> 6);
      letters += static_cast<char>(0x80 | (letter & 0x3F));
    }
  }
}

}  // namespace assay::tokenizer
