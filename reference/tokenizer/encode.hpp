#pragma once

#include <cstddef>

#include "engine/tokenizers/arguments.hpp"
#include "reference/text/encoder.hpp"

namespace assay::reference::tokenizer {

/// The literal loop over the pieces of the published patterns.
inline void run_encode(const Arguments& arguments, const Outputs& outputs) {
  const TokenizerDescription description = tokenizers::tokenizer_of("tokenizer.encode", arguments);
  const auto ids = outputs.at("ids").as<std::int32_t>();
  const auto ends = outputs.at("ends").as<std::int32_t>();
  std::vector<TokenId> found;
  std::vector<std::uint32_t> found_ends;
  Encoder(description).encode(tokenizers::text_of("tokenizer.encode", arguments), found, &found_ends);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = i < found.size() ? static_cast<std::int32_t>(found[i]) : -1;
    ends[i] = i < found.size() ? static_cast<std::int32_t>(found_ends[i]) : -1;
  }
}

}  // namespace assay::reference::tokenizer
