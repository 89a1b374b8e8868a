#pragma once

#include <cmath>
#include <cstdint>

#include "engine/runtime/host_device.hpp"

namespace assay {

/// Four words of Philox output.
struct PhiloxBlock {
  std::uint32_t words[4];
};

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11): ten
/// rounds of multiply, swap and exclusive or over a 128-bit counter under a 64-bit key.
ASSAY_HOST_DEVICE inline PhiloxBlock philox(PhiloxBlock counter, std::uint32_t key_0, std::uint32_t key_1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product_0 = std::uint64_t{0xD2511F53u} * counter.words[0];
    const std::uint64_t product_1 = std::uint64_t{0xCD9E8D57u} * counter.words[2];
    counter = {{static_cast<std::uint32_t>(product_1 >> 32) ^ counter.words[1] ^ key_0,
                static_cast<std::uint32_t>(product_1),
                static_cast<std::uint32_t>(product_0 >> 32) ^ counter.words[3] ^ key_1,
                static_cast<std::uint32_t>(product_0)}};
    key_0 += 0x9E3779B9u;
    key_1 += 0xBB67AE85u;
  }
  return counter;
}

/// A stream of random numbers that is a pure function of (seed, stream, position): the key is the seed, the
/// upper half of the counter the stream, the lower half the block. The same integers and uniforms, bit for
/// bit, on host and device; normals agree to 16 units in the last place, the two sides' log and cos being
/// different code.
class Philox {
 public:
  ASSAY_HOST_DEVICE explicit Philox(std::uint64_t seed, std::uint64_t stream = 0, std::uint64_t block = 0)
      : seed_(seed), stream_(stream), block_(block) {}

  ASSAY_HOST_DEVICE std::uint32_t next_u32() {
    if (used_ == 4) {
      words_ = philox({{low(block_), high(block_), low(stream_), high(stream_)}}, low(seed_), high(seed_));
      ++block_;
      used_ = 0;
    }
    return words_.words[used_++];
  }
  /// Two words, the first drawn in the lower half.
  ASSAY_HOST_DEVICE std::uint64_t next_u64() {
    const std::uint64_t first = next_u32();
    return first | static_cast<std::uint64_t>(next_u32()) << 32;
  }
  /// In [0, 1), a multiple of 2^-53.
  ASSAY_HOST_DEVICE double uniform() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }
  /// In [0, 1), a multiple of 2^-24.
  ASSAY_HOST_DEVICE float uniform_float() { return static_cast<float>(next_u32() >> 8) * 0x1p-24f; }
  /// Standard normal (Box, Muller 1958), from two uniforms; the second value of the pair is not kept, so that
  /// position i of a stream of normals is block i.
  ASSAY_HOST_DEVICE double normal() {
    const double radius_draw = 1.0 - uniform();  // in (0, 1]: its logarithm is finite
    const double angle = 6.283185307179586 * uniform();
    return std::sqrt(-2.0 * std::log(radius_draw)) * std::cos(angle);
  }
  /// In [0, count), every value equally likely: a 128-bit product with rejection (Lemire 2019, ACM TOMACS 29,
  /// 3). Precondition: count >= 1.
  ASSAY_HOST_DEVICE std::uint64_t below(std::uint64_t count) {
    unsigned __int128 product = static_cast<unsigned __int128>(next_u64()) * count;
    if (static_cast<std::uint64_t>(product) < count) {
      const std::uint64_t threshold =
          (0 - count) % count;  // 2^64 mod count: so many low halves come up once too often
      while (static_cast<std::uint64_t>(product) < threshold)
        product = static_cast<unsigned __int128>(next_u64()) * count;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }
  /// Puts `count` values into uniformly random order (Fisher, Yates 1938, in Durstenfeld's form, from the
  /// end).
  template <typename T>
  ASSAY_HOST_DEVICE void shuffle(T* values, std::uint64_t count) {
    for (std::uint64_t last = count; last > 1; --last) {
      const std::uint64_t chosen = below(last);
      const T kept = values[last - 1];
      values[last - 1] = values[chosen];
      values[chosen] = kept;
    }
  }
  /// Writes a uniformly random permutation of 0 .. count-1.
  template <typename T>
  ASSAY_HOST_DEVICE void permutation(T* values, std::uint64_t count) {
    for (std::uint64_t index = 0; index < count; ++index) values[index] = static_cast<T>(index);
    shuffle(values, count);
  }

 private:
  ASSAY_HOST_DEVICE static std::uint32_t low(std::uint64_t value) {
    return static_cast<std::uint32_t>(value);
  }
  ASSAY_HOST_DEVICE static std::uint32_t high(std::uint64_t value) {
    return static_cast<std::uint32_t>(value >> 32);
  }

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t block_;  ///< of the block that is computed next
  PhiloxBlock words_{};
  unsigned used_ = 4;
};

}  // namespace assay
