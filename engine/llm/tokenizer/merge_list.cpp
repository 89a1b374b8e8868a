#include "engine/llm/tokenizer/merge_list.hpp"

#include "engine/io/bytes.hpp"

namespace assay::tokenizer {

std::string quoted(std::string_view text) {
  return '"' + io::printable(text) + '"';
}

std::optional<std::string> MergeList::add(std::string_view left, std::string_view right) {
  bytes_.clear();
  if (!spelling_(left, bytes_)) return quoted(left) + " has a character outside the byte-level alphabet";
  const std::size_t middle = bytes_.size();
  if (!spelling_(right, bytes_)) return quoted(right) + " has a character outside the byte-level alphabet";
  const std::string_view bytes = bytes_;
  Merge merge{};
  merge.left = tokens_.find(bytes.substr(0, middle));
  if (merge.left == no_token) return quoted(left) + " is no token";
  merge.right = tokens_.find(bytes.substr(middle));
  if (merge.right == no_token) return quoted(right) + " is no token";
  const TokenId last = merges_.empty() ? 0 : merges_.back().result;
  merge.result = tokens_.find(bytes, last + 1);
  if (merge.result == no_token)
    return quoted(left) + " and " + quoted(right) + " do not make a token together";
  merges_.push_back(merge);
  return std::nullopt;
}

std::optional<std::string> MergeList::add(std::string_view both) {
  // The byte-level alphabet has no space, and SentencePiece's tokens none but U+2581: the only one parts the
  // two.
  const std::size_t space = both.find(' ');
  if (space == std::string_view::npos || space == 0 || space + 1 == both.size() ||
      both.find(' ', space + 1) != std::string_view::npos)
    return quoted(both) + " is no merge, expected two tokens and one space between them";
  return add(both.substr(0, space), both.substr(space + 1));
}

}  // namespace assay::tokenizer
