#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace assay {

/// U+FFFD, which stands for what is no UTF-8.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// What text begins with.
struct Utf8Step {
  enum class Kind : std::uint8_t {
    character,
    invalid,    ///< a maximal subpart of an ill-formed sequence: one U+FFFD (Unicode 15, section 3.9, table
                ///< 3-8)
    incomplete  ///< the text ends within what could become a character
  };
  Kind kind = Kind::character;
  std::size_t size = 0;  ///< bytes
};

/// The first step of a text that is not empty. What is `incomplete` is a maximal subpart too, if nothing
/// follows.
Utf8Step utf8_step(std::string_view text);

/// Bytes of the longest beginning that is valid UTF-8.
std::size_t valid_prefix(std::string_view text);

/// The code point of valid UTF-8's first character.
char32_t first_code_point(std::string_view text);

}  // namespace assay
