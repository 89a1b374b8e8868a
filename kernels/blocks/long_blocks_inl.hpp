// Blocks of 256 elements decoded on the CPU (Q2_K to Q8_K, IQ4_XS): codes of a whole block to a byte each,
// then sixteen or thirty-two at a time by the scale that they share.
#if defined(ASSAY_KERNELS_BLOCKS_LONG_BLOCKS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_BLOCKS_LONG_BLOCKS_INL
#undef ASSAY_KERNELS_BLOCKS_LONG_BLOCKS_INL
#else
#define ASSAY_KERNELS_BLOCKS_LONG_BLOCKS_INL
#endif

#include "kernels/blocks/short_blocks_inl.hpp"

#if HWY_TARGET != HWY_SCALAR  // which has no vectors of bytes: decode_inl.hpp does without
HWY_BEFORE_NAMESPACE();
namespace assay::kernels::blocks::HWY_NAMESPACE {

template <bool Streamed>
struct Decode<BlockFormat::q2_k, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    alignas(64) std::int8_t codes[256];
    const bool reversed = mutant("quant.dequantize.q2_k_quarters_reversed");
    for (int part = 0; part < 256; part += 16) {
      const int quarter = part % 128 / 32;
      const Sixteen bytes = bytes_at(from + 16 + part / 128 * 32 + part % 32);
      keep(two_bits(bytes, 2 * (reversed ? 3 - quarter : quarter)), codes + part);
    }
    const float d = binary16_at(from + 80);
    const float dmin = binary16_at(from + 82);
    const bool exchanged = mutant("quant.dequantize.q2_k_scale_and_minimum_swapped");
    const bool neighbour = mutant("quant.dequantize.q2_k_scale_of_neighbour");
    const bool added = mutant("quant.dequantize.q2_k_minimum_added");
    for (int j = 0; j < 16; ++j) {
      const std::uint8_t both = from[neighbour ? j ^ 1 : j];
      const int factor = exchanged ? both >> 4 : both & 15;
      const int least = exchanged ? both & 15 : both >> 4;
      const float offset = dmin * static_cast<float>(least);
      scale_and_add<Streamed>(codes + 16 * j, 16, d * static_cast<float>(factor), added ? offset : -offset,
                              to + 16 * j);
    }
  }
};

/// The sixteen scales of Q3_K, 0 to 63.
HWY_INLINE void q3_scales(const std::uint8_t* packed, std::int8_t* to) {
  const bool high_lost = mutant("quant.dequantize.q3_k_scale_high_bits_lost");
  for (int j = 0; j < 16; ++j) {
    const int low = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
    const int high = packed[8 + j % 4] >> 2 * (j / 4) & 3;
    to[j] = static_cast<std::int8_t>(high_lost ? low : low | high << 4);
  }
}

template <bool Streamed>
struct Decode<BlockFormat::q3_k, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    alignas(64) std::int8_t codes[256];
    const bool inverted = mutant("quant.dequantize.q3_k_high_bit_inverted");
    const bool first_plane = mutant("quant.dequantize.q3_k_high_bit_of_first_plane");
    for (int part = 0; part < 256; part += 16) {
      const int quarter = part % 128 / 32;
      const Sixteen low = two_bits(bytes_at(from + 32 + part / 128 * 32 + part % 32), 2 * quarter);
      const Sixteen high = where_set(bytes_at(from + part % 32), first_plane ? 0 : part / 32, 4);
      keep(inverted ? hn::Sub(low, high) : hn::Sub(hn::Or(low, high), all(4)), codes + part);
    }
    std::int8_t scales[16];
    q3_scales(from + 96, scales);
    const float d = binary16_at(from + 108);
    const int offset = mutant("quant.dequantize.q3_k_scale_offset_missing") ? 0 : 32;
    for (int j = 0; j < 16; ++j)
      scale<Streamed>(codes + 16 * j, 16, d * static_cast<float>(scales[j] - offset), to + 16 * j);
  }
};

/// The eight scales and minima of Q4_K and Q5_K, 0 to 63.
struct SixBits {
  std::uint8_t scale[8], minimum[8];
};

HWY_INLINE SixBits six_bits(const std::uint8_t* packed, bool high_lost) {
  SixBits made;
  for (int j = 0; j < 4; ++j) {
    made.scale[j] = packed[j] & 63;
    made.minimum[j] = packed[j + 4] & 63;
    const int scale_high = high_lost ? 0 : packed[j] >> 6;
    const int minimum_high = packed[j + 4] >> 6;
    made.scale[j + 4] = static_cast<std::uint8_t>((packed[j + 8] & 15) | scale_high << 4);
    made.minimum[j + 4] = static_cast<std::uint8_t>(packed[j + 8] >> 4 | minimum_high << 4);
  }
  return made;
}

template <bool Streamed>
struct Decode<BlockFormat::q4_k, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    alignas(64) std::int8_t codes[256];
    const int low_at = mutant("quant.dequantize.q4_k_halves_swapped") ? 32 : 0;
    for (int part = 0; part < 128; part += 16) {
      const Sixteen bytes = bytes_at(from + 16 + part);
      std::int8_t* const pair = codes + part / 32 * 64 + part % 32;
      keep(low_halves(bytes), pair + low_at);
      keep(high_halves(bytes), pair + 32 - low_at);
    }
    const SixBits packed = six_bits(from + 4, mutant("quant.dequantize.q4_k_scale_high_bits_lost"));
    const float d = binary16_at(from);
    const float dmin = binary16_at(from + 2);
    const bool of_pair = mutant("quant.dequantize.q4_k_scale_of_the_pair");
    const bool added = mutant("quant.dequantize.q4_k_minimum_added");
    const bool exchanged = mutant("quant.dequantize.q4_k_scale_and_minimum_swapped");
    for (int j = 0; j < 8; ++j) {
      const int which = of_pair ? j & ~1 : j;
      const auto factor = static_cast<float>(exchanged ? packed.minimum[which] : packed.scale[which]);
      const auto least = static_cast<float>(exchanged ? packed.scale[which] : packed.minimum[which]);
      scale_and_add<Streamed>(codes + 32 * j, 32, d * factor, added ? dmin * least : -(dmin * least),
                              to + 32 * j);
    }
  }
};

