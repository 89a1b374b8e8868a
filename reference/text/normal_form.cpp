#include "reference/text/normal_form.hpp"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <cstdint>
#include <stdexcept>

namespace assay::reference {
namespace {

void check(UErrorCode status) {
  if (U_FAILURE(status)) throw std::runtime_error(std::string("ICU: ") + u_errorName(status));
}

std::int32_t size_of(const auto& text) {
  return static_cast<std::int32_t>(text.size());
}

}  // namespace

std::string nfc(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  // No byte becomes more than one unit of UTF-16, none of which becomes more than three (Annex 15, section
  // 12), each of three bytes at most.
  std::u16string source(text.size() + 1, u'\0'), normal(3 * text.size() + 1, u'\0');
  std::string made(9 * text.size() + 1, '\0');
  std::int32_t size = 0;
  u_strFromUTF8(source.data(), size_of(source), &size, text.data(), size_of(text), &status);
  size = unorm2_normalize(unorm2_getNFCInstance(&status), source.data(), size, normal.data(), size_of(normal),
                          &status);
  u_strToUTF8(made.data(), size_of(made), &size, normal.data(), size, &status);
  check(status);
  made.resize(static_cast<std::size_t>(size));
  return made;
}

std::string utf8_of(char32_t character) {
  std::string made(4, '\0');
  std::int32_t size = 0;
  U8_APPEND_UNSAFE(made.data(), size, static_cast<UChar32>(character));
  made.resize(static_cast<std::size_t>(size));
  return made;
}

}  // namespace assay::reference
