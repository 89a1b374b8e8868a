#pragma once

// The codes of a unit of columns as bfloat16 (units.cuh). A code is made by bits: put below the exponent of
// 128, it is 128 more.
#include "kernels/fragments/units.cuh"

namespace assay::kernels::fragments {

/// Integers of up to seven bits in either half of a word, less `bias`.
__device__ inline Pair integers(std::uint32_t bits, std::uint32_t mask, float bias) {
  return plus(masked(bits, mask, 0x43004300u), cut_off(-128 - bias, -128 - bias));
}

/// Bytes 0 and 2 as integers with sign: -128 and the eighth bit are a power of two with another exponent.
__device__ inline Pair signed_bytes(std::uint32_t bits, Faults faults) {
  return plus(masked(bits, 0x007F007Fu, 0x43004300u),
              faults.sign_lost ? 0xC300C300u : masked(bits, 0x00800080u, 0xC300C300u));
}

/// Codes of E2M1 in bits 0 to 3 of either half, twice their value: sign, two bits of exponent and one of
/// fraction are put where bfloat16 has them, which differs in the bias alone.
__device__ inline Pair small_floats(std::uint32_t to_fraction, std::uint32_t to_sign, Faults faults) {
  const std::uint32_t sign = faults.sign_lost ? 0 : to_sign & 0x80008000u;
  return times(masked(to_fraction, 0x01C001C0u, sign), 0x7F007F00u);
}

/// Four bytes of four-bit codes: the low halves are the first sixteen's, the high halves the second's.
template <typename Make>
__device__ inline Codes<1> halves(std::uint32_t codes, Faults faults, Make make) {
  if (faults.halves_swapped) codes = (codes & 0x0F0F0F0Fu) << 4 | (codes >> 4 & 0x0F0F0F0Fu);
  return {{{make(codes, 0), make(codes >> 8, 1), make(codes >> 4, 2), make(codes >> 12, 3)}}};
}

/// The fifth bits of a lane's codes, at bits 0 to 3 and 16 to 19, put above the code of pair i.
__device__ inline std::uint32_t fifth_of(std::uint32_t bits, int pair, Faults faults) {
  if (faults.fifth_bit_lost) return 0;
  const std::uint32_t from = bits >> (pair / 2 * 16 + pair % 2);
  return (from << 4 & 0x10u) | (from << 18 & 0x00100000u);
}

/// Codes of unit `At` of a stage. `row` begins at the row's bytes in the stage, `lane` 4 t bytes behind them.
template <BlockFormat Format, int At>
__device__ inline Codes<Shape<Format>::parts> codes_of(const Words& row, const Words& lane, int t,
                                                       Faults faults) {
  constexpr int block = At * unit_columns / Shape<Format>::length * Shape<Format>::block_bytes;
  constexpr int unit = Shape<Format>::length == 256 ? At % 8 : 0;
  if constexpr (Format == BlockFormat::f32) {
    const std::uint32_t words[8] = {lane.word<At * 128>(),      lane.word<At * 128 + 16>(),
                                    lane.word<At * 128 + 32>(), lane.word<At * 128 + 48>(),
                                    lane.word<At * 128 + 64>(), lane.word<At * 128 + 80>(),
                                    lane.word<At * 128 + 96>(), lane.word<At * 128 + 112>()};
    Codes<3> made;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      float first = __uint_as_float(words[2 * i]), second = __uint_as_float(words[2 * i + 1]);
#pragma unroll
      for (int part = 0; part < 3; ++part) {
        made.pairs[part][i] = faults.low_part_lost && part == 2 ? 0 : cut_off(first, second);
        first = rest_of(first);
        second = rest_of(second);
      }
    }
    return made;
  } else if constexpr (Format == BlockFormat::f16) {
    const std::uint32_t words[4] = {lane.word<At * 64>(), lane.word<At * 64 + 16>(),
                                    lane.word<At * 64 + 32>(), lane.word<At * 64 + 48>()};
    Codes<2> made;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float first = lower_half(words[i]), second = upper_half(words[i]);
      made.pairs[0][i] = cut_off(first, second);
      made.pairs[1][i] = faults.low_part_lost ? 0 : cut_off(rest_of(first), rest_of(second));
    }
    return made;
  } else if constexpr (Format == BlockFormat::bf16) {
    return {{{lane.word<At * 64>(), lane.word<At * 64 + 16>(), lane.word<At * 64 + 32>(),
              lane.word<At * 64 + 48>()}}};
  } else if constexpr (Format == BlockFormat::q4_0 || Format == BlockFormat::q4_1) {
    constexpr bool with_minimum = Format == BlockFormat::q4_1;
    return halves(lane.word<block + (with_minimum ? 4 : 2)>(), faults,
                  [](std::uint32_t bits, int) { return integers(bits, 0x000F000Fu, with_minimum ? 0 : 8); });
  } else if constexpr (Format == BlockFormat::q5_0 || Format == BlockFormat::q5_1) {
    constexpr int fields = Format == BlockFormat::q5_1 ? 4 : 2;
    const std::uint32_t fifths = row.word<block + fields>() >> (4 * t);
    return halves(lane.word<block + fields + 4>(), faults, [=](std::uint32_t bits, int pair) {
      return integers((bits & 0x000F000Fu) | fifth_of(fifths, pair, faults), 0x001F001Fu,
                      Format == BlockFormat::q5_0 ? 16 : 0);
    });
  } else if constexpr (Format == BlockFormat::q8_0 || Format == BlockFormat::q8_k) {
    constexpr int first = Format == BlockFormat::q8_0 ? block + 2 : block + 4 + 32 * unit;
    const std::uint32_t low = lane.word<first>(), high = lane.word<first + 16>();
    return {{{signed_bytes(low, faults), signed_bytes(low >> 8, faults), signed_bytes(high, faults),
              signed_bytes(high >> 8, faults)}}};
  } else if constexpr (Format == BlockFormat::q2_k) {
    constexpr int first = block + 16 + unit / 4 * 32, shift = 2 * (unit % 4);
    const std::uint32_t low = lane.word<first>() >> shift, high = lane.word<first + 16>() >> shift;
    constexpr std::uint32_t mask = 0x00030003u;
    return {{{integers(low, mask, 0), integers(low >> 8, mask, 0), integers(high, mask, 0),
              integers(high >> 8, mask, 0)}}};
  } else if constexpr (Format == BlockFormat::q3_k) {
    constexpr int first = block + 32 + unit / 4 * 32, shift = 2 * (unit % 4);
    const auto made = [](std::uint32_t low, std::uint32_t bit) {
      return integers((low & 0x00030003u) | (bit & 0x00010001u) << 2, 0x00070007u, 4);
    };
    const std::uint32_t low = lane.word<first>() >> shift, high = lane.word<first + 16>() >> shift;
    const std::uint32_t bits = lane.word<block>() >> unit, more = lane.word<block + 16>() >> unit;
    return {{{made(low, bits), made(low >> 8, bits >> 8), made(high, more), made(high >> 8, more >> 8)}}};
  } else if constexpr (Format == BlockFormat::q4_k || Format == BlockFormat::q5_k) {
    constexpr bool five = Format == BlockFormat::q5_k;
    constexpr int first = block + (five ? 48 : 16) + unit / 2 * 32;
    const int shift = (unit % 2 == 1) != faults.halves_swapped ? 4 : 0;
    const std::uint32_t low = lane.word<first>() >> shift, high = lane.word<first + 16>() >> shift;
    if constexpr (!five) {
      constexpr std::uint32_t mask = 0x000F000Fu;
      return {{{integers(low, mask, 0), integers(low >> 8, mask, 0), integers(high, mask, 0),
                integers(high >> 8, mask, 0)}}};
    } else {
      const auto made = [&](std::uint32_t code, std::uint32_t bit) {
        const std::uint32_t fifth = faults.fifth_bit_lost ? 0 : (bit & 0x00010001u) << 4;
        return integers((code & 0x000F000Fu) | fifth, 0x001F001Fu, 0);
      };
      const std::uint32_t bits = lane.word<block + 16>() >> unit, more = lane.word<block + 32>() >> unit;
      return {{{made(low, bits), made(low >> 8, bits >> 8), made(high, more), made(high >> 8, more >> 8)}}};
    }
  } else if constexpr (Format == BlockFormat::q6_k) {
    constexpr int quarter = unit % 4;
    constexpr int low_at = block + unit / 4 * 64 + quarter % 2 * 32, high_at = block + 128 + unit / 4 * 32;
    const int shift = (quarter >= 2) != faults.halves_swapped ? 4 : 0;
    const auto made = [](std::uint32_t low, std::uint32_t high) {
      // The high two bits of a code, at bits 2 (quarter) of a byte, go to bits 4 and 5.
      const std::uint32_t moved = quarter < 2 ? high << (4 - 2 * quarter) : high >> (2 * quarter - 4);
      return integers(masked(low, 0x000F000Fu, moved & 0x00300030u), 0x003F003Fu, 32);
    };
    const std::uint32_t low = lane.word<low_at>() >> shift, high = lane.word<low_at + 16>() >> shift;
    const std::uint32_t bits = lane.word<high_at>(), more = lane.word<high_at + 16>();
    return {{{made(low, bits), made(low >> 8, bits >> 8), made(high, more), made(high >> 8, more >> 8)}}};
  } else if constexpr (Format == BlockFormat::iq4_nl || Format == BlockFormat::iq4_xs) {
    constexpr int first = Format == BlockFormat::iq4_nl ? block + 2 : block + 8 + 16 * unit;
    std::uint32_t word = lane.word<first>();
    if (faults.halves_swapped) word = (word & 0x0F0F0F0Fu) << 4 | (word >> 4 & 0x0F0F0F0Fu);
    const std::uint32_t low = blocks::looked_up(blocks::iq4_table(), word & 0x0F0F0F0Fu);
    const std::uint32_t high = blocks::looked_up(blocks::iq4_table(), word >> 4 & 0x0F0F0F0Fu);
    return {{{signed_bytes(low, faults), signed_bytes(low >> 8, faults), signed_bytes(high, faults),
              signed_bytes(high >> 8, faults)}}};
  } else {
    static_assert(Format == BlockFormat::mxfp4);
    std::uint32_t word = lane.word<block + 1>();
    if (faults.halves_swapped) word = (word & 0x0F0F0F0Fu) << 4 | (word >> 4 & 0x0F0F0F0Fu);
    return {{{small_floats(word << 6, word << 12, faults), small_floats(word >> 2, word << 4, faults),
              small_floats(word << 2, word << 8, faults), small_floats(word >> 6, word, faults)}}};
  }
}

}  // namespace assay::kernels::fragments
