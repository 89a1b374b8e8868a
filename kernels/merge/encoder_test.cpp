#include "kernels/merge/encoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "kernels/merge/loop.hpp"
#include "kernels/merge/model.hpp"
#include "kernels/merge/token_trie.hpp"
#include "kernels/merge/word_cuts.hpp"
#include "kernels/unicode/utf8.hpp"

namespace assay::kernels::merge {
namespace {

struct Part {
  TokenId id;
  std::string text;
};

/// The merge loop, word for word: the least pair, the leftmost of equals, over and over.
std::vector<TokenId> literally(const TokenizerDescription& description, const std::string& piece) {
  const Vocabulary& vocabulary = description.vocabulary;
  const Specification& specification = description.specification;
  if (specification.ignore_merges && vocabulary.find(piece) != no_token) return {vocabulary.find(piece)};
  std::vector<Part> parts;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(piece.data());
  for (std::size_t at = 0; at < piece.size();) {
    const bool characters = specification.model == TokenizerModel::sentencepiece_bpe;
    const std::size_t length =
        characters ? unicode::character_at(bytes + at, bytes + piece.size()).length : 1;
    const Part part{vocabulary.find(piece.substr(at, length)), piece.substr(at, length)};
    at += length;
    if (part.id != no_token || characters || specification.unknown != no_token) parts.push_back(part);
  }
  for (;;) {
    std::size_t best = parts.size();
    double least = 1e30;
    TokenId made = no_token;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto take = [&](double priority, TokenId id) {
        if (priority >= least) return;
        least = priority;
        best = i;
        made = id;
      };
      if (specification.merge_rule == MergeRule::pair_rank) {
        std::size_t last = vocabulary.merges().size();  // of a pair that stands twice
        for (std::size_t rank = 0; rank < vocabulary.merges().size(); ++rank) {
          const Merge& merge = vocabulary.merges()[rank];
          if (merge.left != parts[i].id || merge.right != parts[i + 1].id) continue;
          last = rank;
        }
        if (last != vocabulary.merges().size())
          take(static_cast<double>(last), vocabulary.merges()[last].result);
        continue;
      }
      const TokenId id = vocabulary.find(parts[i].text + parts[i + 1].text);
      if (id == no_token) continue;
      take(specification.merge_rule == MergeRule::token_rank ? id : -vocabulary.score_of(id), id);
    }
    if (best == parts.size()) break;
    parts[best] = {made, parts[best].text + parts[best + 1].text};
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<TokenId> ids;
  for (const Part& part : parts) {
    if (part.id != no_token)
      ids.push_back(part.id);
    else if (specification.byte_fallback)
      for (const char byte : part.text) ids.push_back(vocabulary.byte_token(static_cast<std::uint8_t>(byte)));
  }
  return ids;
}

enum class Order { as_made, shuffled };

/// Tokens of a few letters that merges lead to, several merges to some, some merges twice, and tokens that
/// none leads to. `as_made` has each merge behind those of its parts, as training makes them; `shuffled` does
/// not.
TokenizerDescription drawn(Philox& random, MergeRule rule, Order order, TokenizerModel model) {
  const bool characters = model == TokenizerModel::sentencepiece_bpe;
  std::vector<std::string> alphabet = {"a", "b", " "};
  if (random.below(2) == 0) alphabet.emplace_back("c");
  if (characters) alphabet.emplace_back("\xC3\xA9");
  std::vector<std::string> tokens;
  if (characters) {
    tokens = alphabet;
  } else {
    const bool lacking = random.below(4) == 0;  // c may have no token
    for (int byte = 0; byte < 256; ++byte)
      if (!lacking || byte != 'c') tokens.emplace_back(1, static_cast<char>(byte));
    if (lacking) std::erase(alphabet, "c");
  }
  std::vector<std::pair<std::string, std::string>> merges;
  std::vector<std::string> made = alphabet;
  for (std::size_t left = random.below(60) + 1; left > 0; --left) {
    const std::string a = made[random.below(made.size())], b = made[random.below(made.size())];
    if (a.size() + b.size() > 40) continue;
    merges.emplace_back(a, b);
    if (std::find(tokens.begin(), tokens.end(), a + b) != tokens.end()) continue;
    tokens.push_back(a + b);
    made.push_back(a + b);
  }
  for (std::size_t left = random.below(4); left > 0; --left) {
    std::string text;
    for (std::size_t length = random.below(20) + 2; length > 0; --length)
      text += made[random.below(alphabet.size())];
    if (std::find(tokens.begin(), tokens.end(), text) == tokens.end()) tokens.push_back(text);
  }
  const auto shuffle = [&](auto& list, std::size_t from) {
    for (std::size_t i = list.size(); i > from + 1; --i)
      std::swap(list[i - 1], list[from + random.below(i - from)]);
  };
  if (order == Order::shuffled) {
    shuffle(merges, 0);
    shuffle(tokens, 0);
  }
  VocabularyBuilder builder;
  for (const std::string& token : tokens) builder.add(token, TokenKind::normal);
  std::vector<float> scores;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    scores.push_back(order == Order::as_made ? -static_cast<float>(i) : static_cast<float>(random.below(5)));
  if (characters) {
    for (int byte = 0; byte < 256; ++byte) {
      builder.add(std::string(1, static_cast<char>(byte)), TokenKind::byte);
      scores.push_back(0);
    }
  }
  builder.index();
  std::vector<Merge> list;
  for (const auto& [a, b] : merges) list.push_back({builder.find(a), builder.find(b), builder.find(a + b)});
  if (rule == MergeRule::pair_rank) builder.set_merges(std::move(list));
  if (rule == MergeRule::token_score) builder.set_scores(std::move(scores));
  TokenizerDescription description;
  description.vocabulary = builder.build();
  description.specification.model = model;
  description.specification.merge_rule = rule;
  description.specification.byte_fallback = characters;
  description.specification.ignore_merges = !characters && random.below(4) == 0;
  return description;
}

std::string drawn_text(Philox& random, std::size_t most, bool characters) {
  const std::vector<std::string> letters = {
      "a", "b", "c", " ", characters ? "\xC3\xA9" : "a", characters ? "\xE4\xB8\xAD" : "b"};
  std::string text;
  const std::size_t repeated = random.below(3);
  std::string unit = letters[random.below(letters.size())] + letters[random.below(letters.size())];
  for (std::size_t left = random.below(most) + 1; left > 0; --left)
    text += repeated == 0 ? unit : letters[random.below(random.below(4) == 0 ? letters.size() : 2)];
  return text;
}

/// Every rule, model and order; a text of up to `most` letters for each of some vocabularies.
void compare(std::size_t most, int vocabularies, int texts) {
  Philox random(most);
  for (int i = 0; i < vocabularies; ++i) {
    for (const MergeRule rule : {MergeRule::pair_rank, MergeRule::token_rank, MergeRule::token_score})
      for (const Order order : {Order::as_made, Order::shuffled})
        for (const TokenizerModel model :
             {TokenizerModel::byte_level_bpe, TokenizerModel::sentencepiece_bpe}) {
          const TokenizerDescription description = drawn(random, rule, order, model);
          const auto encoder = make_encoder(description);
          for (int j = 0; j < texts; ++j) {
            const std::string text = drawn_text(random, most, model == TokenizerModel::sentencepiece_bpe);
            std::vector<TokenId> ids;
            std::vector<std::uint32_t> ends;
            encoder->encode(text, ids, j % 2 ? &ends : nullptr);
            ASSERT_EQ(ids, literally(description, text))
                << text << " rule " << static_cast<int>(rule) << " order " << static_cast<int>(order)
                << " model " << static_cast<int>(model);
            if (j % 2 == 0) continue;
            ASSERT_EQ(ends.size(), ids.size());
            if (description.vocabulary.find("c") == no_token) continue;  // left out of texts
            ASSERT_EQ(ends.back(), text.size());
            std::uint32_t from = 0;
            for (std::size_t at = 0; at < ids.size(); from = ends[at++])
              ASSERT_EQ(text.substr(from, ends[at] - from), description.vocabulary.bytes_of(ids[at]));
          }
        }
  }
}

TEST(Encoder, ShortPiecesAreWhatTheLoopMakes) {
  compare(12, 100, 20);
}

TEST(Encoder, LongPiecesAreWhatTheLoopMakes) {
  compare(120, 60, 6);
}

TEST(Encoder, TheHeapMakesWhatTheArraysMake) {
  Philox random(9);
  for (int i = 0; i < 300; ++i) {
    const auto rule = static_cast<MergeRule>(random.below(3));
    const TokenizerDescription description =
        drawn(random, rule, Order::shuffled, TokenizerModel::byte_level_bpe);
    const Rules rules(description.vocabulary, description.specification);
    Loop loop(rules);
    const std::string text = drawn_text(random, 150, false) + std::string(50, 'a');
    std::vector<TokenId> ids;
    for (const Symbol& symbol : loop.merge(text)) ids.push_back(symbol.id);
    TokenizerDescription merged{description.vocabulary, description.specification};
    merged.specification.ignore_merges = false;
    if (description.vocabulary.find("c") == no_token) continue;  // left out before the loop
    ASSERT_EQ(ids, literally(merged, text)) << text;
  }
}

TEST(Encoder, TheTrieFindsTheLongestToken) {
  Philox random(10);
  for (int i = 0; i < 200; ++i) {
    const TokenizerDescription description =
        drawn(random, MergeRule::token_rank, Order::shuffled, TokenizerModel::byte_level_bpe);
    const TokenTrie trie(description.vocabulary);
    ASSERT_TRUE(trie.usable());
    for (int j = 0; j < 50; ++j) {
      const std::string text = drawn_text(random, 30, false);
      TokenId longest = no_token;
      for (std::size_t length = 1; length <= text.size(); ++length)
        if (const TokenId id = description.vocabulary.find(text.substr(0, length)); id != no_token)
          longest = id;
      const TokenTrie::Match match = trie.longest(text);
      ASSERT_EQ(match.id, longest) << text;
      if (longest == no_token) continue;
      ASSERT_EQ(match.length, description.vocabulary.bytes_of(longest).size()) << text;
    }
  }
}

TEST(Encoder, TextIsCutWhereNoTokenHasBothBytes) {
  VocabularyBuilder builder;
  for (const char* token : {"a", " ", " a", "ab", "ba b"}) builder.add(token, TokenKind::normal);
  const Vocabulary vocabulary = builder.build();
  const WordCuts cuts(vocabulary);
  const std::string text = "aab a b\xC3\xA9";
  const auto* begin = reinterpret_cast<const std::uint8_t*>(text.data());
  std::vector<std::ptrdiff_t> ends;
  for (const auto* at = begin; at < begin + text.size();) {
    at = cuts.piece_end(at, begin + text.size());
    ends.push_back(at - begin);
  }
  EXPECT_EQ(ends, (std::vector<std::ptrdiff_t>{1, 3, 7, 9}));
}

TEST(Encoder, ManyThreadsEncodeAsOneDoes) {
  Philox random(11);
  const TokenizerDescription description =
      drawn(random, MergeRule::pair_rank, Order::as_made, TokenizerModel::byte_level_bpe);
  const auto encoder = make_encoder(description);
  std::vector<std::string> texts;
  std::vector<std::vector<TokenId>> expected;
  for (int i = 0; i < 200; ++i) {
    texts.push_back(drawn_text(random, 60, false));
    expected.push_back(literally(description, texts.back()));
  }
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < texts.size(); ++i) {
        std::vector<TokenId> ids;
        encoder->encode(texts[i], ids, nullptr);
        wrong[t] += ids != expected[i];
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(Encoder, PiecesOfTheSplitAreMergedApart) {
  VocabularyBuilder builder;
  for (int byte = 0; byte < 256; ++byte)
    builder.add(std::string(1, static_cast<char>(byte)), TokenKind::normal);
  builder.add("a ", TokenKind::normal);  // 256: across pieces, so never
  builder.add(" a", TokenKind::normal);  // 257
  builder.index();
  builder.set_merges({{'a', ' ', 256}, {' ', 'a', 257}});
  TokenizerDescription description{builder.build(), {}};
  for (const std::vector<SplitStep>& steps :
       {std::vector{SplitStep::gpt2}, std::vector{SplitStep::number, SplitStep::gpt2}}) {
    description.specification.split = steps;
    std::vector<TokenId> ids, piece;
    const auto encoder = make_encoder(description);
    encoder->encode("a a a", ids, nullptr);
    EXPECT_EQ(ids, (std::vector<TokenId>{'a', 257, 257}));
    encoder->encode_piece("a a a", piece, nullptr);
    EXPECT_EQ(piece, (std::vector<TokenId>{256, 256, 'a'}));
  }
}

}  // namespace
}  // namespace assay::kernels::merge
