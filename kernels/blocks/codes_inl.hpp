// Codes of the block formats left in registers, 32 elements a vector of bytes, with what they are scaled by:
// for bodies that use a block where they decode it. Compiled once for every instruction set that
// hwy/foreach_target.h goes through, and empty for those whose vectors have fewer than 32 bytes.
#if defined(ASSAY_KERNELS_BLOCKS_CODES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_BLOCKS_CODES_INL
#undef ASSAY_KERNELS_BLOCKS_CODES_INL
#else
#define ASSAY_KERNELS_BLOCKS_CODES_INL
#endif

#include <array>
#include <cstdint>
#include <cstring>

#include "engine/runtime/mutant.hpp"
#include "engine/tensors/block_format.hpp"
#include "kernels/blocks/decode.hpp"
#include "kernels/blocks/levels.hpp"

#if HWY_CAP_GE256
HWY_BEFORE_NAMESPACE();
namespace assay::kernels::blocks::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats8 = hn::FixedTag<float, 8>;
using Bytes32 = hn::FixedTag<std::uint8_t, 32>;
using Bytes16 = hn::FixedTag<std::uint8_t, 16>;
using Pairs16 = hn::FixedTag<std::uint16_t, 16>;
using Eight = hn::Vec<Floats8>;
using Codes = hn::Vec<Bytes32>;

HWY_INLINE Codes codes_at(const std::uint8_t* at) {
  return hn::LoadU(Bytes32(), at);
}

/// Of each byte the bits of `mask`.
template <int mask>
HWY_INLINE Codes bits_of(Codes codes) {
  return hn::And(codes, hn::Set(Bytes32(), static_cast<std::uint8_t>(mask)));
}

/// Bit i of each byte becomes bit i - `places`; what comes from the neighbouring byte is the caller's to
/// mask.
template <int places>
HWY_INLINE Codes shifted_right(Codes codes) {
  const auto pairs = hn::BitCast(Pairs16(), codes);
  if constexpr (places > 0)
    return hn::BitCast(Bytes32(), hn::ShiftRight<places>(pairs));
  else
    return hn::BitCast(Bytes32(), hn::ShiftLeft<-places>(pairs));
}

/// Sixteen bytes as 32: first as they are, then shifted right by four bits. A code is in the low half of
/// each; the high half is the caller's to mask.
HWY_INLINE Codes halves_as_codes(const std::uint8_t* at) {
  const hn::FixedTag<std::uint32_t, 8> words;
  alignas(32) static constexpr std::uint32_t by_half[8] = {0, 0, 0, 0, 4, 4, 4, 4};
  const Codes twice = hn::LoadDup128(Bytes32(), at);
  if (mutant("dense.gemv.halves_repeated")) return twice;
  return hn::BitCast(Bytes32(), hn::Shr(hn::BitCast(words, twice), hn::Load(words, by_half)));
}

/// 16 in byte i where bit i of 32 is set, else 0.
HWY_INLINE Codes fifth_bits_at(const std::uint8_t* four_bytes) {
  alignas(32) static constexpr std::uint8_t spread[32] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
                                                          2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3};
  alignas(32) static constexpr std::uint8_t tests[32] = {1,  2,   4,  8,  16,  32, 64, 128, 1,  2,  4,
                                                         8,  16,  32, 64, 128, 1,  2,  4,   8,  16, 32,
                                                         64, 128, 1,  2,  4,   8,  16, 32,  64, 128};
  const hn::FixedTag<std::uint32_t, 8> words;
  const Codes all = hn::BitCast(Bytes32(), hn::Set(words, word<1>(four_bytes)));
  const Codes tested = hn::Load(Bytes32(), tests);
  const Codes bits = hn::And(hn::TableLookupBytes(all, hn::Load(Bytes32(), spread)), tested);
  return bits_of<16>(hn::VecFromMask(Bytes32(), hn::Eq(bits, tested)));
}

