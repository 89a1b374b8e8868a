#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/vocabulary/specification.hpp"

namespace assay::reference {

/// The ids of a whole text: added tokens found in it, then in each stretch between them once it is
/// normalised, and the rest split and merged. The meaning of the flags is that of HF tokenizers
/// (added_vocabulary.rs): the leftmost token, of those that begin there the longest; one that is no word by
/// itself is passed over; white space beside one is taken with it.
std::vector<TokenId> encode_whole(const TokenizerDescription& tokenizer, std::string_view text,
                                  bool parse_special);

}  // namespace assay::reference
