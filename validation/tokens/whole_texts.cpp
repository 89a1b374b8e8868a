#include "validation/tokens/whole_texts.hpp"

#include <algorithm>
#include <array>

#include <rapidcheck.h>

#include "engine/analysis/splitmix.hpp"
#include "engine/llm/tokenizer/cpu_engine.hpp"
#include "engine/llm/tokenizer/decoder.hpp"
#include "engine/llm/tokenizer/tokenizer.hpp"
#include "engine/vocabulary/utf8.hpp"
#include "reference/text/normal_form.hpp"
#include "reference/text/whole_text.hpp"
#include "validation/generators.hpp"
#include "validation/tokens/texts.hpp"
#include "validation/tokens/vocabularies.hpp"

namespace assay::validation::tokens {
namespace {

using assay::tokenizer::Encoding;
using assay::tokenizer::Tokenizer;

/// Contents of added tokens: beginnings of each other, words, spaces, what normalisation changes.
const std::vector<std::string> contents = {"<s>",     "<s>a",    "s>", "the",  "[x]", "\u00E9",
                                           "e\u0301", "\u2581a", "1",  "\n\n", " ",   "'s"};

/// A tokenizer of a recipe with added tokens behind, and a text in which they stand.
struct Whole {
  Recipe recipe;
  std::vector<int> added;  ///< flags of each of `contents`, bit by bit; -1: it is not added
  bool nfc = false;
  SpacePrefix prefix = SpacePrefix::never;
  Text text;
  std::uint64_t seed = 0;  ///< of the places where contents stand

  TokenizerDescription description() const {
    TokenizerDescription made = recipe.description();
    VocabularyBuilder builder;
    std::vector<float> scores;
    for (TokenId id = 0; id < made.vocabulary.size(); ++id) {
      builder.add(made.vocabulary.bytes_of(id), made.vocabulary.kind_of(id));
      scores.push_back(made.vocabulary.score_of(id));
    }
    for (std::size_t i = 0; i < added.size(); ++i) {
      if (added[i] < 0) continue;
      const auto flag = [&](int bit) { return (added[i] >> bit & 1) != 0; };
      made.specification.added.push_back({.id = static_cast<TokenId>(builder.size()),
                                          .content = contents[i],
                                          .special = flag(0),
                                          .lstrip = flag(1),
                                          .rstrip = flag(2),
                                          .single_word = flag(3),
                                          .normalized = flag(4)});
      builder.add(contents[i], flag(0) ? TokenKind::control : TokenKind::user_defined);
      scores.push_back(0);
    }
    builder.set_merges({made.vocabulary.merges().begin(), made.vocabulary.merges().end()});
    if (made.vocabulary.has_scores()) builder.set_scores(scores);
    made.vocabulary = builder.build();
    made.specification.nfc = nfc;
    made.specification.space_prefix = prefix;
    return made;
  }
  std::string bytes() const {
    analysis::SplitMix64 random(seed);
    std::string made;
    for (const int part : text.parts) {
      if (random.next() % 3 == 0) made += contents[random.next() % contents.size()];
      made += atoms()[static_cast<std::size_t>(part)];
    }
    return made;
  }
};

Whole drawn(std::int64_t flags) {
  Whole whole{.recipe = *recipes(40)};
  for (std::size_t i = 0; i < contents.size(); ++i)
    whole.added.push_back(static_cast<int>(*integers(-1, flags, "flags of an added token")));
  whole.nfc = *integers(0, 1, "nfc") == 1;
  whole.prefix = static_cast<SpacePrefix>(*integers(0, 3, "space in front"));
  whole.text = *texts(12);
  whole.seed = static_cast<std::uint64_t>(*integers(0, 1 << 20, "places of added tokens"));
  // SentencePiece's marks and NFC are not asked for together by any model.
  if (whole.recipe.model == TokenizerModel::sentencepiece_bpe) whole.nfc = false;
  return whole;
}

Encoding encoded(const std::shared_ptr<const TokenizerDescription>& description, std::string_view text,
                 bool specials) {
  const Tokenizer tokenizer(description, assay::tokenizer::make_cpu_engine(description));
  const Result<Encoding> made = tokenizer.encode(text, {.parse_special = specials, .offsets = true});
  if (!made) throw Failed(made.error().message);
  return made.value();
}

std::string shown(const std::vector<TokenId>& ids) {
  std::string text;
  for (const TokenId id : ids) text += (text.empty() ? "" : ",") + std::to_string(id);
  return text;
}

void compare_ids(Probe& probe, const Whole& whole, const std::string& text, const std::string& other) {
  const auto description = std::make_shared<const TokenizerDescription>(whole.description());
  for (const bool specials : {true, false}) {
    const std::vector<TokenId> ids = encoded(description, text, specials).ids;
    const std::vector<TokenId> expected = reference::encode_whole(*description, other, specials);
    probe.expect(ids == expected,
                 "ids of \"" + text + "\": got " + shown(ids) + ", expected " + shown(expected));
  }
}

/// The bytes that a part of the text comes to.
std::string as_normalised(const TokenizerDescription& description, std::string part) {
  // Tokens may part a character that stayed as it is.
  if (description.specification.nfc && valid_prefix(part) == part.size()) part = reference::nfc(part);
  if (description.specification.model == TokenizerModel::sentencepiece_bpe)
    for (std::size_t mark = 0; (mark = part.find("\u2581", mark)) != std::string::npos;)
      part.replace(mark, 3, " ");
  return part;
}

/// Tokens whose spans lie in each other stand for one part together.
void compare_spans(Probe& probe, const TokenizerDescription& description, const Encoding& encoding,
                   const std::string& text) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < encoding.ids.size();) {
    std::size_t end = encoding.spans[i].end;
    const std::size_t begin = encoding.spans[i].begin;
    std::string bytes(description.vocabulary.bytes_of(encoding.ids[i]));
    std::size_t next = i + 1;
    for (; next < encoding.ids.size() && encoding.spans[next].begin < end; ++next) {
      end = std::max<std::size_t>(end, encoding.spans[next].end);
      bytes += description.vocabulary.bytes_of(encoding.ids[next]);
    }
    probe.expect(begin == done && end >= begin && end <= text.size(),
                 "a token begins where the one before ends");
    // A space in front is of no part of the text.
    const std::string part = as_normalised(description, text.substr(begin, end - begin));
    probe.expect(bytes == part || bytes == " " + part,
                 "token " + std::to_string(i) + " is \"" + bytes + "\" of \"" + part + "\"");
    done = end;
    i = next;
  }
  probe.expect(done == text.size(), "the last token ends with the text");
}

}  // namespace

