#pragma once

#include <array>
#include <cstdint>

#include "engine/vocabulary/vocabulary.hpp"
#include "kernels/merge/large_pages.hpp"
#include "kernels/merge/piece_key.hpp"

namespace assay::kernels::merge {

/// The tokens of pieces that were seen: text repeats its words. Pieces of at most 15 bytes and three tokens,
/// which nearly all are. A cache line holds two pieces: the one that came last, and before it the one that it
/// drove out.
class PieceCache {
 public:
  static constexpr std::uint32_t most_tokens = 3;

  struct Entry {
    PieceKey key;
    std::array<TokenId, most_tokens> ids{};
    std::uint32_t count = 0;
  };
  struct alignas(64) Line {
    Entry last, before;
  };

  PieceCache() : lines_(std::size_t{1} << bits) {}

  Line& line_of(const PieceKey& key) { return lines_[key.hash() >> (64 - bits)]; }

 private:
  static constexpr int bits = 15;  ///< two megabytes, of which the lines of frequent pieces stay near

  LargeVector<Line> lines_;
};

}  // namespace assay::kernels::merge
