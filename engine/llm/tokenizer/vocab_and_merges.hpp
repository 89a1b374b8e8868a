#pragma once

#include <string>
#include <string_view>

#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// GPT-2's pair of files: vocab.json, an object of ids by token, and merges.txt, a merge a line by falling
/// priority, whose first line may be a "#version" (encoder.py of gpt-2). They carry no pattern; `pre` names
/// it, and "gpt-2" stands where it is empty. A token <|endoftext|> is special.
///
/// The names stand for the paths in messages. Refused: what `numbered_texts` refuses; tokens with letters
/// outside the byte-level alphabet; with its line, a merge that is no two tokens or makes no token; an
/// unknown `pre`.
Result<TokenizerDescription> read_vocab_and_merges(const std::string& vocab_name, std::string_view vocab,
                                                   const std::string& merges_name, std::string_view merges,
                                                   const std::string& pre);

}  // namespace assay::tokenizer
