#pragma once

// The codes of an octet of columns as binary16 (`Halves`) or bfloat16 (units.cuh). A code is made by bits:
// put below the exponent of 1024 (of 128), it is that much more. All of it is exact.
#include "kernels/fragments/lanes.cuh"

namespace assay::kernels::fragments {

template <bool Halves>
constexpr Pair magic = Halves ? 0x64006400u : 0x43004300u;
template <bool Halves>
constexpr int magic_value = Halves ? 1024 : 128;

/// Integers of `Bits` bits from bit `Shift` of either half of a word on, less `Bias`.
template <bool Halves, int Shift, int Bits, int Bias>
__device__ inline Pair integers(std::uint32_t bits) {
  constexpr std::uint32_t mask = ((1u << Bits) - 1) * 0x00010001u;
  if constexpr (Halves && Shift > 0) {
    // Where they stand they are multiples of a power of two below 1024: no shift is needed.
    static_assert(Shift + Bits <= 10 && Shift <= 4);
    constexpr std::uint32_t power = (15u - Shift) << 10;  // of 2^-Shift
    return times_plus(masked(bits, mask << Shift, magic<true>), power * 0x00010001u,
                      both<true, -(1024 >> Shift) - Bias>());
  } else {
    return plus<Halves>(masked(bits >> Shift, mask, magic<Halves>),
                        both<Halves, -magic_value<Halves> - Bias>());
  }
}

/// Bytes 0 and 2 as integers with sign.
template <bool Halves>
__device__ inline Pair signed_bytes(std::uint32_t bits, Faults faults) {
  if (faults.sign_lost) return integers<Halves, 0, 7, 0>(bits);
  if constexpr (Halves) {  // with the eighth bit turned round a byte is 128 more
    std::uint32_t made;
    asm("lop3.b32 %0, %1, %2, %3, 0x6A;" : "=r"(made) : "r"(bits), "r"(0x00FF00FFu), "r"(0x64806480u));
    return plus<true>(made, both<true, -1024 - 128>());
  } else {  // -128 and the eighth bit are a power of two with another exponent
    return plus<false>(masked(bits, 0x007F007Fu, magic<false>), masked(bits, 0x00800080u, 0xC300C300u));
  }
}

/// Codes of E2M1, twice their value: sign, two bits of exponent and one of fraction are put where the type
/// has them, which differs in the bias alone. From either half of a word on, bits `Shift` to `Shift` + 3.
template <bool Halves, int Shift>
__device__ inline Pair small_floats(std::uint32_t bits, Faults faults) {
  constexpr int fraction = (Halves ? 9 : 6) - Shift, sign_shift = 12 - Shift;
  const std::uint32_t moved = fraction < 0 ? bits >> -fraction : bits << (fraction < 0 ? 0 : fraction);
  const std::uint32_t sign = faults.sign_lost ? 0 : bits << sign_shift & 0x80008000u;
  return times<Halves>(masked(moved, Halves ? 0x0E000E00u : 0x01C001C0u, sign),
                       Halves ? 0x78007800u : 0x7F007F00u);
}

/// Eight codes, for each part of a weight.
template <int Parts>
struct Codes {
  Pair pairs[Parts][4];
};

/// Codes without sign in four bytes and in four more.
template <bool Halves, int Shift, int Bits, int Bias>
__device__ inline Codes<1> octet_of(std::uint32_t low, std::uint32_t high) {
  return {{{integers<Halves, Shift, Bits, Bias>(low), integers<Halves, Shift, Bits, Bias>(low >> 8),
            integers<Halves, Shift, Bits, Bias>(high), integers<Halves, Shift, Bits, Bias>(high >> 8)}}};
}
template <bool Halves>
__device__ inline Codes<1> signed_octet(std::uint32_t low, std::uint32_t high, Faults faults) {
  return {{{signed_bytes<Halves>(low, faults), signed_bytes<Halves>(low >> 8, faults),
            signed_bytes<Halves>(high, faults), signed_bytes<Halves>(high >> 8, faults)}}};
}

__device__ inline std::uint32_t as_stored(std::uint32_t word, Faults faults) {
  return faults.halves_swapped ? (word & 0x0F0F0F0Fu) << 4 | (word >> 4 & 0x0F0F0F0Fu) : word;
}

/// Four bits, the lowest first, as the fifth bit of four bytes.
__device__ inline std::uint32_t fifth_of(std::uint32_t bits, Faults faults) {
  return faults.fifth_bit_lost ? 0 : blocks::fifth_bits(bits);
}

/// Words of plain elements, as they are or cut into parts.
template <BlockFormat Format, bool Halves, int Octet>
__device__ inline auto plain_octet(const Lane<Format>& lane, Faults faults) {
  constexpr int parts = Shape<Format>::template parts<Halves>;
  Codes<parts> made;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if constexpr (parts == 1) {
      made.pairs[0][i] = lane.codes[4 * Octet + i];
    } else {
      float first, second;
      if constexpr (Format == BlockFormat::f32) {
        first = __uint_as_float(lane.codes[2 * i]);
        second = __uint_as_float(lane.codes[2 * i + 1]);
      } else {
        first = lower_half(lane.codes[4 * Octet + i]);
        second = upper_half(lane.codes[4 * Octet + i]);
      }
#pragma unroll
      for (int part = 0; part < parts; ++part) {
        made.pairs[part][i] = faults.low_part_lost && part == parts - 1 ? 0 : cut_off(first, second);
        first = rest_of(first);
        second = rest_of(second);
      }
    }
  }
  return made;
}

