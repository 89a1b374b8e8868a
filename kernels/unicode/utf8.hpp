#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace assay::kernels::unicode {

/// A character of a text and the bytes that it takes there.
struct Character {
  std::uint32_t code_point;
  std::uint32_t length;
};

/// Stands for a byte that begins no well-formed sequence (Unicode 15, table 3-7). It is no letter, number or
/// white space, so that scanners take it as a symbol of one byte.
inline constexpr std::uint32_t ill_formed = 0x10FFFF;

/// The character at `at`, which is below `end`. Never reads at or behind `end`.
inline Character character_at(const std::uint8_t* at, const std::uint8_t* end) {
  const std::uint32_t lead = *at;
  if (lead < 0x80) return {lead, 1};
  const auto left = static_cast<std::size_t>(end - at);
  const auto follows = [&](std::size_t i) { return (at[i] & 0xC0) == 0x80; };
  if (lead < 0xE0) {
    if (lead < 0xC2 || left < 2 || !follows(1)) return {ill_formed, 1};
    return {(lead & 0x1F) << 6 | (at[1] & 0x3Fu), 2};
  }
  if (lead < 0xF0) {
    if (left < 3 || !follows(1) || !follows(2)) return {ill_formed, 1};
    const std::uint32_t c = (lead & 0xF) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
    if (c < 0x800 || (c >= 0xD800 && c < 0xE000)) return {ill_formed, 1};
    return {c, 3};
  }
  if (lead > 0xF4 || left < 4 || !follows(1) || !follows(2) || !follows(3)) return {ill_formed, 1};
  const std::uint32_t c = (lead & 7) << 18 | (at[1] & 0x3Fu) << 12 | (at[2] & 0x3Fu) << 6 | (at[3] & 0x3Fu);
  if (c < 0x10000 || c > 0x10FFFF) return {ill_formed, 1};
  return {c, 4};
}

/// Where the character begins that ends at `end`, which is behind `begin`: at most three bytes back over
/// continuation bytes.
inline const std::uint8_t* character_before(const std::uint8_t* begin, const std::uint8_t* end) {
  for (const std::uint8_t* at = end - 1; at >= begin && end - at <= 4; --at)
    if ((*at & 0xC0) != 0x80)
      return character_at(at, end).length == static_cast<std::uint32_t>(end - at) ? at : end - 1;
  return end - 1;
}

/// Appends a character, which is below 0x110000.
inline void append(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
            static_cast<char>(0x80 | (c & 0x3F))};
  } else {
    out += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
            static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
  }
}

}  // namespace assay::kernels::unicode
