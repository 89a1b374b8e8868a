#pragma once

#include <string_view>
#include <vector>

#include "engine/operation.hpp"
#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizers {

/// A tokenizer as arguments of an operation, without added tokens and what is put around a text:
///
/// inputs      token_bytes (bytes) u8: the tokens' bytes, one after the other, in the order of their ids
///             token_ends (v) i32: where each token ends in them; on the host
///             token_kinds (v) u8: TokenKind
///             token_scores (v) f32: finite; with the rule token_score
///             merges (m, 3) i32: left, right and what they become, by falling priority; with the rule
///             pair_rank
/// parameters  model: byte_level or sentencepiece; rule: pair_rank, token_rank or token_score; split: steps
/// of the
///             pre-tokenizer, by their numbers in SplitStep; ignore_merges, byte_fallback, fuse_unknown;
///             unknown: an id, -1: none
///
/// Refused (ContractError): arrays that do not fit one another, ends that fall or pass the bytes, unknown
/// kinds, byte tokens of other than one byte, ids that are no tokens, merges whose bytes are not those of the
/// two, scores that are not finite, a vocabulary that description_checks.hpp finds lacking.
std::vector<TensorInfo> describe_tokenizer_inputs();
std::vector<ParameterInfo> describe_tokenizer_parameters();

/// The checked tokenizer of a call.
TokenizerDescription tokenizer_of(std::string_view operation, const Arguments& arguments);
/// token_bytes, token_ends and token_kinds alone.
Vocabulary vocabulary_of(std::string_view operation, const Arguments& arguments);
/// The inputs of `vocabulary_of`.
std::vector<TensorInfo> describe_vocabulary_inputs();

/// The parameter `split`.
ParameterInfo describe_split();
std::vector<SplitStep> split_of(const Arguments& arguments);

/// The input `text`: (n) u8 of less than 2^31 bytes, valid UTF-8. Throws ContractError.
std::string_view text_of(std::string_view operation, const Arguments& arguments);

/// What says of a tokenizer the same to an operation.
HostArguments arguments_of(const TokenizerDescription& tokenizer);

}  // namespace assay::tokenizers
