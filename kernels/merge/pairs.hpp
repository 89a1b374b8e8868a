#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/merge/loop.hpp"

namespace assay::kernels::merge {

/// Whether tokens stay as they are next to each other: what the loop says of the text of two tokens,
/// remembered. See search.hpp for why that is all that has to be known. Not for several threads.
class Pairs {
 public:
  Pairs(const Rules& rules, Loop& loop)
      : vocabulary_(rules.vocabulary()), loop_(loop), alone_(vocabulary_.size()), known_(places) {}

  /// Whether the loop makes `left`, `right` of their text.
  bool together(TokenId left, TokenId right) {
    const std::uint64_t key = std::uint64_t{left} << 32 | right;
    std::uint64_t& known = known_[key * 0x9E3779B97F4A7C15 >> (64 - place_bits)];
    // A token has 22 bits (max_tokens): the top bits of a pair are free for the answer and for "there is
    // one".
    if ((known | 1) == (key << 1 | full | 1)) return known & 1;
    const bool answer = ask(left, right);
    known = key << 1 | full | (answer ? 1 : 0);
    return answer;
  }

  /// Whether the loop makes a token of its own text. Some tokens of published vocabularies no merges lead to.
  bool alone(TokenId id) {
    if (alone_[id] == 0) alone_[id] = ask(id) ? 1 : 2;
    return alone_[id] == 1;
  }

 private:
  static constexpr int place_bits = 17;
  static constexpr std::size_t places = std::size_t{1} << place_bits;
  static constexpr std::uint64_t full = std::uint64_t{1} << 63;

  bool ask(TokenId left, TokenId right);
  bool ask(TokenId id);

  const Vocabulary& vocabulary_;
  Loop& loop_;
  std::string text_;
  std::vector<std::uint8_t> alone_;   ///< by token: 0 not asked, 1 yes, 2 no
  std::vector<std::uint64_t> known_;  ///< one pair a place; another one takes it over
};

}  // namespace assay::kernels::merge
