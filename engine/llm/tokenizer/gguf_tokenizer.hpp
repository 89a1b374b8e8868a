#pragma once

#include <string>

#include "engine/llm/gguf/model_files.hpp"
#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// The tokenizer of a GGUF file: the keys below tokenizer.ggml (gguf.md of ggml). `pre` names the
/// pre-tokenizer of a byte-level vocabulary in place of tokenizer.ggml.pre; empty: what the file says.
///
/// What the format does not carry is known from names: the normalisation and the merging of whole pieces by
/// the pre-tokenizer (pre_tokenizer_names.hpp), the white space that Phi-3's special tokens take by
/// general.architecture "phi3". Tokens [PADn] with their own number n, which converters fill embeddings up
/// with, are unused, whatever type they have.
///
/// Refused, with the key, its value and its byte offset: a model other than "gpt2" (byte-level BPE) and
/// "llama" (SentencePiece's BPE), by name; a pre-tokenizer that is missing or unknown; arrays of other types
/// or lengths; tokens with letters outside the byte-level alphabet; merges of what are no tokens; scores that
/// are not finite; ids that are no tokens; flags and kinds of tokens that do not exist; more than the limits
/// of vocabulary.hpp.
Result<TokenizerDescription> read_gguf_tokenizer(const gguf::File& file, const std::string& pre);

}  // namespace assay::tokenizer
