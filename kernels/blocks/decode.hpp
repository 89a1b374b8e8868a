#pragma once

// Four elements of a block that lie side by side, for what holds a block in memory that single bytes are
// cheap in (shared memory). Their codes are four bytes, or equal parts of four bytes, in every format: one
// word, unpacked by masks and shifts of all four at a time. Host and device run the same body but for what is
// said here.

#include <cstdint>
#include <cstring>

#include "engine/runtime/host_device.hpp"
#include "engine/tensors/block_format.hpp"
#include "engine/tensors/half.hpp"
#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

namespace assay::kernels::blocks {

struct Four {
  float values[4];
};

/// `At` bytes behind an address that is a multiple of `Alignment`: what is known of that place.
ASSAY_HOST_DEVICE constexpr int alignment_behind(int alignment, int at) {
  while (at % alignment != 0) alignment /= 2;
  return alignment;
}

/// The four bytes from `at` on, a multiple of `Alignment`: 4, 2 or 1.
template <int Alignment>
ASSAY_HOST_DEVICE inline std::uint32_t word(const std::uint8_t* at) {
#ifdef __CUDA_ARCH__
  if constexpr (Alignment == 4) {
    return *reinterpret_cast<const std::uint32_t*>(at);
  } else if constexpr (Alignment == 2) {
    const auto* halves = reinterpret_cast<const std::uint16_t*>(at);
    return halves[0] | static_cast<std::uint32_t>(halves[1]) << 16;
  } else {
    return at[0] | at[1] << 8 | at[2] << 16 | static_cast<std::uint32_t>(at[3]) << 24;
  }
#else
  std::uint32_t made;
  std::memcpy(&made, at, sizeof made);
  return made;
#endif
}

template <int Alignment>
ASSAY_HOST_DEVICE inline std::uint16_t two_bytes(const std::uint8_t* at) {
#ifdef __CUDA_ARCH__
  if constexpr (Alignment >= 2) return *reinterpret_cast<const std::uint16_t*>(at);
#endif
  return static_cast<std::uint16_t>(at[0] | at[1] << 8);
}

ASSAY_HOST_DEVICE inline float binary16(std::uint16_t bits) {
#ifdef __CUDA_ARCH__
  return __half2float(__ushort_as_half(bits));  // one instruction; a NaN may have other bits than on the host
#else
  return to_float(Half{bits});
#endif
}

/// Byte i of the result is byte s of {first, second}, s the i-th four bits of the selector, 0 to 7.
ASSAY_HOST_DEVICE inline std::uint32_t selected(std::uint32_t first, std::uint32_t second,
                                                std::uint32_t selector) {
#ifdef __CUDA_ARCH__
  return __byte_perm(first, second, selector);
#else
  const std::uint64_t both = first | static_cast<std::uint64_t>(second) << 32;
  std::uint32_t made = 0;
  for (int i = 0; i < 4; ++i)
    made |= static_cast<std::uint32_t>(both >> 8 * (selector >> 4 * i & 7) & 0xFF) << 8 * i;
  return made;
#endif
}

/// Sixteen bytes as four words, chosen from by codes.
struct Table {
  std::uint32_t words[4];
};
// kvalues_iq4nl and kvalues_mxfp4 of ggml-common.h, a byte each, the first the lowest (levels.hpp has the
// numbers).
ASSAY_HOST_DEVICE constexpr Table iq4_table() {
  return {{0xBFAD9881u, 0xF6EADDCFu, 0x26190D01u, 0x71594535u}};
}
ASSAY_HOST_DEVICE constexpr Table mxfp4_table() {
  return {{0x03020100u, 0x0C080604u, 0xFDFEFF00u, 0xF4F8FAFCu}};
}

/// The table's byte for each of four codes of 0 to 15.
ASSAY_HOST_DEVICE inline std::uint32_t looked_up(Table table, std::uint32_t codes) {
  // The low three bits of the four codes, four bits apart in the lower half of a word.
  const std::uint32_t index = codes & 0x07070707u;
  const std::uint32_t pairs = index | index >> 4;
  const std::uint32_t selector = (pairs & 0x77u) | (pairs >> 8 & 0x7700u);
  const std::uint32_t upper = (codes >> 3 & 0x01010101u) * 0xFFu;
  return (selected(table.words[0], table.words[1], selector) & ~upper) |
         (selected(table.words[2], table.words[3], selector) & upper);
}

/// factor * code for four codes of a byte each, with sign or without, less `bias`.
template <typename Code>
ASSAY_HOST_DEVICE inline Four scaled(std::uint32_t codes, int bias, float factor) {
  Four made;
  for (int i = 0; i < 4; ++i)
    made.values[i] = factor * static_cast<float>(static_cast<Code>(codes >> 8 * i) - bias);
  return made;
}

/// The same and an offset. The product is exact: joined with the sum or not, the bits are the same.
ASSAY_HOST_DEVICE inline Four scaled_and_added(std::uint32_t codes, float factor, float offset) {
  Four made;
  for (int i = 0; i < 4; ++i)
    made.values[i] = factor * static_cast<float>(static_cast<std::uint8_t>(codes >> 8 * i)) + offset;
  return made;
}

/// Four bits, the lowest first, as the fifth bit of four bytes.
ASSAY_HOST_DEVICE inline std::uint32_t fifth_bits(std::uint32_t bits) {
  return (bits & 1) << 4 | (bits & 2) << 11 | (bits & 4) << 18 | (bits & 8) << 25;
}

/// 2^(exponent - 128); the two smallest are subnormal.
ASSAY_HOST_DEVICE inline float half_of_power(std::uint32_t exponent) {
  return detail::float_of(exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23);
}

/// Scale and minimum j of the eight of Q4_K and Q5_K.
struct ScaleAndMinimum {
  int scale, minimum;
};
ASSAY_HOST_DEVICE inline ScaleAndMinimum six_bits(const std::uint8_t* packed, int j) {
  if (j < 4) return {packed[j] & 63, packed[j + 4] & 63};
  const int halves = packed[j + 4];
  return {(halves & 15) | packed[j - 4] >> 6 << 4, halves >> 4 | packed[j] >> 6 << 4};
}

/// A block that begins on a multiple of Alignment bytes.
template <int Alignment>
struct Block {
  const std::uint8_t* bytes;

