// Writes kernels/unicode's tables as C++ from the data of ICU, which is linked by this program alone: what is
// built from its output needs no library. Called by the build, with the output's path.

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "kernels/unicode/properties.hpp"

namespace {

using namespace assay::kernels::unicode;

constexpr UChar32 code_points = 0x110000;

const UNormalizer2* nfc() {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* made = unorm2_getNFCInstance(&status);
  if (U_FAILURE(status)) std::exit((std::fprintf(stderr, "ICU has no NFC: %s\n", u_errorName(status)), 1));
  return made;
}

bool in_nfc_anywhere(UChar32 c) {
  return u_getCombiningClass(c) == 0 && u_getIntPropertyValue(c, UCHAR_NFC_QUICK_CHECK) == UNORM_YES;
}

/// The canonical decomposition, all of it or its first step; empty where there is none.
std::vector<UChar32> decomposition(UChar32 c, bool all) {
  std::array<UChar, 32> units{};
  UErrorCode status = U_ZERO_ERROR;
  const auto get = all ? unorm2_getDecomposition : unorm2_getRawDecomposition;
  const int count = get(nfc(), c, units.data(), static_cast<int>(units.size()), &status);
  std::vector<UChar32> made;
  for (int at = 0; at < count;) {
    UChar32 next;
    U16_NEXT(units.data(), at, count, next);
    made.push_back(next);
  }
  return made;
}

bool hangul_syllable(UChar32 c) {
  return c >= 0xAC00 && c <= 0xD7A3;  // by arithmetic, in normalize.cpp
}

std::uint8_t bits_of(UChar32 c) {
  int bits = in_nfc_anywhere(c) ? nfc_boundary : 0;
  if (!hangul_syllable(c) && !decomposition(c, true).empty()) bits |= decomposes;
  if (u_isUWhiteSpace(c)) bits |= white_space;
  switch (u_charType(c)) {
    case U_UPPERCASE_LETTER:
    case U_TITLECASE_LETTER:
      return static_cast<std::uint8_t>(bits | letter | upper_run);
    case U_LOWERCASE_LETTER:
      return static_cast<std::uint8_t>(bits | letter | lower_run);
    case U_MODIFIER_LETTER:
    case U_OTHER_LETTER:
      return static_cast<std::uint8_t>(bits | letter | upper_run | lower_run);
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_COMBINING_SPACING_MARK:
      return static_cast<std::uint8_t>(bits | upper_run | lower_run);
    case U_DECIMAL_DIGIT_NUMBER:
    case U_LETTER_NUMBER:
    case U_OTHER_NUMBER:
      return static_cast<std::uint8_t>(bits | number);
    case U_DASH_PUNCTUATION:
    case U_START_PUNCTUATION:
    case U_END_PUNCTUATION:
    case U_CONNECTOR_PUNCTUATION:
    case U_OTHER_PUNCTUATION:
    case U_INITIAL_PUNCTUATION:
    case U_FINAL_PUNCTUATION:
      return static_cast<std::uint8_t>(bits | punctuation);
    default:
      return static_cast<std::uint8_t>(bits);
  }
}

template <typename Number>
void write_array(std::ostream& out, const char* type, const char* name, const std::vector<Number>& values) {
  out << "const " << type << ' ' << name << '[' << values.size() << "] = {";
  for (std::size_t i = 0; i < values.size(); ++i) out << (i % 24 == 0 ? "\n" : "") << +values[i] << ',';
  out << "\n};\n";
}

/// A byte for every code point as blocks, equal blocks once, and the block of each group of code points.
void write_trie(std::ostream& out, const std::string& name,
                const std::function<std::uint8_t(UChar32)>& value) {
  std::map<std::array<std::uint8_t, trie_block>, std::uint16_t> numbers;
  std::vector<std::uint16_t> blocks;
  std::vector<std::uint8_t> bytes;
  for (UChar32 first = 0; first < code_points; first += trie_block) {
    std::array<std::uint8_t, trie_block> block{};
    for (int i = 0; i < trie_block; ++i) block[static_cast<std::size_t>(i)] = value(first + i);
    const auto [found, fresh] = numbers.try_emplace(block, static_cast<std::uint16_t>(numbers.size()));
    if (fresh) bytes.insert(bytes.end(), block.begin(), block.end());
    blocks.push_back(found->second);
  }
  write_array(out, "std::uint16_t", (name + "_blocks").c_str(), blocks);
  write_array(out, "std::uint8_t", (name + "_bytes").c_str(), bytes);
}

void write_normalization(std::ostream& out) {
  std::vector<std::uint32_t> keys, starts, parts;
  std::map<std::pair<UChar32, UChar32>, UChar32> pairs;
  for (UChar32 c = 0; c < code_points; ++c) {
    const std::vector<UChar32> all = decomposition(c, true);
    if (all.empty() || hangul_syllable(c)) continue;
    keys.push_back(static_cast<std::uint32_t>(c));
    starts.push_back(static_cast<std::uint32_t>(parts.size()));
    parts.insert(parts.end(), all.begin(), all.end());
    const std::vector<UChar32> raw = decomposition(c, false);
    if (raw.size() == 2 && unorm2_composePair(nfc(), raw[0], raw[1]) == c) pairs[{raw[0], raw[1]}] = c;
  }
  starts.push_back(static_cast<std::uint32_t>(parts.size()));
  write_array(out, "std::uint32_t", "decomposed", keys);
  write_array(out, "std::uint32_t", "decomposition_starts", starts);
  write_array(out, "std::uint32_t", "decomposition_parts", parts);
  out << "const std::uint32_t decomposed_count = " << keys.size() << ";\n";
  out << "const Composition compositions[" << pairs.size() << "] = {\n";
  for (const auto& [pair, composed] : pairs)
    out << '{' << pair.first << ',' << pair.second << ',' << composed << "},\n";
  out << "};\nconst std::uint32_t composition_count = " << pairs.size() << ";\n";
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return std::fprintf(stderr, "usage: %s OUTPUT.cpp\n", arguments[0]), 2;
  std::ofstream out(arguments[1]);
  out << "// Written by kernels/unicode/main_unicode_tables.cpp from ICU's data.\n"
         "#include \"kernels/unicode/properties.hpp\"\n\n"
         "namespace assay::kernels::unicode {\n\n"
         "const char* const unicode_version = \""
      << U_UNICODE_VERSION << "\";\n";
  write_trie(out, "property", bits_of);
  write_trie(out, "combining_class", [](UChar32 c) { return u_getCombiningClass(c); });
  write_normalization(out);
  out << "\n}  // namespace assay::kernels::unicode\n";
  out.close();
  if (!out) return std::fprintf(stderr, "%s: not written\n", arguments[1]), 1;
  return 0;
}