/// Levels as bytes without a sign: `offset` more than they stand for.
constexpr std::array<std::uint8_t, 16> raised(const std::int8_t (&levels)[16], int offset) {
  std::array<std::uint8_t, 16> made = {};
  for (std::size_t code = 0; code < 16; ++code) made[code] = static_cast<std::uint8_t>(levels[code] + offset);
  return made;
}

/// The byte of a table of sixteen that each code (0 to 15) names.
HWY_INLINE Codes levels_of(const std::array<std::uint8_t, 16>& table, Codes codes) {
  return hn::TableLookupBytes(hn::LoadDup128(Bytes32(), table.data()), codes);
}

HWY_INLINE Eight binary16_everywhere(const std::uint8_t* at) {
  const hn::FixedTag<std::uint16_t, 8> halves;
  const auto bits = hn::Set(halves, two_bytes<1>(at));
  return hn::PromoteTo(Floats8(), hn::BitCast(hn::FixedTag<hwy::float16_t, 8>(), bits));
}

template <typename Byte>
HWY_INLINE Eight floats_of(hn::Vec<hn::FixedTag<std::uint8_t, 8>> bytes) {
  const hn::FixedTag<std::int32_t, 8> words;
  return hn::ConvertTo(Floats8(), hn::PromoteTo(words, hn::BitCast(hn::FixedTag<Byte, 8>(), bytes)));
}

/// Eight bytes, the lowest first.
HWY_INLINE hn::Vec<hn::FixedTag<std::uint8_t, 8>> eight_bytes(std::uint64_t packed) {
  return hn::BitCast(hn::FixedTag<std::uint8_t, 8>(), hn::Set(hn::FixedTag<std::uint64_t, 1>(), packed));
}

/// Scales of the eight parts of a block of 256, times the block's own: of parts 0 to 3 and 4 to 7 a vector
/// each, whose two halves belong to elements 0 to 15 and 16 to 31 of a part.
struct PartScales {
  Eight first, second;

  template <int part>
  HWY_INLINE Eight of() const {
    return hn::Broadcast<part % 4>(part < 4 ? first : second);
  }
};

/// One scale of eight bits a part: those of parts 0 to 3 and 4 to 7 as words.
template <typename Byte>
HWY_INLINE PartScales scales_of_parts(std::uint32_t first, std::uint32_t second, Eight of_block) {
  if (mutant("dense.gemv.scales_of_first_parts")) second = first;
  constexpr std::uint64_t twice = 0x1'0000'0001;
  return {hn::Mul(floats_of<Byte>(eight_bytes(first * twice)), of_block),
          hn::Mul(floats_of<Byte>(eight_bytes(second * twice)), of_block)};
}

/// One scale of eight bits for every 16 elements.
template <typename Byte>
HWY_INLINE PartScales scales_of_sixteens(hn::Vec<Bytes16> scales, Eight of_block) {
  alignas(16) static constexpr std::uint8_t even_and_odd[16] = {0, 2,  4,  6,  1, 3,  5,  7,
                                                                8, 10, 12, 14, 9, 11, 13, 15};
  alignas(16) static constexpr std::uint8_t even_alone[16] = {0, 2,  4,  6,  0, 2,  4,  6,
                                                              8, 10, 12, 14, 8, 10, 12, 14};
  const bool as_first = mutant("dense.gemv.second_sixteen_scaled_as_first");
  const auto ordered =
      hn::TableLookupBytes(scales, hn::Load(Bytes16(), as_first ? even_alone : even_and_odd));
  const hn::FixedTag<std::uint8_t, 8> half;
  return {hn::Mul(floats_of<Byte>(hn::LowerHalf(half, ordered)), of_block),
          hn::Mul(floats_of<Byte>(hn::UpperHalf(half, ordered)), of_block)};
}

}  // namespace assay::kernels::blocks::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif  // per target
