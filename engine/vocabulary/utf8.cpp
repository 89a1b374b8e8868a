#include "engine/vocabulary/utf8.hpp"

#include <cstdint>
#include <cstring>

#include "engine/runtime/mutant.hpp"

namespace assay {
namespace {

/// Bytes that a lead byte announces, and the range of its second byte (Unicode 15, table 3-7); size 0: no
/// lead.
struct Lead {
  std::size_t size;
  std::uint8_t least, most;
};

Lead lead_of(std::uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < (mutant("tokenizer.decode.overlong_of_two_bytes") ? 0xC0 : 0xC2)) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (mutant("tokenizer.decode.second_byte_unchecked") && byte < 0xF5)
    return {byte < 0xF0 ? std::size_t{3} : std::size_t{4}, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};                                                 // not shorter
  if (byte == 0xED && !mutant("tokenizer.decode.surrogates_pass")) return {3, 0x80, 0x9F};  // no surrogates
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};  // not above U+10FFFF
  if (byte == 0xF5 && mutant("tokenizer.decode.beyond_unicode")) return {4, 0x80, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  return {0, 0, 0};
}

}  // namespace

Utf8Step utf8_step(std::string_view text) {
  using Kind = Utf8Step::Kind;
  const Lead lead = lead_of(static_cast<std::uint8_t>(text[0]));
  if (lead.size == 0) return {Kind::invalid, 1};
  for (std::size_t at = 1; at < lead.size; ++at) {
    if (at == text.size()) return {Kind::incomplete, at};
    const auto byte = static_cast<std::uint8_t>(text[at]);
    const bool fits = at == 1 ? byte >= lead.least && byte <= lead.most : (byte & 0xC0) == 0x80;
    if (!fits) return {Kind::invalid, mutant("tokenizer.decode.takes_the_byte_behind") ? at + 1 : at};
  }
  return {Kind::character, lead.size};
}

std::size_t valid_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    // Most text is ASCII: eight bytes at a time.
    std::uint64_t word = 0;
    while (at + sizeof word <= text.size()) {
      std::memcpy(&word, text.data() + at, sizeof word);
      if ((word & 0x8080808080808080) != 0) break;
      at += sizeof word;
    }
    if (at == text.size()) break;
    const Utf8Step step = utf8_step(text.substr(at));
    if (step.kind != Utf8Step::Kind::character) break;
    at += step.size;
  }
  return at;
}

char32_t first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return static_cast<char32_t>(static_cast<std::uint8_t>(text[at]));
  };
  if (byte(0) < 0x80) return byte(0);
  if (byte(0) < 0xE0) return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
  if (byte(0) < 0xF0) return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
}

}  // namespace assay
