#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/vocabulary/specification.hpp"

namespace assay::program {

/// Bytes as text: what is no UTF-8 as U+FFFD, one for each maximal subpart.
std::string as_utf8(std::string_view bytes);

/// Whether colours are of use: standard output is a terminal and the environment has no NO_COLOR.
bool colours_wanted();

/// The pieces of a text for people: each in the next of a few colours, or apart by a bar where there are
/// none. Line breaks are shown and made, other control characters and parts of characters as \xNN.
std::string shown_pieces(const TokenizerDescription& tokenizer, std::span<const TokenId> ids, bool colours);

}  // namespace assay::program
