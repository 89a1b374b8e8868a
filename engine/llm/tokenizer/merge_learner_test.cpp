#include "engine/llm/tokenizer/merge_learner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "engine/runtime/philox.hpp"

namespace assay::tokenizer {
namespace {

/// Counts every pair anew before each merge.
std::vector<Merge> learn_literally(const PieceCounts& pieces, const LearningOptions& options) {
  std::vector<std::string> tokens;
  for (const std::uint8_t byte : byte_order()) tokens.emplace_back(1, static_cast<char>(byte));
  const auto find = [&](const std::string& bytes) {
    return static_cast<TokenId>(std::find(tokens.begin(), tokens.end(), bytes) - tokens.begin()) +
           options.first_byte;
  };
  std::vector<std::pair<std::vector<TokenId>, std::uint64_t>> words;
  for (const auto& [piece, count] : pieces) {
    words.emplace_back(std::vector<TokenId>(), count);
    for (const char byte : piece) words.back().first.push_back(find(std::string(1, byte)));
  }
  std::vector<Merge> merges;
  while (options.first_byte + tokens.size() < options.tokens) {
    std::map<std::pair<TokenId, TokenId>, std::uint64_t> counts;
    for (const auto& [symbols, count] : words)
      for (std::size_t i = 0; i + 1 < symbols.size(); ++i) counts[{symbols[i], symbols[i + 1]}] += count;
    std::pair<TokenId, TokenId> best;
    std::uint64_t most = 0;
    for (const auto& [pair, count] : counts)
      if (count > most) best = pair, most = count;
    if (most < std::max<std::uint64_t>(options.least_count, 1)) break;
    const std::string bytes =
        tokens[best.first - options.first_byte] + tokens[best.second - options.first_byte];
    if (std::find(tokens.begin(), tokens.end(), bytes) == tokens.end()) tokens.push_back(bytes);
    merges.push_back({best.first, best.second, find(bytes)});
    for (auto& [symbols, count] : words) {
      std::vector<TokenId> after;
      for (std::size_t i = 0; i < symbols.size(); ++i)
        if (i + 1 < symbols.size() && symbols[i] == best.first && symbols[i + 1] == best.second)
          after.push_back(merges.back().result), ++i;
        else
          after.push_back(symbols[i]);
      symbols = after;
    }
  }
  return merges;
}

std::vector<std::array<TokenId, 3>> plain(const std::vector<Merge>& merges) {
  std::vector<std::array<TokenId, 3>> made;
  for (const Merge& merge : merges) made.push_back({merge.left, merge.right, merge.result});
  return made;
}

TEST(MergeLearner, BytesAreOrderedAsTheirLetters) {
  const std::vector<std::uint8_t> order = byte_order();
  ASSERT_EQ(order.size(), 256u);
  EXPECT_EQ(std::set<std::uint8_t>(order.begin(), order.end()).size(), 256u);
  EXPECT_EQ(order.front(), '!');  // U+0021
  EXPECT_EQ(order[188], 0);       // U+0100, after 188 letters that stand for themselves
  EXPECT_EQ(order.back(), 0xAD);  // U+0143
}

// Sennrich, Haddow, Birch 2016, algorithm 1 and its example, without the end-of-word symbol.
TEST(MergeLearner, LearnsThePapersExample) {
  const PieceCounts pieces{{"low", 5}, {"lower", 2}, {"newest", 6}, {"widest", 3}};
  const LearntMerges learnt = learn_merges(pieces, {.tokens = 256 + 6});
  const std::vector<std::string> made(learnt.tokens.begin() + 256, learnt.tokens.end());
  ASSERT_EQ(made.size(), 6u);
  EXPECT_EQ(std::vector<std::string>(made.begin(), made.begin() + 4),
            (std::vector<std::string>{"es", "est", "lo", "low"}));
}

TEST(MergeLearner, EqualsCountingAnewBeforeEachMerge) {
  Philox random(3);
  for (int run = 0; run < 200; ++run) {
    PieceCounts pieces;
    const auto letters = 1 + random.below(4);
    for (std::uint64_t words = random.below(30); words > 0; --words) {
      std::string word;
      for (std::uint64_t length = random.below(14); length > 0; --length)
        word += static_cast<char>('a' + random.below(letters));
      pieces[word] += 1 + random.below(5);
    }
    LearningOptions options;
    options.first_byte = static_cast<TokenId>(random.below(3));
    options.tokens = 256 + options.first_byte + random.below(40);
    options.least_count = random.below(4);
    const LearntMerges learnt = learn_merges(pieces, options);
    EXPECT_EQ(plain(learnt.merges), plain(learn_literally(pieces, options))) << "run " << run;
    EXPECT_LE(options.first_byte + learnt.tokens.size(), std::max<std::size_t>(options.tokens, 256 + 2));
  }
}

TEST(MergeLearner, StopsWherePairsAreRare) {
  const PieceCounts pieces{{"ab", 3}, {"cd", 2}, {"ef", 1}};
  EXPECT_EQ(learn_merges(pieces, {.tokens = 1000, .least_count = 2}).merges.size(), 2u);
  EXPECT_EQ(learn_merges(pieces, {.tokens = 1000, .least_count = 0}).merges.size(), 3u);
  EXPECT_TRUE(learn_merges(pieces, {.tokens = 10}).merges.empty());
  EXPECT_EQ(learn_merges({}, {.tokens = 1000}).tokens.size(), 256u);
}

}  // namespace
}  // namespace assay::tokenizer
