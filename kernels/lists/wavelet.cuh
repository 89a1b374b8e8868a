#pragma once

// A wavelet matrix over a permutation of 0 .. n - 1 (Claude, Navarro & Ordonez 2015, Information Systems 47):
// how many of the values at places [begin, end) lie in [low, high), in as many steps as n has bits. One bit
// of every value a level, from the highest down; from one level to the next the values are parted by that
// bit, each part in the order it had.
#include <vector_types.h>

#include <cstdint>

namespace assay::kernels::lists {

__host__ __device__ constexpr int wavelet_levels(std::int32_t n) {
  int levels = 1;
  while (levels < 31 && (std::int64_t{1} << levels) < n) ++levels;
  return levels;
}
/// Words of one level: 32 bits, and how many are set before them. The place n has a word too.
__host__ __device__ constexpr std::int32_t wavelet_row(std::int32_t n) {
  return n / 32 + 1;
}
__host__ __device__ constexpr std::int64_t wavelet_words(std::int32_t n) {
  return std::int64_t{wavelet_levels(n)} * wavelet_row(n);
}
/// How many of 0 .. n - 1 have a bit clear.
__host__ __device__ constexpr std::int32_t wavelet_zeros(std::int32_t n, int bit) {
  const std::int32_t whole = n >> (bit + 1) << bit, rest = n & ((std::int32_t{2} << bit) - 1);
  return whole + (rest < (std::int32_t{1} << bit) ? rest : std::int32_t{1} << bit);
}

struct Wavelet {
  const uint2* words;
  std::int32_t n;
  int levels;

  /// Values of [low, high), 0 <= low, high <= n, at places [begin, end). The levels below `last` are not
  /// looked at (a planted fault where it is not 0).
  __device__ std::int32_t count(std::int32_t begin, std::int32_t end, std::int32_t low, std::int32_t high,
                                int last = 0) const {
    if (begin >= end || low >= high) return 0;
    Path below{begin, end, low, 0}, under{begin, end, high, 0};
    const std::int32_t row = wavelet_row(n);
    for (int bit = levels - 1; bit >= last; --bit) {
      const uint2* level = words + (levels - 1 - bit) * std::int64_t{row};
      const std::int32_t zeros = wavelet_zeros(n, bit);
      below.step(level, bit, zeros);
      under.step(level, bit, zeros);
    }
    // a value of 2^levels is beyond all
    const std::int32_t all = end - begin;
    const std::int32_t first = low >> levels != 0 ? all : below.count;
    return (high >> levels != 0 ? all : under.count) - first;
  }

 private:
  struct Path {
    std::int32_t begin, end, value, count;
    __device__ static std::int32_t ones(const uint2* level, std::int32_t place) {
      const uint2 word = __ldg(level + (place >> 5));
      return static_cast<std::int32_t>(word.y) + __popc(word.x & ((1u << (place & 31)) - 1u));
    }
    __device__ void step(const uint2* level, int bit, std::int32_t zeros) {
      const std::int32_t before = ones(level, begin), until = ones(level, end);
      if (value >> bit & 1) {
        count += (end - begin) - (until - before);
        begin = zeros + before;
        end = zeros + until;
      } else {
        begin -= before;
        end -= until;
      }
    }
  };
};

}  // namespace assay::kernels::lists
