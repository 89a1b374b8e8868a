#include "kernels/merge/token_trie.hpp"

#include <algorithm>
#include <bit>

namespace assay::kernels::merge {

TokenTrie::TokenTrie(const Vocabulary& vocabulary) {
  const std::size_t expected = std::max<std::size_t>(vocabulary.size() * 2, 1024);
  for (int bits = std::bit_width(expected); bits <= most_bits; ++bits)
    if (build(vocabulary, bits)) return;
  edges_.clear();
}

bool TokenTrie::build(const Vocabulary& vocabulary, int bits) {
  edges_.assign(std::size_t{1} << bits, 0);
  shift_ = 64 - bits;
  count_ = 0;
  singles_.assign(256, no_token);
  for (TokenId id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.kind_of(id) != TokenKind::normal || vocabulary.bytes_of(id).empty()) continue;
    add(vocabulary.bytes_of(id), id);
    if (count_ > edges_.size() / 8 * 5) return false;
  }
  hand_down();
  return true;
}

std::uint32_t TokenTrie::find_or_add(std::uint32_t from, std::uint32_t bytes) {
  const std::uint64_t key = key_of(from, bytes);
  std::size_t place = place_of(key);
  for (; edges_[place] != 0; place = (place + 1) & (edges_.size() - 1))
    if (edges_[place] >> 24 == key >> 24) return static_cast<std::uint32_t>(place);
  edges_[place] = key | no_best;
  ++count_;
  if (from != 0) edges_[from - 1] |= leads_on;
  return static_cast<std::uint32_t>(place);
}

void TokenTrie::add(std::string_view text, TokenId id) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
  if (text.size() == 1) {
    if (singles_[*at] == no_token) singles_[*at] = id;
    return;
  }
  std::uint32_t from = 0;
  std::uint32_t place = 0;
  for (std::size_t left = text.size(); left > 0; left -= std::min<std::size_t>(left, 2), at += 2) {
    place = find_or_add(from, left >= 2 ? pair_at(at) : one_byte | *at);
    from = place + 1;
  }
  // Of tokens of the same bytes the first counts, as in the vocabulary.
  if (best_of(edges_[place]) == no_best) edges_[place] = (edges_[place] & ~std::uint64_t{no_best}) | id;
}

/// Within an edge of two bytes a token may end behind the first: that of the edge of one byte beside it.
void TokenTrie::hand_down() {
  for (std::uint64_t& edge : edges_) {
    if (edge == 0 || best_of(edge) != no_best || (edge >> 24 & one_byte) != 0) continue;
    const auto from = static_cast<std::uint32_t>(edge >> 41 & 0x3FFFFF);
    if (from == 0) continue;
    const std::uint32_t beside = find(from, one_byte | (edge >> 32 & 0xFF));
    if (beside != nowhere) edge = (edge & ~std::uint64_t{no_best}) | odd | best_of(edges_[beside]);
  }
  starts_.assign(65536, {});
  for (std::uint32_t pair = 0; pair < 65536; ++pair) {
    Start& start = starts_[pair];
    start.best = singles_[pair >> 8];
    start.length = 1;
    const std::uint32_t place = find(0, pair);
    if (place == nowhere) continue;
    if (best_of(edges_[place]) != no_best) {
      start.best = best_of(edges_[place]);
      start.length = 2;
    }
    if (edges_[place] & leads_on) start.edge = place + 1;
  }
}

}  // namespace assay::kernels::merge
