#pragma once

#include <atomic>
#include <cstdint>

#include "engine/vocabulary/vocabulary.hpp"
#include "kernels/merge/large_pages.hpp"
#include "kernels/merge/piece_key.hpp"

namespace assay::kernels::merge {

/// Normal tokens of at most 15 bytes by their text, the text beside the number: one cache line for a piece
/// that is a token and for one that is none. What is known of a token is kept there too; the rest is
/// immutable.
class WholeTokens {
 public:
  /// Whether merges lead to a token: found out when first asked for, which takes a merge loop.
  enum Reached : std::uint32_t { unknown, yes, no };

  struct Entry {
    PieceKey key;
    TokenId id = no_token;
    std::uint32_t reached = unknown;  ///< of Reached; read and written by all threads, all writing the same
  };

  explicit WholeTokens(const Vocabulary& vocabulary) {
    std::size_t count = 0;
    const auto fits = [&](TokenId id) {
      const std::size_t length = vocabulary.bytes_of(id).size();
      return vocabulary.kind_of(id) == TokenKind::normal && length != 0 && length <= PieceKey::longest;
    };
    for (TokenId id = 0; id < vocabulary.size(); ++id) count += fits(id);
    entries_.resize(count + count / 2 + 1);
    for (TokenId id = 0; id < vocabulary.size(); ++id) {
      if (!fits(id)) continue;
      const std::string_view bytes = vocabulary.bytes_of(id);
      const PieceKey key = PieceKey::of(bytes.data(), bytes.size(), bytes.size());
      std::size_t at = home(key);
      while (entries_[at].id != no_token && !(entries_[at].key == key)) at = next(at);
      // Of tokens of the same bytes the first counts, as in the vocabulary.
      if (entries_[at].id == no_token) entries_[at] = {key, id};
    }
  }

  /// Null where no token has this text.
  Entry* find(const PieceKey& key) {
    for (std::size_t at = home(key); entries_[at].id != no_token; at = next(at))
      if (entries_[at].key == key) return &entries_[at];
    return nullptr;
  }

 private:
  /// Two thirds full: the high half of hash times size, so that the size need be no power of two.
  std::size_t home(const PieceKey& key) const {
    return static_cast<std::size_t>((key.hash() >> 32) * entries_.size() >> 32);
  }
  std::size_t next(std::size_t at) const { return at + 1 == entries_.size() ? 0 : at + 1; }

  LargeVector<Entry> entries_;
};

}  // namespace assay::kernels::merge
