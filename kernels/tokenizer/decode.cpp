// Bytes are gathered until they are whole characters; what cannot become one is replaced part by part. A held
// part is looked at again with the next bytes, which is at most three bytes of it.
#include "kernels/tokenizer/decode.hpp"

#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/vocabulary/utf8.hpp"

namespace assay::kernels::tokenizer {
namespace {

void hand_out(std::string& held, std::string& text) {
  std::string_view rest = held;
  while (!rest.empty()) {
    const std::size_t valid = valid_prefix(rest);
    text += rest.substr(0, valid);
    rest.remove_prefix(valid);
    if (rest.empty()) break;
    const Utf8Step step = utf8_step(rest);
    if (step.kind == Utf8Step::Kind::incomplete && !mutant("tokenizer.decode.half_character_handed_out"))
      break;
    text += replacement_character;
    rest.remove_prefix(mutant("tokenizer.decode.subpart_byte_by_byte") ? 1 : step.size);
  }
  held.erase(0, held.size() - rest.size());
}

}  // namespace

void decode_token(const Vocabulary& vocabulary, const DecodeRules& rules, TokenId id, DecodeState state,
                  std::string& text) {
  const TokenKind kind = vocabulary.kind_of(id);
  const bool special = kind == TokenKind::control ||
                       (kind == TokenKind::unknown && !mutant("tokenizer.decode.unknown_is_shown"));
  if (rules.skip_special && special) return;
  std::string_view bytes = vocabulary.bytes_of(id);
  if (state.at_start && rules.strip_first_space && bytes.substr(0, 1) == " ") bytes.remove_prefix(1);
  state.at_start = mutant("tokenizer.decode.strips_every_space");
  state.held += bytes;
  hand_out(state.held, text);
}

void finish_decoding(DecodeState state, std::string& text) {
  if (!state.held.empty() && !mutant("tokenizer.decode.drops_the_end")) text += replacement_character;
  state.held.clear();
  state.at_start = true;
}

void decode(const Vocabulary& vocabulary, const DecodeRules& rules, std::span<const std::int32_t> ids,
            std::span<std::uint8_t> text, std::span<std::int32_t> emitted) {
  std::string held;
  std::string made;
  bool at_start = true;
  const DecodeState state{held, at_start};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    decode_token(vocabulary, rules, static_cast<TokenId>(ids[i]), state, made);
    emitted[i] = static_cast<std::int32_t>(made.size());
  }
  finish_decoding(state, made);
  emitted[ids.size()] = static_cast<std::int32_t>(made.size());
  std::fill(std::copy(made.begin(), made.end(), text.begin()), text.end(), std::uint8_t{0});
}

}  // namespace assay::kernels::tokenizer
