#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::kernels::unicode {

/// A part of a text that normalisation took as a whole, and what it became, both in bytes. What lies between
/// two changes is the same in both texts.
struct Change {
  std::uint32_t source_begin, source_end;
  std::uint32_t made_begin, made_end;
};

/// Whether every character of valid UTF-8 is a boundary (properties.hpp), so that the text is in
/// normalisation form C. False also for text in the form that has marks which do not combine with what they
/// follow. Most text passes.
bool surely_nfc(std::string_view text);

/// Replaces `made` by the normalisation form C of valid UTF-8 (Unicode Standard Annex 15) of less than 2^31
/// bytes, and `changes`, where given, by its parts that were looked at. Linear in the text whatever its
/// marks.
void to_nfc(std::string_view text, std::string& made, std::vector<Change>* changes = nullptr);

}  // namespace assay::kernels::unicode
