#include "reference/text/decode.hpp"

#include <cstdint>
#include <map>

namespace assay::reference {
namespace {

/// UTF-8 as Unicode defines it (table 3-6): the bits of the code point shared out among one to four bytes.
std::string utf8(std::uint32_t point) {
  const auto low = [&](int shift) { return static_cast<char>(0x80 + (point >> shift) % 64); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xC0 + (point >> 6)), low(0)};
  if (point < 0x10000) return {static_cast<char>(0xE0 + (point >> 12)), low(6), low(0)};
  return {static_cast<char>(0xF0 + (point >> 18)), low(12), low(6), low(0)};
}

/// Every beginning of the bytes of a code point, with the number that they go on to. The last byte is left
/// out: it may be any of 0x80 to 0xBF.
const std::map<std::string, std::size_t, std::less<>>& beginnings() {
  static const auto all = [] {
    std::map<std::string, std::size_t, std::less<>> made;
    for (std::uint32_t point = 0x80; point < 0x110000; point += 64) {
      if (point >= 0xD800 && point < 0xE000) continue;
      const std::string bytes = utf8(point);
      for (std::size_t size = 1; size < bytes.size(); ++size) made[bytes.substr(0, size)] = bytes.size();
    }
    return made;
  }();
  return all;
}

bool is_beginning(std::string_view bytes) {
  return beginnings().contains(bytes);
}

bool is_whole(std::string_view bytes) {
  if (bytes.size() == 1) return static_cast<unsigned char>(bytes[0]) < 0x80;
  const auto found = beginnings().find(bytes.substr(0, bytes.size() - 1));
  return found != beginnings().end() && found->second == bytes.size() &&
         static_cast<unsigned char>(bytes.back()) / 64 == 2;
}

}  // namespace

std::string text_of_bytes(std::string_view bytes, bool at_end) {
  std::string text;
  while (!bytes.empty()) {
    std::size_t size = 1;
    while (size < bytes.size() && is_beginning(bytes.substr(0, size)) &&
           (is_whole(bytes.substr(0, size + 1)) || is_beginning(bytes.substr(0, size + 1))))
      ++size;
    const std::string_view part = bytes.substr(0, size);
    if (is_whole(part)) {
      text += part;
    } else if (size == bytes.size() && is_beginning(part) && !at_end) {
      break;
    } else {
      text += "\uFFFD";
    }
    bytes.remove_prefix(size);
  }
  return text;
}

}  // namespace assay::reference
