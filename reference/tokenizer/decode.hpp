#pragma once

#include <algorithm>
#include <string>

#include "engine/tokenizers/arguments.hpp"
#include "reference/text/decode.hpp"

namespace assay::reference::tokenizer {

/// After each token: the text of all bytes so far, from the beginning.
inline void run_decode(const Arguments& arguments, const Outputs& outputs) {
  const Vocabulary vocabulary = tokenizers::vocabulary_of("tokenizer.decode", arguments);
  const auto emitted = outputs.at("emitted").as<std::int32_t>();
  std::string bytes;
  bool shown = false;
  std::size_t count = 0;
  for (const std::int32_t id : arguments.input("ids").as<std::int32_t>()) {
    const TokenKind kind = vocabulary.kind_of(static_cast<TokenId>(id));
    if (!arguments.flag("skip_special") || (kind != TokenKind::control && kind != TokenKind::unknown)) {
      std::string_view token = vocabulary.bytes_of(static_cast<TokenId>(id));
      if (!shown && arguments.flag("strip_first_space") && token.starts_with(' ')) token.remove_prefix(1);
      shown = true;
      bytes += token;
    }
    emitted[count++] = static_cast<std::int32_t>(text_of_bytes(bytes, false).size());
  }
  const std::string text = text_of_bytes(bytes, true);
  emitted[count] = static_cast<std::int32_t>(text.size());
  const auto out = outputs.at("text").as<std::uint8_t>();
  std::fill(std::copy(text.begin(), text.end(), out.begin()), out.end(), std::uint8_t{0});
}

}  // namespace assay::reference::tokenizer
