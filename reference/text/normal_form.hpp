#pragma once

#include <string>
#include <string_view>

namespace assay::reference {

/// Normalisation form C of valid UTF-8 (Unicode Standard Annex 15), by ICU.
std::string nfc(std::string_view text);

/// A character as UTF-8.
std::string utf8_of(char32_t character);

}  // namespace assay::reference
