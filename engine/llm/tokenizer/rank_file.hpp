#pragma once

#include <string>
#include <string_view>

#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// A .tiktoken file: a line a token, its bytes in base64, a space, and its rank, which is also its id
/// (tiktoken, load.py). A file carries neither the pattern nor special tokens: `pre` names the pattern
/// (pre_tokenizer_names.hpp), and there are none of the latter. Numbers that are left out are unused tokens.
///
/// `name` stands for the path in messages. Refused, with the line: what is no base64, an empty or repeated
/// token, a rank that is no number, is repeated or beyond the limits of vocabulary.hpp, an empty file, a
/// `pre` that is empty or unknown.
Result<TokenizerDescription> read_rank_file(const std::string& name, std::string_view bytes,
                                            const std::string& pre);

}  // namespace assay::tokenizer