  /// The four bytes from Behind + on on, `on` a multiple of four.
  template <int Behind>
  ASSAY_HOST_DEVICE std::uint32_t word_at(int on) const {
    return word<alignment_behind(Alignment, Behind)>(bytes + Behind + on);
  }
  template <int Behind>
  ASSAY_HOST_DEVICE float number_at() const {
    return binary16(two_bytes<alignment_behind(Alignment, Behind)>(bytes + Behind));
  }
  /// Codes of four bits: the low halves of Length / 2 bytes, then their high halves.
  template <int Behind, int Length>
  ASSAY_HOST_DEVICE std::uint32_t halves_at(int on) const {
    const std::uint32_t codes = word_at<Behind>(on % (Length / 2));
    return codes >> (on < Length / 2 ? 0 : 4) & 0x0F0F0F0Fu;
  }
  /// Codes of two bits: of each 128, 32 bytes hold the first 32 in their lowest bits.
  template <int Behind>
  ASSAY_HOST_DEVICE std::uint32_t quarters_at(int at) const {
    return word_at<Behind>(at / 128 * 32 + at % 32) >> 2 * (at % 128 / 32) & 0x03030303u;
  }
};

/// Elements at to at + 3 of a block, `at` a multiple of four; the block begins on a multiple of Alignment
/// bytes (1, 2 or 4). A format of one element a block takes four blocks, with `at` 0.
template <BlockFormat Format, int Alignment>
ASSAY_HOST_DEVICE inline Four four_of(const std::uint8_t* bytes, int at) {
  const Block<Alignment> block{bytes};
  if constexpr (Format == BlockFormat::f32) {
    return {{detail::float_of(block.template word_at<0>(0)), detail::float_of(block.template word_at<0>(4)),
             detail::float_of(block.template word_at<0>(8)),
             detail::float_of(block.template word_at<0>(12))}};
  } else if constexpr (Format == BlockFormat::f16) {
    const std::uint32_t low = block.template word_at<0>(0), high = block.template word_at<0>(4);
    return {{binary16(static_cast<std::uint16_t>(low)), binary16(static_cast<std::uint16_t>(low >> 16)),
             binary16(static_cast<std::uint16_t>(high)), binary16(static_cast<std::uint16_t>(high >> 16))}};
  } else if constexpr (Format == BlockFormat::bf16) {
    const std::uint32_t low = block.template word_at<0>(0), high = block.template word_at<0>(4);
    return {{detail::float_of(low << 16), detail::float_of(low & 0xFFFF0000u), detail::float_of(high << 16),
             detail::float_of(high & 0xFFFF0000u)}};
  } else if constexpr (Format == BlockFormat::q4_0) {
    return scaled<std::uint8_t>(block.template halves_at<2, 32>(at), 8, block.template number_at<0>());
  } else if constexpr (Format == BlockFormat::q4_1) {
    return scaled_and_added(block.template halves_at<4, 32>(at), block.template number_at<0>(),
                            block.template number_at<2>());
  } else if constexpr (Format == BlockFormat::q5_0) {
    const std::uint32_t fifth = fifth_bits(block.template word_at<2>(0) >> at);
    return scaled<std::uint8_t>(block.template halves_at<6, 32>(at) | fifth, 16,
                                block.template number_at<0>());
  } else if constexpr (Format == BlockFormat::q5_1) {
    const std::uint32_t fifth = fifth_bits(block.template word_at<4>(0) >> at);
    return scaled_and_added(block.template halves_at<8, 32>(at) | fifth, block.template number_at<0>(),
                            block.template number_at<2>());
  } else if constexpr (Format == BlockFormat::q8_0) {
    return scaled<std::int8_t>(block.template word_at<2>(at), 0, block.template number_at<0>());
  } else if constexpr (Format == BlockFormat::q2_k) {
    const int both = bytes[at / 16];
    return scaled_and_added(block.template quarters_at<16>(at),
                            block.template number_at<80>() * static_cast<float>(both & 15),
                            -(block.template number_at<82>() * static_cast<float>(both >> 4)));
  } else if constexpr (Format == BlockFormat::q3_k) {
    const int j = at / 16;
    const int scale = (bytes[96 + j % 8] >> 4 * (j / 8) & 15) | (bytes[104 + j % 4] >> 2 * (j / 4) & 3) << 4;
    const std::uint32_t high = block.template word_at<0>(at % 32) >> at / 32 & 0x01010101u;
    return scaled<std::uint8_t>(block.template quarters_at<32>(at) | high << 2, 4,
                                block.template number_at<108>() * static_cast<float>(scale - 32));
  } else if constexpr (Format == BlockFormat::q4_k || Format == BlockFormat::q5_k) {
    const ScaleAndMinimum of = six_bits(bytes + 4, at / 32);
    const float factor = block.template number_at<0>() * static_cast<float>(of.scale);
    const float offset = -(block.template number_at<2>() * static_cast<float>(of.minimum));
    if constexpr (Format == BlockFormat::q4_k) {
      const std::uint32_t codes = block.template word_at<16>(at / 64 * 32 + at % 32);
      return scaled_and_added(codes >> at % 64 / 32 * 4 & 0x0F0F0F0Fu, factor, offset);
    } else {
      const std::uint32_t codes = block.template word_at<48>(at / 64 * 32 + at % 32);
      const std::uint32_t fifth = block.template word_at<16>(at % 32) >> at / 32 & 0x01010101u;
      return scaled_and_added((codes >> at % 64 / 32 * 4 & 0x0F0F0F0Fu) | fifth << 4, factor, offset);
    }
  } else if constexpr (Format == BlockFormat::q6_k) {
    const std::uint32_t low = block.template word_at<0>(at / 128 * 64 + at % 64) >> at % 128 / 64 * 4;
    const std::uint32_t high = block.template quarters_at<128>(at);
    const int scale = static_cast<std::int8_t>(bytes[192 + at / 16]);
    return scaled<std::uint8_t>((low & 0x0F0F0F0Fu) | high << 4, 32,
                                block.template number_at<208>() * static_cast<float>(scale));
  } else if constexpr (Format == BlockFormat::q8_k) {
    return scaled<std::int8_t>(block.template word_at<4>(at), 0,
                               detail::float_of(block.template word_at<0>(0)));
  } else if constexpr (Format == BlockFormat::iq4_nl) {
    return scaled<std::int8_t>(looked_up(iq4_table(), block.template halves_at<2, 32>(at)), 0,
                               block.template number_at<0>());
  } else if constexpr (Format == BlockFormat::iq4_xs) {
    const int j = at / 32;
    const int scale = (bytes[4 + j / 2] >> 4 * (j % 2) & 15) | (bytes[2 + j / 4] >> 2 * (j % 4) & 3) << 4;
    const std::uint32_t codes = block.template word_at<8>(j * 16 + at % 16) >> at % 32 / 16 * 4 & 0x0F0F0F0Fu;
    return scaled<std::int8_t>(looked_up(iq4_table(), codes), 0,
                               block.template number_at<0>() * static_cast<float>(scale - 32));
  } else {
    static_assert(Format == BlockFormat::mxfp4);
    return scaled<std::int8_t>(looked_up(mxfp4_table(), block.template halves_at<1, 32>(at)), 0,
                               half_of_power(bytes[0]));
  }
}

}  // namespace assay::kernels::blocks
