#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::merge {

/// A short piece as two words: its bytes, zeros behind them, and its length in the last byte. Two pieces are
/// equal if their keys are; a length of 0 is no piece.
struct PieceKey {
  static constexpr std::size_t longest = 15;

  std::uint64_t low = 0, high = 0;

  bool operator==(const PieceKey&) const = default;

  /// `readable` is how many bytes may be read from `piece` on, at least `length`, which is 1 to 15.
  static PieceKey of(const void* piece, std::size_t length, std::size_t readable) {
    PieceKey key;
    if (readable >= 16 && std::endian::native == std::endian::little) {
      std::memcpy(&key, piece, 16);
      key.low &= masks[length].low;
      key.high &= masks[length].high;
    } else {
      std::memcpy(&key, piece, length);
    }
    if (!mutant("tokenizer.encode.cache_key_without_length"))
      key.high |= std::uint64_t{length} << (std::endian::native == std::endian::little ? 56 : 0);
    return key;
  }

  std::uint64_t hash() const { return (low ^ high * 0x9E3779B97F4A7C15) * 0xD6E8FEB86659FD93; }

 private:
  struct Mask {
    std::uint64_t low, high;
  };
  static constexpr std::array<Mask, 16> masks = [] {
    std::array<Mask, 16> made{};
    for (std::size_t length = 0; length < 16; ++length) {
      made[length].low = length >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * length) - 1;
      made[length].high = length <= 8 ? 0 : (std::uint64_t{1} << 8 * (length - 8)) - 1;
    }
    return made;
  }();
};

}  // namespace assay::kernels::merge
