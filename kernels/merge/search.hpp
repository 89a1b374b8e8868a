#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/merge/pairs.hpp"
#include "kernels/merge/token_trie.hpp"

namespace assay::kernels::merge {

/// What the merge loop makes of a piece, in time linear in the piece, without merging.
///
/// Tokens t1 .. tn are what the loop makes of their text if and only if it makes ti, ti+1 of the text of each
/// two that are next to each other (of t1 alone if n = 1). Proof. The loop takes the pair that is least by
/// (priority, place). (if) Suppose that it merges across some border, first the one between ti and ti+1, and
/// consider the text of these two alone. Until then every merge within it was the least of the whole text's
/// pairs, so also of this part's: the loop on this part alone takes the same merges, then the same one across
/// the border, and does not end with ti, ti+1. So no border is crossed; within each two the loop does as it
/// does on their text alone, and ends when no pair is left in any. (only if) If the loop ends with t1 .. tn,
/// it crossed no border, its merges within ti and ti+1 are those of the loop on their text alone, by the same
/// argument, and no pair is left there. Nothing is asked of priorities: merges that none leads to, several
/// merges to one token and merges that come before those of their parts are all covered. See also Berglund
/// and van der Merwe, "Formalizing BPE Tokenization" (2023).
///
/// So any way of finding such tokens will do, and there is one result. Here the longest token is tried first,
/// then shorter ones, and a place from which none led on is not tried again. What led to a place is the
/// loop's result for the text before it, hence the same whenever the place is reached, so that the place is
/// to be tried once.
class Search {
 public:
  /// `whole_first`: a piece that is a token is that token, whatever the loop makes of it (ignore_merges).
  Search(const TokenTrie& trie, Pairs& pairs, bool whole_first)
      : trie_(trie), pairs_(pairs), whole_first_(whole_first) {}

  /// The tokens of a piece that is not empty; null where there are none, because a symbol of it has no token.
  /// Valid until the next call.
  const std::vector<Symbol>* find(std::string_view piece);

 private:
  TokenTrie::Match longest_below(std::string_view piece, std::uint32_t from, std::uint32_t end) const {
    return end > from ? trie_.longest(piece.substr(from, end - from)) : TokenTrie::Match{};
  }

  const TokenTrie& trie_;
  Pairs& pairs_;
  const bool whole_first_;
  std::vector<Symbol> found_;
  std::vector<std::uint64_t> dead_;  ///< bits by place: nothing leads on from there
};

}  // namespace assay::kernels::merge
