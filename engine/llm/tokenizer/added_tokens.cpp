#include "engine/llm/tokenizer/added_tokens.hpp"

#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/vocabulary/utf8.hpp"
#include "kernels/unicode/properties.hpp"

namespace assay::tokenizer {
namespace {

namespace unicode = kernels::unicode;

bool is_space(char32_t point) {
  return (unicode::properties_of(point) & unicode::white_space) != 0;
}

/// \w: letters, marks (which both runs of o200k take), numbers, connectors and joiners.
bool is_word(char32_t point) {
  constexpr unsigned runs = unicode::upper_run | unicode::lower_run;
  const unsigned properties = unicode::properties_of(point);
  return (properties & (unicode::letter | unicode::number)) != 0 || (properties & runs) == runs ||
         point == '_' || point == 0x203F || point == 0x2040 || point == 0x2054 || point == 0xFE33 ||
         point == 0xFE34 || (point >= 0xFE4D && point <= 0xFE4F) || point == 0xFF3F || point == 0x200C ||
         point == 0x200D;
}

/// Where the character before `end` begins; what is no UTF-8 counts as a character of one byte.
std::size_t last_character(std::string_view text, std::size_t end) {
  for (std::size_t size = 1; size <= 4 && size <= end; ++size) {
    const Utf8Step step = utf8_step(text.substr(end - size, size));
    if (step.kind == Utf8Step::Kind::character && step.size == size) return end - size;
  }
  return end - 1;
}

bool is_space_at(std::string_view text, std::size_t at) {
  return utf8_step(text.substr(at)).kind == Utf8Step::Kind::character &&
         is_space(first_code_point(text.substr(at)));
}
bool is_word_at(std::string_view text, std::size_t at) {
  return utf8_step(text.substr(at)).kind == Utf8Step::Kind::character &&
         is_word(first_code_point(text.substr(at)));
}

}  // namespace

AddedTokens::AddedTokens(std::span<const AddedToken> tokens, std::span<const std::string> texts)
    : tokens_(tokens.begin(), tokens.end()), nodes_(1) {
  for (std::uint32_t index = 0; index < tokens_.size(); ++index) {
    const std::string& text = texts[index];
    if (text.empty()) continue;
    begins_[static_cast<std::uint8_t>(text[0])] = true;
    std::uint32_t node = 0;
    for (const char letter : text) {
      const auto byte = static_cast<std::uint8_t>(letter);
      auto& next = nodes_[node].next;
      const auto at = std::lower_bound(next.begin(), next.end(), std::pair{byte, std::uint32_t{0}});
      if (at != next.end() && at->first == byte) {
        node = at->second;
        continue;
      }
      const auto made = static_cast<std::uint32_t>(nodes_.size());
      next.insert(at, {byte, made});
      nodes_.emplace_back();
      node = made;
    }
    if (nodes_[node].token == no_token) nodes_[node].token = index;
  }
}

std::optional<std::pair<std::uint32_t, std::size_t>> AddedTokens::longest(std::string_view text,
                                                                          bool specials) const {
  std::optional<std::pair<std::uint32_t, std::size_t>> found;
  const Node* node = nodes_.data();
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    const auto next =
        std::lower_bound(node->next.begin(), node->next.end(), std::pair{byte, std::uint32_t{0}});
    if (next == node->next.end() || next->first != byte) break;
    node = &nodes_[next->second];
    if (node->token == no_token) continue;
    const bool counts =
        specials || !tokens_[node->token].special || mutant("tokenizer.encode.added_special_always");
    if (counts && (!found || !mutant("tokenizer.encode.added_shortest"))) found = {node->token, at + 1};
  }
  return found;
}

bool AddedTokens::fits(const AddedToken& token, std::string_view text, std::size_t begin,
                       std::size_t end) const {
  if (!token.single_word || mutant("tokenizer.encode.added_single_word_ignored")) return true;
  const bool word_before = begin > 0 && is_word_at(text, last_character(text, begin));
  const bool word_after = end < text.size() && is_word_at(text, end);
  return !word_before && !word_after;
}

void AddedTokens::split(std::string_view text, bool specials, std::span<const TextSpan> plain,
                        std::vector<TextPart>& parts) const {
  std::size_t done = 0;  // everything before is in a part
  for (std::size_t at = 0; at < text.size();) {
    if (!begins_[static_cast<std::uint8_t>(text[at])]) {
      ++at;
      continue;
    }
    while (!plain.empty() && plain.front().end <= at) plain = plain.subspan(1);
    auto found = longest(text.substr(at), specials);
    if (found && !plain.empty() && at + found->second > plain.front().begin)
      found = longest(text.substr(at), false);
    if (!found) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[found->first];
    std::size_t begin = at;
    std::size_t end = at + found->second;
    at = end;
    if (begin < done || !fits(token, text, begin, end)) continue;
    if (token.lstrip && !mutant("tokenizer.encode.added_lstrip_ignored"))
      while (begin > done && is_space_at(text, last_character(text, begin)))
        begin = last_character(text, begin);
    if (token.rstrip && !mutant("tokenizer.encode.added_rstrip_ignored"))
      while (end < text.size() && is_space_at(text, end)) end += utf8_step(text.substr(end)).size;
    if (begin > done) parts.push_back({done, begin, no_token});
    parts.push_back({begin, end, token.id});
    done = end;
  }
  if (done < text.size() && !(done > 0 && mutant("tokenizer.encode.added_end_lost")))
    parts.push_back({done, text.size(), no_token});
}

}  // namespace assay::tokenizer