void whole_texts_match(Probe& probe) {
  const Whole whole = drawn(31);
  compare_ids(probe, whole, whole.bytes(), whole.bytes());
}

void other_texts_match(Probe& probe) {
  compare_ids(probe, {.added = {}}, "a", "b");
}

void spans_are_the_tokens(Probe& probe) {
  Whole whole = drawn(-1);
  whole.recipe.lacks_symbols = false;  // what has no token has no bytes of its own
  whole.prefix = whole.prefix == SpacePrefix::never ? SpacePrefix::never : SpacePrefix::every_segment;
  const auto description = std::make_shared<const TokenizerDescription>(whole.description());
  const std::string text = whole.bytes();
  const Encoding encoding = encoded(description, text, true);
  if (description->specification.model == TokenizerModel::sentencepiece_bpe &&
      !description->specification.byte_fallback)
    return;
  compare_spans(probe, *description, encoding, text);
}

void other_spans_are_the_tokens(Probe& probe) {
  const auto description = std::make_shared<const TokenizerDescription>(Whole{.added = {}}.description());
  compare_spans(probe, *description, encoded(description, "a b", true), "a c");
}

namespace {

/// Any character but the surrogates, of each length of UTF-8 as often.
std::string random_character(analysis::SplitMix64& random) {
  constexpr std::array<std::uint32_t, 5> begins = {0, 0x80, 0x800, 0x10000, 0x110000};
  const std::size_t length = random.next() % 4;
  std::uint32_t point =
      begins[length] + static_cast<std::uint32_t>(random.next() % (begins[length + 1] - begins[length]));
  if (point >= 0xD800 && point < 0xE000) point -= 0x1000;
  return reference::utf8_of(point);
}

void compare_round_trips(Probe& probe, std::int64_t strings, std::string_view behind) {
  Recipe recipe{.tokens = 200, .split = 2, .seed = probe.seed()};
  const auto description = std::make_shared<const TokenizerDescription>(recipe.description());
  const Tokenizer tokenizer(description, assay::tokenizer::make_cpu_engine(description));
  analysis::SplitMix64 random(probe.seed());
  for (std::int64_t i = 0; i < strings; ++i) {
    std::string text;
    for (std::uint64_t count = random.next() % 12; count > 0; --count)
      text += random.next() % 2 == 0 ? atoms()[random.next() % atoms().size()] : random_character(random);
    const Result<Encoding> made = tokenizer.encode(text + std::string(behind));
    const bool same = made && assay::tokenizer::decode(*description, made.value().ids) == text;
    if (!same) throw Failed("\"" + text + "\" does not come back as it was");
  }
  probe.expect(strings > 0, "strings were encoded and decoded");
  probe.note("strings", std::to_string(strings));
}

}  // namespace

void ten_million_strings_come_back(Probe& probe) {
  compare_round_trips(probe, 10'000'000, "");
}

void another_string_comes_back(Probe& probe) {
  compare_round_trips(probe, 1, "x");
}

}  // namespace assay::validation::tokens