/// Octet `Octet` of a lane's unit `Unit`.
template <BlockFormat Format, bool Halves, int Unit, int Octet>
__device__ inline auto codes_of(const Lane<Format>& lane, Faults faults) {
  constexpr int block = Unit * Shape<Format>::block_bytes;  // of formats of 32
  if constexpr (Shape<Format>::plain) {
    return plain_octet<Format, Halves, Octet>(lane, faults);
  } else if constexpr (Format == BlockFormat::q4_0 || Format == BlockFormat::q4_1) {
    constexpr int bias = Format == BlockFormat::q4_0 ? 8 : 0;
    constexpr int codes = Format == BlockFormat::q4_0 ? 2 : 4;
    const std::uint32_t word = as_stored(word_at<block + codes + 4 * Octet>(lane.codes), faults);
    return Codes<1>{{{integers<Halves, 0, 4, bias>(word), integers<Halves, 0, 4, bias>(word >> 8),
                      integers<Halves, 4, 4, bias>(word), integers<Halves, 4, 4, bias>(word >> 8)}}};
  } else if constexpr (Format == BlockFormat::q5_0 || Format == BlockFormat::q5_1) {
    constexpr int bias = Format == BlockFormat::q5_0 ? 16 : 0;
    constexpr int fields = block + (Format == BlockFormat::q5_0 ? 2 : 4);
    const std::uint32_t fifths = word_at<fields>(lane.codes) >> (4 * Octet);
    const std::uint32_t word = as_stored(word_at<fields + 4 + 4 * Octet>(lane.codes), faults);
    return octet_of<Halves, 0, 5, bias>(masked(word, 0x0F0F0F0Fu, fifth_of(fifths, faults)),
                                        masked(word >> 4, 0x0F0F0F0Fu, fifth_of(fifths >> 16, faults)));
  } else if constexpr (Format == BlockFormat::q8_0) {
    return signed_octet<Halves>(word_at<block + 2 + 4 * Octet>(lane.codes),
                                word_at<block + 18 + 4 * Octet>(lane.codes), faults);
  } else if constexpr (Format == BlockFormat::q8_k) {
    return signed_octet<Halves>(lane.codes[8 * Unit + Octet], lane.codes[8 * Unit + Octet + 4], faults);
  } else if constexpr (Format == BlockFormat::q2_k) {
    return octet_of<Halves, 2 * Unit, 2, 0>(lane.codes[Octet], lane.codes[Octet + 4]);
  } else if constexpr (Format == BlockFormat::q3_k) {
    const auto made = [](std::uint32_t code, std::uint32_t bit) {
      return masked(code >> 2 * Unit, 0x03030303u, (bit >> Unit & 0x01010101u) << 2);
    };
    return octet_of<Halves, 0, 3, 4>(made(lane.codes[Octet], lane.more[Octet]),
                                     made(lane.codes[Octet + 4], lane.more[Octet + 4]));
  } else if constexpr (Format == BlockFormat::q4_k) {
    return octet_of<Halves, 4 * Unit, 4, 0>(as_stored(lane.codes[Octet], faults),
                                            as_stored(lane.codes[Octet + 4], faults));
  } else if constexpr (Format == BlockFormat::q5_k) {
    const auto made = [&](std::uint32_t code, std::uint32_t bit) {
      return masked(as_stored(code, faults) >> 4 * Unit, 0x0F0F0F0Fu,
                    faults.fifth_bit_lost ? 0 : (bit >> Unit & 0x01010101u) << 4);
    };
    return octet_of<Halves, 0, 5, 0>(made(lane.codes[Octet], lane.more[Octet]),
                                     made(lane.codes[Octet + 4], lane.more[Octet + 4]));
  } else if constexpr (Format == BlockFormat::q6_k) {
    const auto made = [&](std::uint32_t code, std::uint32_t bits) {
      // The high two bits of a code, at bits 4 Unit of a byte, go to bits 4 and 5.
      return masked(as_stored(code, faults) >> 4 * Unit, 0x0F0F0F0Fu,
                    (Unit == 0 ? bits << 4 : bits) & 0x30303030u);
    };
    return octet_of<Halves, 0, 6, 32>(made(lane.codes[Octet], lane.more[Octet]),
                                      made(lane.codes[Octet + 4], lane.more[Octet + 4]));
  } else if constexpr (Format == BlockFormat::iq4_nl || Format == BlockFormat::iq4_xs) {
    std::uint32_t word;
    if constexpr (Format == BlockFormat::iq4_nl)
      word = as_stored(word_at<block + 2 + 4 * Octet>(lane.codes), faults);
    else
      word = as_stored(lane.codes[4 * Unit + Octet], faults);
    return signed_octet<Halves>(blocks::looked_up(blocks::iq4_table(), word & 0x0F0F0F0Fu),
                                blocks::looked_up(blocks::iq4_table(), word >> 4 & 0x0F0F0F0Fu), faults);
  } else {
    static_assert(Format == BlockFormat::mxfp4);
    const std::uint32_t word = as_stored(word_at<block + 1 + 4 * Octet>(lane.codes), faults);
    return Codes<1>{{{small_floats<Halves, 0>(word, faults), small_floats<Halves, 8>(word, faults),
                      small_floats<Halves, 4>(word, faults), small_floats<Halves, 12>(word, faults)}}};
  }
}

}  // namespace assay::kernels::fragments
