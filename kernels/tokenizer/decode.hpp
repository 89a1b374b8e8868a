#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/vocabulary/vocabulary.hpp"

namespace assay::kernels::tokenizer {

/// How ids become text; see tokenizer.decode.
struct DecodeRules {
  bool strip_first_space = false;
  bool skip_special = false;
};

/// What a stream keeps between tokens.
struct DecodeState {
  std::string& held;  ///< an incomplete character, under four bytes
  bool& at_start;     ///< no token has been shown yet
};

/// Appends to `text` what can be handed out after this token, which is one of the vocabulary.
void decode_token(const Vocabulary& vocabulary, const DecodeRules& rules, TokenId id, DecodeState state,
                  std::string& text);
/// Appends what is left at the end and begins anew.
void finish_decoding(DecodeState state, std::string& text);

/// CPU backend of tokenizer.decode: `text` has three bytes for each of the tokens', `emitted` one element
/// more than there are ids.
void decode(const Vocabulary& vocabulary, const DecodeRules& rules, std::span<const std::int32_t> ids,
            std::span<std::uint8_t> text, std::span<std::int32_t> emitted);

}  // namespace assay::kernels::tokenizer
