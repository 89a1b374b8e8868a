// Blocks of 32 elements decoded on the CPU (Q4_0 to Q8_0, IQ4_NL, MXFP4).
#if defined(ASSAY_KERNELS_BLOCKS_SHORT_BLOCKS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_BLOCKS_SHORT_BLOCKS_INL
#undef ASSAY_KERNELS_BLOCKS_SHORT_BLOCKS_INL
#else
#define ASSAY_KERNELS_BLOCKS_SHORT_BLOCKS_INL
#endif

#include <bit>

#include "engine/runtime/mutant.hpp"
#include "engine/tensors/block_format.hpp"
#include "kernels/blocks/levels.hpp"
#include "kernels/blocks/unpack_inl.hpp"

#if HWY_TARGET != HWY_SCALAR  // which has no vectors of bytes: decode_inl.hpp does without
HWY_BEFORE_NAMESPACE();
namespace assay::kernels::blocks::HWY_NAMESPACE {

/// Decodes one block: to[i] for its elements.
template <BlockFormat Format, bool Streamed>
struct Decode;

/// Elements 0 to 15 and 16 to 31.
struct Halves {
  Sixteen first, second;
};

HWY_INLINE Halves halves_at(const std::uint8_t* codes, bool swapped) {
  const Sixteen bytes = bytes_at(codes);
  const Sixteen low = low_halves(bytes);
  const Sixteen high = high_halves(bytes);
  return swapped ? Halves{high, low} : Halves{low, high};
}

template <bool Streamed>
struct Decode<BlockFormat::q4_0, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    const int offset = mutant("quant.dequantize.q4_0_offset_missing") ? 0 : 8;
    Halves q = halves_at(from + 2, mutant("quant.dequantize.q4_0_halves_swapped"));
    if (mutant("quant.dequantize.q4_0_neighbours_in_a_byte"))
      q = {hn::InterleaveLower(Bytes(), q.first, q.second), hn::InterleaveUpper(Bytes(), q.first, q.second)};
    alignas(64) std::int8_t codes[32];
    keep(hn::Sub(q.first, all(offset)), codes);
    keep(hn::Sub(q.second, all(offset)), codes + 16);
    float d = binary16_at(from);
    if (mutant("quant.dequantize.q4_0_scale_sign_lost")) d = d < 0 ? -d : d;
    scale<Streamed>(codes, 32, d, to);
  }
};

template <bool Streamed>
struct Decode<BlockFormat::q4_1, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    const Halves q = halves_at(from + 4, mutant("quant.dequantize.q4_1_halves_swapped"));
    alignas(64) std::int8_t codes[32];
    keep(q.first, codes);
    keep(q.second, codes + 16);
    const bool exchanged = mutant("quant.dequantize.q4_1_scale_and_minimum_swapped");
    const float d = binary16_at(from + (exchanged ? 2 : 0));
    float m = binary16_at(from + (exchanged ? 0 : 2));
    if (mutant("quant.dequantize.q4_1_minimum_missing")) m = 0;
    if (mutant("quant.dequantize.q4_1_minimum_subtracted")) m = -m;
    scale_and_add<Streamed>(codes, 32, d, m, to);
  }
};

template <bool Streamed>
struct Decode<BlockFormat::q5_0, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    const Halves q = halves_at(from + 6, mutant("quant.dequantize.q5_0_halves_swapped"));
    const std::uint8_t* fifths = from + 2;
    const int fifth = mutant("quant.dequantize.q5_0_fifth_bit_lost") ? 0 : 16;
    const std::uint8_t* second = mutant("quant.dequantize.q5_0_fifth_bits_repeated") ? fifths : fifths + 2;
    const int offset = mutant("quant.dequantize.q5_0_offset_of_four_bits") ? 8 : 16;
    alignas(64) std::int8_t codes[32];
    keep(hn::Sub(hn::Or(q.first, where_set_of(fifths, fifth)), all(offset)), codes);
    keep(hn::Sub(hn::Or(q.second, where_set_of(second, fifth)), all(offset)), codes + 16);
    scale<Streamed>(codes, 32, binary16_at(from), to);
  }
};

