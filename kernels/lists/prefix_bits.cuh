#pragma once

// Counting points in a rectangle of two ranks. Row b of the bits holds, over the positions along z, the
// points whose other rank is below 8 b; row b of the counts how many of them stand in earlier words. A
// rectangle is the difference of two rows between two positions, and at most 7 points at either side that are
// looked at one by one.
#include <cstdint>

namespace assay::kernels::lists {

struct PrefixBits {
  const std::uint32_t* bits;
  const std::uint16_t* counts;
  std::int32_t words;

  /// Points of row b at positions below `position`.
  __device__ std::int32_t below(std::int32_t b, std::int32_t position) const {
    const std::int32_t word = position >> 5;
    if (word >= words) {  // the end: all of the last word as well
      const std::int32_t last = b * words + words - 1;
      return counts[last] + __popc(bits[last]);
    }
    const std::int32_t at = b * words + word;
    return counts[at] + __popc(bits[at] & ((1u << (position & 31)) - 1u));
  }
};

/// Points with positions in [begin, end) and other ranks in [low, high). `position_of(rank)` is where a point
/// of that other rank stands.
template <class PositionOf>
__device__ std::int32_t count_rectangle(const PrefixBits& prefix, std::int32_t begin, std::int32_t end,
                                        std::int32_t low, std::int32_t high, const PositionOf& position_of) {
  if (begin >= end || low >= high) return 0;
  const std::int32_t low_row = low >> 3, high_row = high >> 3;
  std::int32_t count = prefix.below(high_row, end) - prefix.below(high_row, begin) -
                       prefix.below(low_row, end) + prefix.below(low_row, begin);
  const auto inside = [&](std::int32_t rank) {
    return static_cast<std::uint32_t>(position_of(rank) - begin) < static_cast<std::uint32_t>(end - begin);
  };
  for (std::int32_t rank = high_row << 3; rank < high; ++rank) count += inside(rank);
  for (std::int32_t rank = low_row << 3; rank < low; ++rank) count -= inside(rank);
  return count;
}

/// Built by a whole block of kThreads; the memory may be shared or global, `bits` and `counts` of rows *
/// words each.
template <int kThreads, class PositionOf>
__device__ void build_prefix_bits(std::uint32_t* bits, std::uint16_t* counts, std::int32_t n,
                                  std::int32_t rows, std::int32_t words, const PositionOf& position_of) {
  const auto thread = static_cast<std::int32_t>(threadIdx.x);
  for (std::int32_t i = thread; i < rows * words; i += kThreads) bits[i] = 0;
  __syncthreads();
  for (std::int32_t rank = thread; rank < n; rank += kThreads) {
    const std::int32_t b = (rank >> 3) + 1;  // the first row that has it
    if (b < rows) {
      const std::int32_t position = position_of(rank);
      atomicOr(&bits[b * words + (position >> 5)], 1u << (position & 31));
    }
  }
  __syncthreads();
  // Prefix OR down the rows of each word: in kSpans spans of rows, each begun with what the spans before it
  // hold.
  constexpr std::int32_t kSpans = 8;
  const std::int32_t span = (rows + kSpans - 1) / kSpans;
  for (std::int32_t item = thread; item < kSpans * words; item += kThreads) {
    const std::int32_t word = item % words, first = item / words * span, end = min(first + span, rows);
    std::uint32_t held = 0;
    for (std::int32_t b = first; b < end; ++b) bits[b * words + word] = held |= bits[b * words + word];
  }
  __syncthreads();
  for (std::int32_t s = 1; s < kSpans; ++s) {
    for (std::int32_t item = thread; item < span * words; item += kThreads) {
      const std::int32_t b = s * span + item / words;
      if (b < rows) bits[b * words + item % words] |= bits[(s * span - 1) * words + item % words];
    }
    __syncthreads();
  }
  for (std::int32_t b = thread; b < rows; b += kThreads) {  // a thread a row
    std::int32_t before = 0;
    for (std::int32_t word = 0; word < words; ++word) {
      counts[b * words + word] = static_cast<std::uint16_t>(before);
      before += __popc(bits[b * words + word]);
    }
  }
  __syncthreads();
}

}  // namespace assay::kernels::lists
