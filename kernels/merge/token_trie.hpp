#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/vocabulary/vocabulary.hpp"
#include "kernels/merge/large_pages.hpp"

namespace assay::kernels::merge {

/// The longest normal token that a text begins with: a trie of two bytes a step, as one table of hashed
/// edges. Two bytes a step because a step is a load that waits for the one before it. Immutable.
class TokenTrie {
 public:
  explicit TokenTrie(const Vocabulary& vocabulary);

  /// False where the vocabulary would take more edges than an edge has bits to name.
  bool usable() const { return !edges_.empty(); }

  /// A token that a text begins with; `no_token` where there is none.
  struct Match {
    TokenId id = no_token;
    std::uint32_t length = 0;
  };

  /// The longest one. `text` is not empty. Reads no further than the match and two bytes.
  Match longest(std::string_view text) const {
    const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto* const begin = at;
    const auto* const end = at + text.size();
    if (text.size() == 1) return {singles_[*at], 1};
    const Start start = starts_[pair_at(at)];
    Match best{start.best, start.length};
    std::uint32_t from = start.edge;
    for (at += 2; from != 0 && at != end; at += 2) {
      std::uint32_t place = end - at >= 2 ? find(from, pair_at(at)) : nowhere;
      const bool whole = place != nowhere;
      if (!whole) place = find(from, one_byte | *at);
      if (place == nowhere) break;
      const std::uint64_t edge = edges_[place];
      if (best_of(edge) != no_best)
        best = {best_of(edge), static_cast<std::uint32_t>(at - begin) + (whole && !(edge & odd) ? 2 : 1)};
      from = whole && (edge & leads_on) ? place + 1 : 0;
    }
    return best;
  }

  std::size_t memory() const {
    return edges_.capacity() * sizeof(edges_[0]) + starts_.capacity() * sizeof(Start);
  }

 private:
  // An edge: [63] used, [62:41] the edge it comes from (its place + 1; 0 for the root), [40:24] its bytes, of
  // which there is one if [40] is set, [23] whether edges come from it, [21:0] the longest token that ends
  // within it, [22] whether that ends behind the first of two bytes.
  static constexpr std::uint64_t used = std::uint64_t{1} << 63;
  static constexpr std::uint64_t leads_on = 1u << 23;
  static constexpr std::uint64_t odd = 1u << 22;
  static constexpr std::uint32_t no_best = (1u << 22) - 1;
  static constexpr std::uint32_t one_byte = 1u << 16;
  static constexpr std::uint32_t nowhere = 0xFFFFFFFF;
  static constexpr int most_bits = 21;  ///< of a place

  /// What the first two bytes lead to.
  struct Start {
    std::uint32_t edge = 0;
    TokenId best = no_token;
    std::uint32_t length = 0;
  };

  static std::uint32_t pair_at(const std::uint8_t* at) {
    return static_cast<std::uint32_t>(at[0]) << 8 | at[1];
  }
  static std::uint64_t key_of(std::uint32_t from, std::uint32_t bytes) {
    return used | std::uint64_t{from} << 41 | std::uint64_t{bytes} << 24;
  }
  static std::uint32_t best_of(std::uint64_t edge) { return static_cast<std::uint32_t>(edge) & no_best; }
  std::size_t place_of(std::uint64_t key) const { return (key >> 24) * 0x9E3779B97F4A7C15 >> shift_; }

  std::uint32_t find(std::uint32_t from, std::uint32_t bytes) const {
    const std::uint64_t key = key_of(from, bytes);
    for (std::size_t place = place_of(key); edges_[place] != 0; place = (place + 1) & (edges_.size() - 1))
      if (edges_[place] >> 24 == key >> 24) return static_cast<std::uint32_t>(place);
    return nowhere;
  }
  std::uint32_t find_or_add(std::uint32_t from, std::uint32_t bytes);
  /// Whether all tokens fit a table of so many places at most five eighths full.
  bool build(const Vocabulary& vocabulary, int bits);
  void add(std::string_view text, TokenId id);
  void hand_down();

  LargeVector<std::uint64_t> edges_;  ///< open addressing, linear probing; 0: none
  std::size_t count_ = 0;
  int shift_ = 64;
  std::vector<Start> starts_;     ///< by the first two bytes
  std::vector<TokenId> singles_;  ///< tokens of one byte
};

}  // namespace assay::kernels::merge