template <bool Streamed>
struct Decode<BlockFormat::q5_1, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    const Halves q = halves_at(from + 8, mutant("quant.dequantize.q5_1_halves_swapped"));
    const bool exchanged = mutant("quant.dequantize.q5_1_fifth_bits_swapped");
    const int fifth = mutant("quant.dequantize.q5_1_fifth_bit_worth_eight") ? 8 : 16;
    alignas(64) std::int8_t codes[32];
    keep(hn::Or(q.first, where_set_of(from + (exchanged ? 6 : 4), fifth)), codes);
    keep(hn::Or(q.second, where_set_of(from + (exchanged ? 4 : 6), fifth)), codes + 16);
    const float m = mutant("quant.dequantize.q5_1_minimum_missing") ? 0.0f : binary16_at(from + 2);
    scale_and_add<Streamed>(codes, 32, binary16_at(from), m, to);
  }
};

template <bool Streamed>
struct Decode<BlockFormat::q8_0, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    const std::int8_t* codes = reinterpret_cast<const std::int8_t*>(from + 2);
    if (mutant("quant.dequantize.q8_0_codes_from_the_scale")) codes -= 2;
    float d = binary16_at(from);
    if (mutant("quant.dequantize.q8_0_scale_halved")) d *= 0.5f;
    scale<Streamed>(codes, 32, d, to);
    if (mutant("quant.dequantize.q8_0_sign_lost"))
      for (int i = 0; i < 32; ++i) to[i] = d * static_cast<float>(from[2 + i]);
    if (mutant("quant.dequantize.q8_0_second_half_repeated")) scale<Streamed>(codes, 16, d, to + 16);
  }
};

template <bool Streamed>
struct Decode<BlockFormat::iq4_nl, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    const Halves q = halves_at(from + 2, mutant("quant.dequantize.iq4_nl_halves_swapped"));
    alignas(64) std::int8_t codes[32];
    keep(looked_up(iq4_levels, q.first), codes);
    keep(looked_up(iq4_levels, q.second), codes + 16);
    for (std::int8_t& code : codes) {
      if (mutant("quant.dequantize.iq4_nl_level_of_zero") && code == 1) code = 0;
      if (mutant("quant.dequantize.iq4_nl_symmetric_levels") && code == 113) code = 127;
    }
    if (mutant("quant.dequantize.iq4_nl_linear_levels")) {
      keep(hn::Sub(q.first, all(8)), codes);
      keep(hn::Sub(q.second, all(8)), codes + 16);
    }
    scale<Streamed>(codes, 32, binary16_at(from), to);
  }
};

/// 2^(exponent - 128), the two smallest of which are subnormal.
HWY_INLINE float half_of_power(std::uint8_t exponent) {
  const std::uint32_t biased = exponent;
  if (mutant("quant.dequantize.mxfp4_subnormal_scale_flushed") && biased < 2) return 0;
  return std::bit_cast<float>(biased < 2 ? 0x00200000u << biased : (biased - 1) << 23);
}

template <bool Streamed>
struct Decode<BlockFormat::mxfp4, Streamed> {
  static HWY_INLINE void block(const std::uint8_t* from, float* to) {
    const Halves q = halves_at(from + 1, mutant("quant.dequantize.mxfp4_halves_swapped"));
    const bool unsigned_codes = mutant("quant.dequantize.mxfp4_sign_lost");
    const int mask = unsigned_codes ? 7 : 15;
    alignas(64) std::int8_t codes[32];
    keep(looked_up(mxfp4_levels, hn::And(q.first, all(mask))), codes);
    keep(looked_up(mxfp4_levels, hn::And(q.second, all(mask))), codes + 16);
    float d = half_of_power(from[0]);
    if (mutant("quant.dequantize.mxfp4_bias_of_127")) d *= 2;
    if (mutant("quant.dequantize.mxfp4_nan_of_255") && from[0] == 255) d = std::bit_cast<float>(0x7FC00000u);
    scale<Streamed>(codes, 32, d, to);
    if (mutant("quant.dequantize.mxfp4_negative_zero"))
      for (int i = 0; i < 32; ++i)
        if ((i < 16 ? from[1 + i] & 15 : from[1 + i - 16] >> 4) == 8) to[i] = -0.0f;
  }
};

}  // namespace assay::kernels::blocks::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif  // per target
