#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "engine/arguments.hpp"
#include "engine/tensors/block_format.hpp"

/// The blocks of GGUF files decoded one element at a time, by the layouts in engine/quant/dequantize.hpp
/// (ggml, ggml-common.h, commit d99724f2). Every function takes a block and the place of an element in it;
/// nothing is unpacked ahead, no two formats share a table, and numbers are double: products and the one sum
/// are exact there (the contract says why), so that the value is rounded once, to float, at the end.
namespace assay::reference::quant {

using Block = const std::uint8_t*;

/// `count` bits of a byte from bit `low` on.
inline int bits(std::uint8_t byte, int low, int count) {
  return byte / (1 << low) % (1 << count);
}

inline int with_sign(std::uint8_t byte) {
  return byte < 128 ? byte : byte - 256;
}

/// Sign, biased exponent and fraction of an IEEE 754 format as a number (IEEE 754-2019, 3.4).
inline double ieee(int sign, int exponent, int fraction, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const double sign_factor = sign == 0 ? 1 : -1;
  if (exponent == (1 << exponent_bits) - 1)
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign_factor * std::numeric_limits<double>::infinity();
  if (exponent == 0) return sign_factor * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign_factor * std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
}

inline double binary16(Block at) {
  return ieee(bits(at[1], 7, 1), bits(at[1], 2, 5), bits(at[1], 0, 2) * 256 + at[0], 5, 10);
}

inline double bfloat16(Block at) {
  return ieee(bits(at[1], 7, 1), bits(at[1], 0, 7) * 2 + bits(at[0], 7, 1), bits(at[0], 0, 7), 8, 7);
}

inline double binary32(Block at) {
  return ieee(bits(at[3], 7, 1), bits(at[3], 0, 7) * 2 + bits(at[2], 7, 1),
              (bits(at[2], 0, 7) * 256 + at[1]) * 256 + at[0], 8, 23);
}

/// Element i of 2 n codes of four bits: the low halves of n bytes, then their high halves.
inline int half_byte(Block codes, int i, int n) {
  return i < n ? bits(codes[i], 0, 4) : bits(codes[i - n], 4, 4);
}

/// block_q4_0: d, qs[16]
inline double q4_0(Block block, int i) {
  return binary16(block) * (half_byte(block + 2, i, 16) - 8);
}

/// block_q4_1: d, m, qs[16]
inline double q4_1(Block block, int i) {
  return binary16(block) * half_byte(block + 4, i, 16) + binary16(block + 2);
}

/// block_q5_0: d, qh[4], qs[16]
inline double q5_0(Block block, int i) {
  const int fifth = bits(block[2 + i / 8], i % 8, 1);
  return binary16(block) * (half_byte(block + 6, i, 16) + 16 * fifth - 16);
}

/// block_q5_1: d, m, qh[4], qs[16]
inline double q5_1(Block block, int i) {
  const int fifth = bits(block[4 + i / 8], i % 8, 1);
  return binary16(block) * (half_byte(block + 8, i, 16) + 16 * fifth) + binary16(block + 2);
}

/// block_q8_0: d, qs[32]
inline double q8_0(Block block, int i) {
  return binary16(block) * with_sign(block[2 + i]);
}

/// Two bits of element i of 256: in each 128, 32 bytes hold elements 0 to 31 in their lowest bits, then 32
/// to 63.
inline int two_bits(Block codes, int i) {
  return bits(codes[i / 128 * 32 + i % 32], 2 * (i % 128 / 32), 2);
}

/// block_q2_K: scales[16], qs[64], d, dmin
inline double q2_k(Block block, int i) {
  const std::uint8_t scale = block[i / 16];
  const double d = binary16(block + 80);
  const double dmin = binary16(block + 82);
  return d * bits(scale, 0, 4) * two_bits(block + 16, i) - dmin * bits(scale, 4, 4);
}

/// block_q3_K: hmask[32], qs[64], scales[12], d. Of a scale's six bits the low four are a half of the first
/// eight bytes, the high two a quarter of the last four.
inline double q3_k(Block block, int i) {
  const Block scales = block + 96;
  const int j = i / 16;
  const int scale = half_byte(scales, j, 8) + 16 * bits(scales[8 + j % 4], 2 * (j / 4), 2);
  const bool high = bits(block[i % 32], i / 32, 1) == 1;
  return binary16(block + 108) * (scale - 32) * (two_bits(block + 32, i) - (high ? 0 : 4));
}

/// Scale (which = 0) or minimum (which = 1) j of the eight of Q4_K and Q5_K.
inline int six_bits(Block scales, int j, int which) {
  if (j < 4) return bits(scales[j + 4 * which], 0, 6);
  return bits(scales[j + 4], 4 * which, 4) + 16 * bits(scales[j - 4 + 4 * which], 6, 2);
}

/// block_q4_K: d, dmin, scales[12], qs[128]
inline double q4_k(Block block, int i) {
  const int code = half_byte(block + 16 + i / 64 * 32, i % 64, 32);
  return binary16(block) * six_bits(block + 4, i / 32, 0) * code -
         binary16(block + 2) * six_bits(block + 4, i / 32, 1);
}

/// block_q5_K: d, dmin, scales[12], qh[32], qs[128]
inline double q5_k(Block block, int i) {
  const int code = half_byte(block + 48 + i / 64 * 32, i % 64, 32) + 16 * bits(block[16 + i % 32], i / 32, 1);
  return binary16(block) * six_bits(block + 4, i / 32, 0) * code -
         binary16(block + 2) * six_bits(block + 4, i / 32, 1);
}

/// block_q6_K: ql[128], qh[64], scales[16], d
inline double q6_k(Block block, int i) {
  const int code = half_byte(block + i / 128 * 64, i % 128, 64) + 16 * two_bits(block + 128, i);
  return binary16(block + 208) * with_sign(block[192 + i / 16]) * (code - 32);
}

/// block_q8_K: d (binary32), qs[256], bsums[16]
inline double q8_k(Block block, int i) {
  return binary32(block) * with_sign(block[4 + i]);
}

/// The levels of the non-linear four-bit formats (ggml-common.h, kvalues_iq4nl).
inline int level(int code) {
  constexpr int levels[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  return levels[code];
}

/// block_iq4_nl: d, qs[16]
inline double iq4_nl(Block block, int i) {
  return binary16(block) * level(half_byte(block + 2, i, 16));
}

/// block_iq4_xs: d, scales_h[2], scales_l[4], qs[128]
inline double iq4_xs(Block block, int i) {
  const int j = i / 32;
  const int scale = bits(block[4 + j / 2], 4 * (j % 2), 4) + 16 * bits(block[2 + j / 4], 2 * (j % 4), 2);
  return binary16(block) * (scale - 32) * level(half_byte(block + 8 + j * 16, i % 32, 16));
}

/// A sign, two bits of exponent of bias 1 and one of fraction (OCP Microscaling Formats 1.0, 5.3.3); ggml has
/// no -0.
inline double e2m1(int code) {
  const int sign = code / 8;
  const int exponent = code / 2 % 4;
  const int fraction = code % 2;
  const double magnitude = exponent == 0 ? fraction * 0.5 : std::ldexp(1 + fraction * 0.5, exponent - 1);
  return sign == 1 && magnitude != 0 ? -magnitude : magnitude;
}

/// block_mxfp4: e, qs[16]. The scale is 2^(e - 127) (5.4.1); ggml makes no NaN of e = 255.
inline double mxfp4(Block block, int i) {
  return std::ldexp(e2m1(half_byte(block + 1, i, 16)), block[0] - 127);
}

inline double element(BlockFormat format, Block block, int i) {
  switch (format) {
    case BlockFormat::f32:
      return binary32(block);
    case BlockFormat::f16:
      return binary16(block);
    case BlockFormat::bf16:
      return bfloat16(block);
    case BlockFormat::q4_0:
      return q4_0(block, i);
    case BlockFormat::q4_1:
      return q4_1(block, i);
    case BlockFormat::q5_0:
      return q5_0(block, i);
    case BlockFormat::q5_1:
      return q5_1(block, i);
    case BlockFormat::q8_0:
      return q8_0(block, i);
    case BlockFormat::q2_k:
      return q2_k(block, i);
    case BlockFormat::q3_k:
      return q3_k(block, i);
    case BlockFormat::q4_k:
      return q4_k(block, i);
    case BlockFormat::q5_k:
      return q5_k(block, i);
    case BlockFormat::q6_k:
      return q6_k(block, i);
    case BlockFormat::q8_k:
      return q8_k(block, i);
    case BlockFormat::iq4_nl:
      return iq4_nl(block, i);
    case BlockFormat::iq4_xs:
      return iq4_xs(block, i);
    case BlockFormat::mxfp4:
      return mxfp4(block, i);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// blocks: (rows, bytes of a row) u8; values: (rows, columns) f64 that hold floats
inline void run_dequantize(const Arguments& arguments, const Outputs& outputs) {
  const ConstTensorView& blocks = arguments.input("blocks");
  const BlockFormat format = block_format_named(arguments.text("format")).value();
  const BlockLayout& layout = layout_of(format);
  const std::int64_t columns = arguments.integer("columns");
  double* value = outputs.at("values").as<double>().data();
  for (std::int64_t row = 0; row < blocks.extent(0); ++row) {
    const auto* bytes = reinterpret_cast<Block>(blocks.data) + row * blocks.strides[0];
    for (std::int64_t column = 0; column < columns; ++column) {
      const Block block = bytes + column / layout.length * layout.bytes;
      // The formula is one of single precision: this is its last rounding, which for most formats is none.
      *value++ = static_cast<float>(element(format, block, static_cast<int>(column % layout.length)));
    }
  }
}

}  // namespace assay::reference::quant
