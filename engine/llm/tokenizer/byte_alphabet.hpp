#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay::tokenizer {

/// The byte-level alphabet (Radford et al. 2019, encoder.py, bytes_to_unicode): files write tokens of
/// arbitrary bytes as letters. Printable bytes of Latin-1 stand for themselves, the other 68 for U+0100 to
/// U+0143, in order.

/// Appends the bytes that letters stand for. Returns the offset of the first character that is not in the
/// alphabet, and nothing where all were; `bytes` holds those before it.
std::optional<std::size_t> append_bytes_of_letters(std::string_view letters, std::string& bytes);

/// Appends the letters of bytes.
void append_letters_of_bytes(std::string_view bytes, std::string& letters);

}  // namespace assay::tokenizer
