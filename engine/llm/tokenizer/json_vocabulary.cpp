#include "engine/llm/tokenizer/json_vocabulary.hpp"

#include <algorithm>

#include "engine/llm/tokenizer/merge_list.hpp"

namespace assay::tokenizer {

InputError json_refusal(const std::string& file, std::string_view path, const io::JsonNode& node,
                        const std::string& what) {
  return {InputError::Code::malformed,
          file + ": " + std::string(path) + " " + what + " at byte " + std::to_string(node.offset()),
          node.offset(),
          {},
          {}};
}

Result<NumberedTexts> numbered_texts(const std::string& file, std::string_view path,
                                     const io::JsonNode& node) {
  if (!node.is(io::JsonKind::object))
    return json_refusal(file, path, node,
                        "is " + std::string(name_of(node.kind())) + ", expected an object of ids by token");
  NumberedTexts made;
  for (io::JsonNode each = node.first(); each; each = each.next()) {
    const std::string_view text = each.key();
    const std::optional<std::uint64_t> id = each.whole();
    if (!id || *id >= max_tokens)
      return json_refusal(file, path, each,
                          "has no id for the token " + quoted(text) + ", expected a whole number below " +
                              std::to_string(max_tokens));
    if (text.empty() || text.size() > max_token_bytes)
      return json_refusal(file, path, each,
                          "has a token of " + std::to_string(text.size()) + " bytes, expected 1 to " +
                              std::to_string(max_token_bytes));
    made.entries.push_back({each, static_cast<TokenId>(*id)});
  }
  if (made.entries.empty()) return json_refusal(file, path, node, "holds no tokens");
  const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
  if (!std::is_sorted(made.entries.begin(), made.entries.end(), by_id))
    std::stable_sort(made.entries.begin(), made.entries.end(), by_id);
  for (std::size_t i = 1; i < made.entries.size(); ++i)
    if (made.entries[i].id == made.entries[i - 1].id)
      return json_refusal(file, path, made.entries[i].node,
                          "has the id " + std::to_string(made.entries[i].id) + " for " +
                              quoted(made.entries[i - 1].node.key()) + " and " +
                              quoted(made.entries[i].node.key()));
  if (const TokenId highest = made.entries.back().id; leaves_too_much_out(highest, made.entries.size()))
    return json_refusal(file, path, made.entries.back().node,
                        "has the id " + std::to_string(highest) + " among " +
                            std::to_string(made.entries.size()) + " tokens, expected ids without large gaps");
  return made;
}

}  // namespace assay::tokenizer
