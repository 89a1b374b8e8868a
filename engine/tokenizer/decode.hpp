#pragma once

#include "engine/operation.hpp"
#include "engine/vocabulary/vocabulary.hpp"

namespace assay::tokenizer {

/// Ids to text, token by token: what can be handed out is whole characters, and the bytes of one that is not
/// complete are held back. Bytes that are no UTF-8 become U+FFFD, one for each maximal subpart of an
/// ill-formed sequence (Unicode 15, section 3.9, "U+FFFD Substitution of Maximal Subparts"); so does what is
/// incomplete at the end.
///
/// inputs      ids (n) i32, on the host: each the id of a token
///             token_bytes, token_ends, token_kinds: engine/tokenizers/arguments.hpp
/// parameters  strip_first_space: one leading space of the first token that is shown is left out
/// (SentencePiece)
///             skip_special: control and unknown tokens are left out
/// outputs     text (3 x bytes of all tokens) u8: then 0; a byte is at most a U+FFFD
///             emitted (n + 1) i32: bytes of text handed out after each token, and in all
///
/// Exact. Refused (ContractError): ids that are no tokens; 2^29 bytes of tokens or more; what
/// engine/tokenizers/arguments.hpp says.
void decode(Context& context, const ConstTensorView& ids, const Vocabulary& vocabulary,
            bool strip_first_space, bool skip_special, const TensorView& text, const TensorView& emitted);

Operation describe_decode();

}  // namespace assay::tokenizer