template <bool Streamed>
struct Decode<BlockFormat::q5_k, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    alignas(64) std::int8_t codes[256];
    const int fifth = mutant("quant.dequantize.q5_k_fifth_bit_lost") ? 0 : 16;
    const bool first_plane = mutant("quant.dequantize.q5_k_fifth_bit_of_first_plane");
    for (int part = 0; part < 128; part += 16) {
      const Sixteen bytes = bytes_at(from + 48 + part);
      const Sixteen planes = bytes_at(from + 16 + part % 32);
      const int plane = first_plane ? 0 : part / 32 * 2;
      std::int8_t* const pair = codes + part / 32 * 64 + part % 32;
      keep(hn::Or(low_halves(bytes), where_set(planes, plane, fifth)), pair);
      keep(hn::Or(high_halves(bytes), where_set(planes, plane + 1, fifth)), pair + 32);
    }
    const SixBits packed = six_bits(from + 4, mutant("quant.dequantize.q5_k_scale_high_bits_lost"));
    const float d = binary16_at(from);
    const float dmin = mutant("quant.dequantize.q5_k_minimum_missing") ? 0.0f : binary16_at(from + 2);
    for (int j = 0; j < 8; ++j)
      scale_and_add<Streamed>(codes + 32 * j, 32, d * static_cast<float>(packed.scale[j]),
                              -(dmin * static_cast<float>(packed.minimum[j])), to + 32 * j);
  }
};

template <bool Streamed>
struct Decode<BlockFormat::q6_k, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    alignas(64) std::int8_t codes[256];
    const int offset = mutant("quant.dequantize.q6_k_offset_missing") ? 0 : 32;
    const bool high_lost = mutant("quant.dequantize.q6_k_high_bits_lost");
    const bool high_of_first = mutant("quant.dequantize.q6_k_high_bits_of_first_quarter");
    for (int part = 0; part < 256; part += 16) {
      const int quarter = part % 128 / 32;
      const Sixteen pairs = bytes_at(from + part / 128 * 64 + part % 64);
      const Sixteen low = quarter < 2 ? low_halves(pairs) : high_halves(pairs);
      const Sixteen high =
          two_bits(bytes_at(from + 128 + part / 128 * 32 + part % 32), high_of_first ? 0 : 2 * quarter);
      const Sixteen code = high_lost ? low : hn::Or(low, hn::ShiftLeft<4>(high));
      keep(hn::Sub(code, all(offset)), codes + part);
    }
    const float d = binary16_at(from + 208);
    const bool neighbour = mutant("quant.dequantize.q6_k_scale_of_neighbour");
    const bool unsigned_scale = mutant("quant.dequantize.q6_k_scale_sign_lost");
    for (int j = 0; j < 16; ++j) {
      const std::uint8_t byte = from[192 + (neighbour ? j ^ 1 : j)];
      const int factor = unsigned_scale ? byte : static_cast<std::int8_t>(byte);
      scale<Streamed>(codes + 16 * j, 16, d * static_cast<float>(factor), to + 16 * j);
    }
  }
};

template <bool Streamed>
struct Decode<BlockFormat::q8_k, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    float d;
    std::memcpy(&d, from, sizeof d);
    if (mutant("quant.dequantize.q8_k_scale_of_sixteen_bits")) d = binary16_at(from + 2);
    if (mutant("quant.dequantize.q8_k_subnormal_scale_flushed") && d > -0x1p-126f && d < 0x1p-126f) d = 0;
    const int first = mutant("quant.dequantize.q8_k_codes_from_the_sums") ? 36 : 4;
    scale<Streamed>(reinterpret_cast<const std::int8_t*>(from + first), 256, d, to);
    if (mutant("quant.dequantize.q8_k_sign_lost"))
      for (int i = 0; i < 256; ++i) to[i] = d * static_cast<float>(from[4 + i]);
  }
};

template <bool Streamed>
struct Decode<BlockFormat::iq4_xs, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    alignas(64) std::int8_t codes[256];
    const bool swapped = mutant("quant.dequantize.iq4_xs_halves_swapped");
    for (int j = 0; j < 8; ++j) {
      const Halves q = halves_at(from + 8 + 16 * j, swapped);
      keep(looked_up(iq4_levels, q.first), codes + 32 * j);
      keep(looked_up(iq4_levels, q.second), codes + 32 * j + 16);
    }
    const float d = binary16_at(from);
    const int high_bits = from[2] | from[3] << 8;
    const bool high_lost = mutant("quant.dequantize.iq4_xs_scale_high_bits_lost");
    const bool exchanged = mutant("quant.dequantize.iq4_xs_scale_halves_swapped");
    const int offset = mutant("quant.dequantize.iq4_xs_scale_offset_missing") ? 0 : 32;
    for (int j = 0; j < 8; ++j) {
      const int low = from[4 + j / 2] >> 4 * (exchanged ? 1 - j % 2 : j % 2) & 15;
      const int high = high_lost ? 0 : high_bits >> 2 * j & 3;
      scale<Streamed>(codes + 32 * j, 32, d * static_cast<float>((low | high << 4) - offset), to + 32 * j);
    }
  }
};

}  // namespace assay::kernels::blocks::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif  // per target
