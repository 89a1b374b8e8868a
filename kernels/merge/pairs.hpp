#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/merge/large_pages.hpp"
#include "kernels/merge/loop.hpp"

namespace assay::kernels::merge {

/// Whether tokens stay as they are next to each other: what the loop would say of the text of two tokens,
/// from what it does with each alone. See search.hpp for why that is all that has to be known. Not for
/// several threads.
///
/// The loop on the text of a, b takes the merges of a and of b, each in its own order, always the lesser of
/// the next two (a's if they are equal: it is to the left), until it takes one across the border, if ever.
/// Let the priorities of the merges of each never fall ("rising"), as they do where merges are ranked as they
/// were found. The symbols at the border change when the last symbol of a or the first of b is made. Between
/// two such changes they are some x, y, and the loop merges these if and only if their priority q is below
/// that of the change which comes next, p: just before it, p is the least of what waits; and before that
/// nothing that waits was greater. If p is a merge of b, to the right of the border, q = p goes first too.
/// After the last change any q will do. So the borders are gone through backwards: from a, b to their parts,
/// undoing the later change first. Tokens that are not rising are asked for as a whole.
class Pairs {
 public:
  Pairs(const Rules& rules, Loop& loop)
      : rules_(rules),
        vocabulary_(rules.vocabulary()),
        loop_(loop),
        tokens_(vocabulary_.size()),
        known_(std::size_t{1} << place_bits) {}

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
  bool alone(TokenId id) { return known(id).kind != Kind::unreached; }

 private:
  enum class Kind : std::uint8_t {
    unknown,
    symbol,     ///< nothing is merged
    rising,     ///< its merges and those of its parts never fall in priority
    falling,    ///< made by merges that do
    unreached,  ///< the loop does not make it
    waiting     ///< its last merge is known, its parts are not
  };
  /// How a token is made: its last merge.
  struct Made {
    TokenId left = no_token, right = no_token;
    std::uint32_t priority = 0;
    Kind kind = Kind::unknown;
  };

  static constexpr int place_bits = 18;
  static constexpr std::uint64_t full = std::uint64_t{1} << 63;

  const Made& known(TokenId id) {
    if (tokens_[id].kind == Kind::unknown) find_out(id);
    return tokens_[id];
  }
  void find_out(TokenId id);
  void find_last_merge(TokenId id);
  bool ask(TokenId left, TokenId right);
  bool ask_loop(TokenId left, TokenId right);

  const Rules& rules_;
  const Vocabulary& vocabulary_;
  Loop& loop_;
  std::string text_;
  std::vector<TokenId> open_;
  LargeVector<Made> tokens_;
  LargeVector<std::uint64_t> known_;  ///< one pair a place; another one takes it over
};

}  // namespace assay::kernels::merge
