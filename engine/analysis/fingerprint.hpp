#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace assay::analysis {

/// A 128-bit digest of words, in order: two lanes of SplitMix64's finaliser. It tells other data and damaged
/// files apart; it withstands no one who wants two inputs of one digest.
class Fingerprint {
 public:
  void add(std::uint64_t word) {
    lanes_[0] = mix(lanes_[0] + 0x9E3779B97F4A7C15u, word);
    lanes_[1] = mix(lanes_[1] + 0xD1B54A32D192ED03u, word ^ 0xA0761D6478BD642Fu);
    ++words_;
  }
  void add(double value) { add(__builtin_bit_cast(std::uint64_t, value)); }
  /// A list: its length, then its elements.
  void add(std::span<const std::int64_t> list) {
    add(static_cast<std::uint64_t>(list.size()));
    for (const std::int64_t value : list) add(static_cast<std::uint64_t>(value));
  }
  /// Bytes in words of eight, the last one filled up with zeros.
  void add_bytes(const void* data, std::size_t bytes) {
    add(static_cast<std::uint64_t>(bytes));
    const auto* at = static_cast<const unsigned char*>(data);
    for (; bytes >= 8; bytes -= 8, at += 8) {
      std::uint64_t word;
      std::memcpy(&word, at, 8);
      add(word);
    }
    if (bytes == 0) return;
    std::uint64_t rest = 0;
    std::memcpy(&rest, at, bytes);
    add(rest);
  }
  std::array<std::uint64_t, 2> digest() const {
    return {mix(lanes_[0], words_), mix(lanes_[1], lanes_[0] ^ words_)};
  }

 private:
  static std::uint64_t mix(std::uint64_t state, std::uint64_t word) {
    std::uint64_t z = state ^ word;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  std::array<std::uint64_t, 2> lanes_{1, 2};
  std::uint64_t words_ = 0;
};

}  // namespace assay::analysis
