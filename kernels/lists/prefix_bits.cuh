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
    const std::int32_t word = min(position >> 5, words - 1);
    const std::int32_t shift = position - 32 * word;  // 32 at the end
    const std::int32_t at = b * words + word;
    return counts[at] + __popc(bits[at] & (shift < 32 ? (1u << shift) - 1u : 0xFFFFFFFFu));
  }

  /// Points with positions in [begin, end) and other ranks below `rank`.
  __device__ std::int32_t below_rank(std::int32_t begin, std::int32_t end, std::int32_t rank,
                                     bool leftover) const {
    const std::int32_t row = (rank + kPrefixRanks / 2) / kPrefixRanks;  // the nearest
    const std::int32_t edge = row * kPrefixRanks;
    const std::int32_t count = below(row, end) - below(row, begin);
    const std::int32_t first = min(edge, rank), last = max(edge, rank);
    if (first == last || !leftover) return count;
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
    const int low = first & 7, high = low + last - first;
    const std::uint32_t evens = (0xFFFFu >> ((low + 1) / 2)) ^ (0xFFFFu >> ((high + 1) / 2)),
                        odds = (0xFFFFu >> (low / 2)) ^ (0xFFFFu >> (high / 2));
    const std::int32_t between = __popc(inside & (evens | odds << 16));
    return rank > edge ? count + between : count - between;
  }
};

/// Points with positions in [begin, end) and other ranks in [low, high). Without `leftover` the points beside
/// the rows are not looked at (a planted fault).
__device__ inline std::int32_t count_rectangle(const PrefixBits& prefix, std::int32_t begin, std::int32_t end,
                                               std::int32_t low, std::int32_t high, bool leftover) {
  if (begin >= end || low >= high) return 0;
  return prefix.below_rank(begin, end, high, leftover) - prefix.below_rank(begin, end, low, leftover);
}

/// Built by kThreads that `wait` brings together; the memory may be shared or global, `bits` and `counts` of
/// rows * words each.
template <int kThreads, class Wait, class PositionOf>
__device__ void build_prefix_bits(std::uint32_t* bits, std::uint16_t* counts, std::int32_t n,
                                  std::int32_t rows, std::int32_t words, std::int32_t thread,
                                  const Wait& wait, const PositionOf& position_of) {
  for (std::int32_t i = thread; i < rows * words; i += kThreads) bits[i] = 0;
  wait();
  for (std::int32_t rank = thread; rank < n; rank += kThreads) {
    const std::int32_t b = rank / kPrefixRanks + 1;  // the first row that has it
    if (b < rows) {
      const std::int32_t position = position_of(rank);
      atomicOr(&bits[b * words + (position >> 5)], 1u << (position & 31));
    }
  }
  wait();
  // Prefix OR down the rows of each word, in spans of rows: the last row of every span first, then the rows
  // before it, each begun with what the spans before it hold.
  constexpr std::int32_t kSpans = kThreads >= 256 ? 8 : kThreads >= 128 ? 4 : 1;
  const std::int32_t span = (rows + kSpans - 1) / kSpans;
  if (kSpans > 1) {
    for (std::int32_t item = thread; item < (kSpans - 1) * words; item += kThreads) {
      const std::int32_t word = item % words, first = item / words * span, end = min(first + span, rows);
      std::uint32_t held = 0;
      for (std::int32_t b = first; b < end; ++b) held |= bits[b * words + word];
      if (first + span <= rows) bits[(first + span - 1) * words + word] = held;
    }
    wait();
  }
  for (std::int32_t item = thread; item < kSpans * words; item += kThreads) {
    const std::int32_t word = item % words, s = item / words, first = s * span, end = min(first + span, rows);
    std::uint32_t held = 0;
    for (std::int32_t t = 0; t < s; ++t)
      if ((t + 1) * span <= rows) held |= bits[((t + 1) * span - 1) * words + word];
    // The last row of a span is left as it is for the spans that read it; it holds its own span already.
    for (std::int32_t b = first; b < end; ++b)
      if (b + 1 < first + span || s == kSpans - 1) bits[b * words + word] = held |= bits[b * words + word];
  }
  if (kSpans > 1) {
    wait();
    for (std::int32_t word = thread; word < words; word += kThreads) {
      std::uint32_t held = 0;
      for (std::int32_t last = span - 1; last < min(rows, (kSpans - 1) * span); last += span)
        bits[last * words + word] = held |= bits[last * words + word];
    }
  }
  wait();
  // Four threads a row, side by side in a warp.
  const std::int32_t quarter = (words + 3) / 4;
  for (std::int32_t first = 0; first < 4 * rows; first += kThreads) {
    const std::int32_t b = (first + thread) / 4, begin = min(words, thread % 4 * quarter),
                       end = b < rows ? min(words, begin + quarter) : begin;
    std::int32_t own = 0;
    for (std::int32_t word = begin; word < end; ++word) own += __popc(bits[b * words + word]);
    std::int32_t before = own;
    for (int step = 1; step < 4; step *= 2) {
      const std::int32_t other = __shfl_up_sync(0xFFFFFFFFu, before, step, 4);
      if (thread % 4 >= step) before += other;
    }
    before -= own;
    for (std::int32_t word = begin; word < end; ++word) {
      counts[b * words + word] = static_cast<std::uint16_t>(before);
      before += __popc(bits[b * words + word]);
    }
  }
  wait();
}

}  // namespace assay::kernels::lists
