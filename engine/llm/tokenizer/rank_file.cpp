#include "engine/llm/tokenizer/rank_file.hpp"

#include <algorithm>
#include <charconv>

#include "engine/llm/tokenizer/description_checks.hpp"
#include "engine/llm/tokenizer/json_vocabulary.hpp"
#include "engine/llm/tokenizer/merge_list.hpp"
#include "engine/llm/tokenizer/pre_tokenizer_names.hpp"

namespace assay::tokenizer {
namespace {

constexpr int sextet(char letter) {
  if (letter >= 'A' && letter <= 'Z') return letter - 'A';
  if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
  if (letter >= '0' && letter <= '9') return letter - '0' + 52;
  return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

/// Base64 with its padding (RFC 4648): appends the bytes, false where it is none.
bool append_base64(std::string_view text, std::string& bytes) {
  if (text.size() % 4 != 0) return false;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  text.remove_suffix(padding);
  std::uint32_t held = 0;
  int bits = 0;
  for (const char letter : text) {
    const int value = sextet(letter);
    if (value < 0) return false;
    held = (held << 6 | static_cast<std::uint32_t>(value)) & 0xFFFF;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xFF);
  }
  return true;
}

struct Ranked {
  std::uint32_t rank;
  std::uint32_t at, size;  ///< in the bytes of all tokens
  std::uint64_t line;
};

InputError refusal(const std::string& name, std::uint64_t line, const std::string& what,
                   InputError::Code code = InputError::Code::malformed) {
  return {code,
          name + ": " + (line > 0 ? "line " + std::to_string(line) + ": " : std::string()) + what,
          {},
          line > 0 ? std::optional(line) : std::nullopt,
          {}};
}

/// One line without its break. Returns what is wrong with it, or nothing.
std::optional<std::string> read_line(std::string_view text, std::string& bytes, Ranked& ranked) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos)
    return "is " + quoted(text) + ", expected a token in base64, a space and its rank";
  ranked.at = static_cast<std::uint32_t>(bytes.size());
  if (!append_base64(text.substr(0, space), bytes))
    return "has the token " + quoted(text.substr(0, space)) + ", expected base64";
  ranked.size = static_cast<std::uint32_t>(bytes.size()) - ranked.at;
  if (ranked.size == 0 || ranked.size > max_token_bytes)
    return "has a token of " + std::to_string(ranked.size) + " bytes, expected 1 to " +
           std::to_string(max_token_bytes);
  const std::string_view number = text.substr(space + 1);
  const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), ranked.rank);
  if (fault != std::errc{} || end != number.data() + number.size() || ranked.rank >= max_tokens)
    return "has the rank " + quoted(number) + ", expected a number below " + std::to_string(max_tokens);
  return std::nullopt;
}

}  // namespace

Result<TokenizerDescription> read_rank_file(const std::string& name, std::string_view bytes,
                                            const std::string& pre) {
  const PreTokenizer* const named = find_pre_tokenizer(pre);
  if (named == nullptr)
    return refusal(name, 0,
                   (pre.empty() ? "a .tiktoken file does not say how text is split: name it (--pre)"
                                : "the pre-tokenizer " + quoted(pre) + " is unknown, expected") +
                       std::string(pre.empty() ? ", one of " : " one of ") + pre_tokenizer_names());
  if (bytes.size() >= std::size_t{1} << 31)
    return refusal(name, 0, "has " + std::to_string(bytes.size()) + " bytes, expected less than 2^31",
                   InputError::Code::too_large);
  std::string tokens;
  std::vector<Ranked> ranks;
  std::uint64_t line = 0;
  while (!bytes.empty()) {
    ++line;
    std::string_view text = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(bytes.size(), text.size() + 1));
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (text.empty()) continue;
    Ranked ranked{.rank = 0, .at = 0, .size = 0, .line = line};
    if (const auto wrong = read_line(text, tokens, ranked)) return refusal(name, line, *wrong);
    if (ranks.size() == max_tokens) return refusal(name, line, "is one token too many");
    ranks.push_back(ranked);
  }
  if (ranks.empty()) return refusal(name, 0, "holds no tokens");
  std::stable_sort(ranks.begin(), ranks.end(),
                   [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });

  if (leaves_too_much_out(ranks.back().rank, ranks.size()))
    return refusal(name, ranks.back().line,
                   "has the rank " + std::to_string(ranks.back().rank) + " among " +
                       std::to_string(ranks.size()) + " tokens, expected ranks without large gaps");
  VocabularyBuilder builder;
  builder.reserve(ranks.back().rank + std::size_t{1}, tokens.size());
  for (const Ranked& each : ranks) {
    if (each.rank < builder.size())
      return refusal(name, each.line, "has the rank " + std::to_string(each.rank) + " of an earlier line");
    while (builder.size() < each.rank) builder.add({}, TokenKind::unused);
    builder.add(std::string_view(tokens).substr(each.at, each.size), TokenKind::normal);
  }
  builder.index();
  for (const Ranked& each : ranks)
    if (builder.find(builder.bytes_of(each.rank)) != each.rank)
      return refusal(name, each.line, "has a token that has another rank too");

  TokenizerDescription made;
  made.vocabulary = builder.build();
  made.specification.merge_rule = MergeRule::token_rank;
  made.specification.split = named->split;
  made.specification.nfc = named->nfc;
  // tiktoken looks a piece up before it merges.
  made.specification.ignore_merges = true;
  if (const auto missing = what_is_missing(made)) return refusal(name, 0, *missing);
  return made;
}

}  // namespace assay::tokenizer
