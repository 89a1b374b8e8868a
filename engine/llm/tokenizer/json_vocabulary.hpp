#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/json_tree.hpp"
#include "engine/vocabulary/vocabulary.hpp"

namespace assay::tokenizer {

/// A refusal of a part of a JSON document: "FILE: model.vocab: what at byte N".
InputError json_refusal(const std::string& file, std::string_view path, const io::JsonNode& node,
                        const std::string& what);

/// Whether ids up to `highest` are too many for so many tokens: numbers may be left out, but a small file may
/// not ask for a large vocabulary of nothing.
constexpr bool leaves_too_much_out(std::size_t highest, std::size_t tokens) {
  return highest > 2 * tokens + 1024;
}

/// Tokens of a JSON object {"text": id, ..} in the order of their ids, texts as the file has them.
struct NumberedTexts {
  struct Entry {
    io::JsonNode node;  ///< its key is the text
    TokenId id;
  };
  std::vector<Entry> entries;
};

/// Checks the ids and sorts by them; numbers may be left out. Refused: what is no object, ids that are no
/// whole numbers below `max_tokens` or are repeated, empty or too long texts, an empty object.
Result<NumberedTexts> numbered_texts(const std::string& file, std::string_view path,
                                     const io::JsonNode& node);

}  // namespace assay::tokenizer
