#include "reference/text/whole_text.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdexcept>

#include "reference/text/encoder.hpp"
#include "reference/text/normal_form.hpp"

namespace assay::reference {
namespace {

/// Bytes of the match of a pattern that is anchored in the text, from `from` on; nothing: -1.
int matched(const std::string& pattern, std::string_view text, std::size_t from) {
  int fault = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* const code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                         PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED, &fault, &at, nullptr);
  if (code == nullptr) throw std::runtime_error("PCRE2 does not take the pattern " + pattern);
  pcre2_match_data* const match = pcre2_match_data_create_from_pattern(code, nullptr);
  const int found =
      pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from, 0, match, nullptr);
  const PCRE2_SIZE* const range = pcre2_get_ovector_pointer(match);
  const int size = found < 0 ? -1 : static_cast<int>(range[1] - range[0]);
  pcre2_match_data_free(match);
  pcre2_code_free(code);
  return size;
}

const std::string space =
    R"([\t-\r\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}])";
const std::string word = R"([\p{L}\p{M}\p{N}\p{Pc}\x{200C}\x{200D}])";

/// An added token and the text that is looked for.
struct Sought {
  const AddedToken* token;
  std::string text;
};

struct Part {
  std::string text;
  TokenId token = no_token;
};

std::vector<Part> parts_of(const std::string& text, const std::vector<Sought>& sought) {
  std::vector<Part> parts;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Sought* best = nullptr;
    for (const Sought& each : sought)
      if (!each.text.empty() && text.compare(at, each.text.size(), each.text) == 0 &&
          (best == nullptr || each.text.size() > best->text.size()))
        best = &each;
    if (best == nullptr || at < done) {
      at += best == nullptr ? 1 : best->text.size();
      continue;
    }
    std::size_t begin = at, end = at + best->text.size();
    at = end;
    if (best->token->single_word &&
        (matched("(?<=" + word + ")", text, begin) >= 0 || matched(word, text, end) >= 0))
      continue;
    if (best->token->rstrip) end += static_cast<std::size_t>(matched(space + "*", text, end));
    if (best->token->lstrip)
      for (std::size_t from = done; from < begin; ++from)
        if ((text[from] & 0xC0) != 0x80 &&
            from + static_cast<std::size_t>(matched(space + "*", text, from)) >= begin)
          begin = from;
    if (begin > done) parts.push_back({text.substr(done, begin - done)});
    parts.push_back({text.substr(begin, end - begin), best->token->id});
    done = end;
  }
  if (done < text.size()) parts.push_back({text.substr(done)});
  return parts;
}

std::string normalised(const Specification& specification, std::string text, bool first) {
  if (specification.nfc) text = nfc(text);
  if (specification.model == TokenizerModel::sentencepiece_bpe)
    for (std::size_t mark = 0; (mark = text.find("\u2581", mark)) != std::string::npos;)
      text.replace(mark, 3, " ");
  const bool spaced = text[0] == ' ';
  const bool prefix = specification.space_prefix == SpacePrefix::every_segment ||
                      (specification.space_prefix == SpacePrefix::unless_space && !spaced) ||
                      (specification.space_prefix == SpacePrefix::first_unless_space && first && !spaced);
  return prefix ? " " + text : text;
}

}  // namespace

std::vector<TokenId> encode_whole(const TokenizerDescription& tokenizer, std::string_view text,
                                  bool parse_special) {
  const Specification& specification = tokenizer.specification;
  std::vector<Sought> plain, normal;
  for (const AddedToken& each : specification.added) {
    if (each.special && !parse_special) continue;
    if (each.normalized)
      normal.push_back({&each, normalised(specification, each.content, true)});
    else
      plain.push_back({&each, each.content});
  }
  const Encoder encoder(tokenizer);
  std::vector<TokenId> ids;
  bool first = true;
  for (const Part& part : parts_of(std::string(text), plain)) {
    if (part.token != no_token) {
      ids.push_back(part.token);
    } else {
      for (const Part& inner : parts_of(normalised(specification, part.text, first), normal)) {
        if (inner.token != no_token)
          ids.push_back(inner.token);
        else
          encoder.encode(inner.text, ids, nullptr);
      }
    }
    first = false;
  }
  return ids;
}

}  // namespace assay::reference
