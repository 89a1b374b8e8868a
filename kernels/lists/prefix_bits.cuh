#pragma once

// Counting points in a rectangle of two ranks. Row b of the bits holds, over the positions along z, the
// points whose other rank is below 16 b; row b of the counts how many of them stand in earlier words. A
// rectangle is the difference of two rows between two positions, and at most 8 points at either side that are
// looked at one by one.
#include <vector_types.h>

#include <cstdint>

#include "kernels/lists/lists.hpp"

namespace assay::kernels::lists {

struct PrefixBits {
  const std::uint32_t* bits;
  const std::uint16_t* counts;
  /// Of the point at each other rank, 16-byte aligned, up to a multiple of 8: kNoPosition beyond n.
  const std::uint16_t* positions;
  std::int32_t words;

  /// Points of row b at positions below `position`.
  __device__ std::int32_t below(std::int32_t b, std::int32_t position) const {
    const std::int32_t at = b * words + (position >> 5);
    return counts[at] + __popc(bits[at] & ((1u << (position & 31)) - 1u));
  }

  /// Points with positions in [begin, end) and other ranks below `rank`.
  __device__ std::int32_t below_rank(std::int32_t begin, std::int32_t end, std::int32_t rank,
                                     bool leftover) const {
    const auto row =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(rank + kPrefixRanks / 2) / kPrefixRanks);  // the nearest
    const std::int32_t edge = row * kPrefixRanks;
    const std::int32_t count = below(row, end) - below(row, begin);
    const std::int32_t first = min(edge, rank), last = max(edge, rank);
    if (!leftover) return count;
    // Ranks between: of the eight around them those in [first, last) count. Two positions share a word; with
    // their top bits set neither borrows from the other, and a top bit stays where the difference is not
    // negative.
    constexpr std::uint32_t tops = 0x80008000u, both = 0x00010001u;
    const uint4 packed = *reinterpret_cast<const uint4*>(positions + (first & ~7));
    const std::uint32_t each[4] = {packed.x, packed.y, packed.z, packed.w};
    const std::uint32_t from = static_cast<std::uint32_t>(begin) * both,
                        width = static_cast<std::uint32_t>(end - begin) * both;
    std::uint32_t inside = 0;  // position 2 j in bit 15 - j, 2 j + 1 in bit 31 - j
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const std::uint32_t beyond = (each[j] | tops) - from;
      inside |= (beyond & ~(beyond - width) & tops) >> j;
    }
    const std::uint32_t low = static_cast<std::uint32_t>(first) & 7u,
                        high = low + static_cast<std::uint32_t>(last - first);
    const std::uint32_t evens = (0xFFFFu >> ((low + 1) / 2)) ^ (0xFFFFu >> ((high + 1) / 2)),
                        odds = (0xFFFFu >> (low / 2)) ^ (0xFFFFu >> (high / 2));
    const std::int32_t between = __popc(inside & (evens | odds << 16));
    return rank > edge ? count + between : count - between;
  }
};

/// Points with positions in [begin, end) and other ranks in [low, high), begin <= end, low <= high. Without
/// `leftover` the points beside the rows are not looked at (a planted fault).
__device__ inline std::int32_t count_rectangle(const PrefixBits& prefix, std::int32_t begin, std::int32_t end,
                                               std::int32_t low, std::int32_t high, bool leftover) {
  return prefix.below_rank(begin, end, high, leftover) - prefix.below_rank(begin, end, low, leftover);
}

/// Eight rows of one word of the bits, or the first `many` of them: each becomes what it and those before hold.
template <bool kAll>
__device__ void gather_bits(std::uint32_t* bits, std::int32_t words, std::int32_t many, std::uint32_t& held) {
  std::uint32_t own[8];
#pragma unroll
  for (int j = 0; j < 8; ++j) own[j] = kAll || j < many ? bits[j * words] : 0;
#pragma unroll
  for (int j = 0; j < 8; ++j) {
    held |= own[j];
    if (kAll || j < many) bits[j * words] = held;
  }
}

/// Eight words of one row, or the first `many` of them: each one's count is of those before.
template <bool kAll>
__device__ void count_bits(const std::uint32_t* bits, std::uint16_t* counts, std::int32_t many,
                           std::int32_t& before) {
  std::int32_t own[8];
#pragma unroll
  for (int j = 0; j < 8; ++j) own[j] = kAll || j < many ? __popc(bits[j]) : 0;
#pragma unroll
  for (int j = 0; j < 8; ++j) {
    if (kAll || j < many) counts[j] = static_cast<std::uint16_t>(before);
    before += own[j];
  }
}

/// Built by kThreads that `wait` brings together; the memory may be shared or global, `bits` and `counts` of
/// rows * words each. `position_of` is asked once for each rank, after the first wait.
template <int kThreads, class Wait, class PositionOf>
__device__ void build_prefix_bits(std::uint32_t* bits, std::uint16_t* counts, std::int32_t n,
                                  std::int32_t rows, std::int32_t words, std::int32_t thread,
                                  const Wait& wait, const PositionOf& position_of) {
  for (std::int32_t i = thread; i < rows * words; i += kThreads) bits[i] = 0;
  wait();
  for (std::int32_t rank = thread; rank < n; rank += kThreads) {
    const std::int32_t b = rank / kPrefixRanks + 1;  // the first row that has it
    const std::int32_t position = position_of(rank);
    if (b < rows) atomicOr(&bits[b * words + (position >> 5)], 1u << (position & 31));
  }
  wait();
  // A thread a word, down its rows, then a thread a row, along its words: few threads, but the fewest
  // instructions, and other groups of threads have use for the others' slots.
  for (std::int32_t word = thread; 32 * word < n; word += kThreads) {
    std::uint32_t held = 0, *at = bits + word;
    std::int32_t b = 0;
#pragma unroll 1
    for (; b + 8 <= rows; b += 8, at += 8 * words) gather_bits<true>(at, words, 8, held);
    gather_bits<false>(at, words, rows - b, held);
  }
  wait();
  for (std::int32_t b = thread; b < rows; b += kThreads) {
    const std::int32_t row = b * words;
    std::int32_t before = 0, word = 0;
#pragma unroll 1
    for (; word + 8 <= words; word += 8)
      count_bits<true>(bits + row + word, counts + row + word, 8, before);
    count_bits<false>(bits + row + word, counts + row + word, words - word, before);
  }
  wait();
}

}  // namespace assay::kernels::lists
