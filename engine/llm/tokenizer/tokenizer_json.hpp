#pragma once

#include <string>
#include <string_view>

#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// A tokenizer.json of Hugging Face's tokenizers (0.23): a model BPE with its vocabulary and merges (strings
/// "left right" or pairs), added tokens with their flags, and the components of json_components.hpp.
/// Truncation and padding are of batches and left to whoever makes one.
///
/// `name` stands for the path in messages. Refused, with place and byte offset: what is no JSON; models other
/// than BPE (WordPiece, Unigram, WordLevel) and unsupported components, by name; dropout, prefixes and
/// suffixes of subwords; regular expressions that are not published ones, by their text; a vocabulary that is
/// neither byte-level nor SentencePiece's; ids, texts and merges that do not fit one another.
Result<TokenizerDescription> read_tokenizer_json(const std::string& name, std::string_view bytes);

}  // namespace assay::tokenizer
