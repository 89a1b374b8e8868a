#pragma once

#include <string>
#include <string_view>

namespace assay::reference {

/// Bytes as text: characters as they are, each maximal subpart of an ill-formed sequence as U+FFFD. A subpart
/// at the end that could still become a character is left out unless `at_end`.
std::string text_of_bytes(std::string_view bytes, bool at_end);

}  // namespace assay::reference
