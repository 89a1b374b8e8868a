#pragma once

#include "engine/operation.hpp"
#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// Text without added tokens, normalised already, to ids: split into pieces (tokenizer.pretokenize), each
/// merged by byte-pair encoding (Sennrich, Haddow, Birch 2016): of all adjacent symbols that have a merge,
/// the first by the rule (MergeRule) becomes one, the leftmost of equals; again, until there is none. Symbols
/// are the bytes of a piece, or, in SentencePiece's model, the characters of the whole text, in which a space
/// stands for U+2581. What has no token then is a byte token a byte where there is byte fallback, else
/// `unknown`; bytes that have neither are left out before the merging.
///
/// inputs   text (n) u8: valid UTF-8 of less than 2^31 bytes; the tokenizer's:
/// engine/tokenizers/arguments.hpp outputs  ids (n) i32: in order, then -1
///          ends (n) i32: where in the text each token's part ends, then -1
///
/// Exact: the ids of the literal loop. Refused (ContractError): text that is no UTF-8; what
/// engine/tokenizers/arguments.hpp says.
void encode(Context& context, const ConstTensorView& text, const TokenizerDescription& tokenizer,
            const TensorView& ids, const TensorView& ends);

Operation describe_encode();

}  // namespace assay::tokenizer
