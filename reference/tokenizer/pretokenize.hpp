#pragma once

#include "engine/tokenizers/arguments.hpp"
#include "reference/text/split.hpp"

namespace assay::reference::tokenizer {

/// The published patterns, by PCRE2.
inline void run_pretokenize(const Arguments& arguments, const Outputs& outputs) {
  const std::string_view text = tokenizers::text_of("tokenizer.pretokenize", arguments);
  const auto ends = outputs.at("ends").as<std::uint8_t>();
  for (std::uint8_t& end : ends) end = 0;
  for (const std::string_view piece : Split(tokenizers::split_of(arguments))(text))
    ends[static_cast<std::size_t>(piece.data() + piece.size() - 1 - text.data())] = 1;
}

}  // namespace assay::reference::tokenizer
