#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/vocabulary/specification.hpp"
#include "kernels/merge/large_pages.hpp"

namespace assay::kernels::merge {

/// Which adjacent symbols become one, and in which order: the three rules of MergeRule behind one question.
/// Immutable; keeps a reference to the vocabulary.
class Rules {
 public:
  /// Greater than every priority, which are below max_merges: these two do not become one.
  static constexpr std::uint32_t never = no_token;

  Rules(const Vocabulary& vocabulary, const Specification& specification);

  struct Joined {
    std::uint32_t priority = never;  ///< the least goes first, the leftmost of equals
    TokenId id = no_token;
  };

  /// What two adjacent symbols become. `id` of a symbol is its token, `no_token` where it has none; `text` is
  /// what both stand for.
  Joined join(TokenId left, TokenId right, std::string_view text) const {
    if (rule_ == MergeRule::pair_rank) return by_pair(left, right);
    const TokenId id = vocabulary_.find(text);
    if (id == no_token) return {};
    return {rule_ == MergeRule::token_rank ? id : priorities_[id], id};
  }

  /// The same for two symbols of one byte each.
  Joined join_bytes(std::uint8_t left, std::uint8_t right) const {
    return byte_pairs_[std::size_t{left} << 8 | right];
  }

  /// The token of a symbol that nothing has been merged into: a byte, or a character in SentencePiece's
  /// model.
  TokenId symbol(std::string_view text) const {
    return text.size() == 1 ? bytes_[static_cast<std::uint8_t>(text.front())] : vocabulary_.find(text);
  }

  /// Whether a byte is left out of its piece before anything is merged: where no token stands for it, nor one
  /// for what is unknown (Specification::unknown).
  bool left_out(char byte) const {
    return leaves_out_ && bytes_[static_cast<std::uint8_t>(byte)] == no_token;
  }
  bool leaves_out() const { return leaves_out_; }

  /// Whether joining looks at texts, not at tokens.
  bool by_text() const { return rule_ != MergeRule::pair_rank; }

  /// Whether symbols are characters, not bytes.
  bool characters() const { return characters_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  /// A merge in the table, complete: one cache line tells.
  struct Slot {
    TokenId left = no_token, right = no_token;
    std::uint32_t rank = never;
    TokenId result = no_token;
  };

  static std::uint64_t hash(TokenId left, TokenId right) {
    const std::uint64_t mixed = (std::uint64_t{left} << 32 | right) * 0x9E3779B97F4A7C15;
    return (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9;
  }
  /// Two thirds full: the high half of hash times size, so that the size need be no power of two.
  std::size_t home(std::uint64_t hashed) const {
    return static_cast<std::size_t>((hashed >> 32) * slots_.size() >> 32);
  }
  std::uint64_t& filter_word(std::uint64_t hashed) { return filter_[hashed >> 6 & (filter_.size() - 1)]; }
  Joined by_pair(TokenId left, TokenId right) const;
  void index_pairs();
  void rank_scores();

  const Vocabulary& vocabulary_;
  MergeRule rule_;
  bool characters_;
  bool leaves_out_;
  std::array<TokenId, 256> bytes_{};
  std::vector<Joined> byte_pairs_;  ///< by two bytes: the first ones that a piece asks for
  LargeVector<Slot> slots_;         ///< linear probing
  /// A bit by a pair's hash, set where a merge has it. Most pairs that are asked for are none, and the bits,
  /// eight for each merge, stay nearer than the table.
  LargeVector<std::uint64_t> filter_;
  std::vector<std::uint32_t> priorities_;  ///< by token, for MergeRule::token_score
};

inline Rules::Joined Rules::by_pair(TokenId left, TokenId right) const {
  const std::uint64_t hashed = hash(left, right);
  if ((filter_[hashed >> 6 & (filter_.size() - 1)] >> (hashed & 63) & 1) == 0) return {};
  for (std::size_t at = home(hashed);; at = at + 1 == slots_.size() ? 0 : at + 1) {
    const Slot& slot = slots_[at];
    if (slot.left == left && slot.right == right) return {slot.rank, slot.result};
    if (slot.rank == never) return {};
  }
}

}  // namespace assay::kernels::merge
