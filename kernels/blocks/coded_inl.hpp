// The block formats as codes in registers and scales (codes_inl.hpp). `Coded<format>` is made from the
// address of a block:
//   bits, offset          of the bytes of `codes` those are the code; an element is scale (code - offset)
//   codes<part>()         32 elements in their order, `part` of the eight of a block of 256, else 0
//   scale<part>()         lanes 0 to 3 for elements 0 to 15, lanes 4 to 7 for the others
//   minimum_width         elements that share a minimum's vector lane; 0: the format has no minima
//   with_minima(s, sums)  the minima times `sums` of so many activations each, added to lanes of s
// A planted fault stands where a format has something that the others do not.
#if defined(ASSAY_KERNELS_BLOCKS_CODED_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_BLOCKS_CODED_INL
#undef ASSAY_KERNELS_BLOCKS_CODED_INL
#else
#define ASSAY_KERNELS_BLOCKS_CODED_INL
#endif

#include "kernels/blocks/codes_inl.hpp"

#if HWY_CAP_GE256
HWY_BEFORE_NAMESPACE();
namespace assay::kernels::blocks::HWY_NAMESPACE {

template <BlockFormat Format>
struct Coded;

/// Codes of four bits in sixteen bytes behind a scale in binary16, of which 8 stands for 0.
template <>
struct Coded<BlockFormat::q4_0> {
  static constexpr int bits = 0x0F, offset = 8, minimum_width = 0;
  const std::uint8_t* block;

  template <int>
  HWY_INLINE Codes codes() const {
    return halves_as_codes(block + 2);
  }
  template <int>
  HWY_INLINE Eight scale() const {
    return binary16_everywhere(block);
  }
};

/// A minimum that is added: what blocks of 32 have.
struct AddedMinimum {
  static constexpr int minimum_width = 4;
  HWY_INLINE static Eight added(const std::uint8_t* minimum, Eight sum, const float* sums) {
    if (mutant("dense.gemv.minimum_missing")) return sum;
    return hn::MulAdd(binary16_everywhere(minimum), hn::Load(Floats8(), sums), sum);
  }
};

template <>
struct Coded<BlockFormat::q4_1> : AddedMinimum {
  static constexpr int bits = 0x0F, offset = 0;
  const std::uint8_t* block;

  HWY_INLINE explicit Coded(const std::uint8_t* at) : block(at) {}
  template <int>
  HWY_INLINE Codes codes() const {
    return halves_as_codes(block + 4);
  }
  template <int>
  HWY_INLINE Eight scale() const {
    return binary16_everywhere(block);
  }
  HWY_INLINE Eight with_minima(Eight sum, const float* sums) const { return added(block + 2, sum, sums); }
};

HWY_INLINE Codes halves_with_fifth_bits(const std::uint8_t* halves, const std::uint8_t* fifths) {
  const Codes low = bits_of<15>(halves_as_codes(halves));
  return mutant("dense.gemv.high_bits_lost") ? low : hn::Or(low, fifth_bits_at(fifths));
}

template <>
struct Coded<BlockFormat::q5_0> {
  static constexpr int bits = 0x1F, offset = 16, minimum_width = 0;
  const std::uint8_t* block;

  template <int>
  HWY_INLINE Codes codes() const {
    return halves_with_fifth_bits(block + 6, block + 2);
  }
  template <int>
  HWY_INLINE Eight scale() const {
    return binary16_everywhere(block);
  }
};

template <>
struct Coded<BlockFormat::q5_1> : AddedMinimum {
  static constexpr int bits = 0x1F, offset = 0;
  const std::uint8_t* block;

  HWY_INLINE explicit Coded(const std::uint8_t* at) : block(at) {}
  template <int>
  HWY_INLINE Codes codes() const {
    return halves_with_fifth_bits(block + 8, block + 4);
  }
  template <int>
  HWY_INLINE Eight scale() const {
    return binary16_everywhere(block);
  }
  HWY_INLINE Eight with_minima(Eight sum, const float* sums) const { return added(block + 2, sum, sums); }
};

/// Bytes with a sign as bytes without, 128 more.
HWY_INLINE Codes unsigned_at(const std::uint8_t* at) {
  return hn::Xor(codes_at(at), hn::Set(Bytes32(), 0x80));
}

template <>
struct Coded<BlockFormat::q8_0> {
  static constexpr int bits = 0xFF, offset = 128, minimum_width = 0;
  const std::uint8_t* block;

  template <int>
  HWY_INLINE Codes codes() const {
    return unsigned_at(block + 2);
  }
  template <int>
  HWY_INLINE Eight scale() const {
    return binary16_everywhere(block);
  }
};

inline constexpr int iq4_offset = 127;
inline constexpr std::array<std::uint8_t, 16> iq4_raised = raised(iq4_levels, iq4_offset);

template <>
struct Coded<BlockFormat::iq4_nl> {
  static constexpr int bits = 0xFF, offset = iq4_offset, minimum_width = 0;
  const std::uint8_t* block;

  template <int>
  HWY_INLINE Codes codes() const {
    return levels_of(iq4_raised, bits_of<15>(halves_as_codes(block + 2)));
  }
  template <int>
  HWY_INLINE Eight scale() const {
    return binary16_everywhere(block);
  }
};

inline constexpr int mxfp4_offset = 12;
inline constexpr std::array<std::uint8_t, 16> mxfp4_raised = raised(mxfp4_levels, mxfp4_offset);

template <>
struct Coded<BlockFormat::mxfp4> {
  static constexpr int bits = 0xFF, offset = mxfp4_offset, minimum_width = 0;
  const std::uint8_t* block;

  template <int>
  HWY_INLINE Codes codes() const {
    return levels_of(mxfp4_raised, bits_of<15>(halves_as_codes(block + 1)));
  }
  template <int>
  HWY_INLINE Eight scale() const {
    return hn::Set(Floats8(), mxfp4_scales[block[0]]);
  }
};

template <>
struct Coded<BlockFormat::q2_k> {
  static constexpr int bits = 0x03, offset = 0, minimum_width = 16;
  const std::uint8_t* block;
  PartScales scales;

  HWY_INLINE explicit Coded(const std::uint8_t* at)
      : block(at),
        scales(scales_of_sixteens<std::uint8_t>(hn::And(both(), hn::Set(Bytes16(), 15)),
                                                binary16_everywhere(at + 80))) {}
  template <int part>
  HWY_INLINE Codes codes() const {
    return shifted_right<part % 4 * 2>(codes_at(block + 16 + part / 4 * 32));
  }
  template <int part>
  HWY_INLINE Eight scale() const {
    return scales.of<part>();
  }
  HWY_INLINE Eight with_minima(Eight sum, const float* sums) const {
    if (mutant("dense.gemv.minimum_missing")) return sum;
    const hn::FixedTag<std::uint8_t, 8> half;
    const Eight of_block = binary16_everywhere(block + 82);
    const auto minima = hn::ShiftRight<4>(both());
    const Eight first = hn::Mul(floats_of<std::uint8_t>(hn::LowerHalf(half, minima)), of_block);
    const Eight second = hn::Mul(floats_of<std::uint8_t>(hn::UpperHalf(half, minima)), of_block);
    return hn::NegMulAdd(second, hn::Load(Floats8(), sums + 8),
                         hn::NegMulAdd(first, hn::Load(Floats8(), sums), sum));
  }

 private:
  /// A scale in the low half of each byte, a minimum in the high one.
  HWY_INLINE hn::Vec<Bytes16> both() const { return hn::LoadU(Bytes16(), block); }
};

template <>
struct Coded<BlockFormat::q3_k> {
  static constexpr int bits = 0x07, offset = 4, minimum_width = 0;
  const std::uint8_t* block;
  PartScales scales;

  HWY_INLINE explicit Coded(const std::uint8_t* at)
      : block(at),
        scales(scales_of_sixteens<std::int8_t>(six_bit_scales(at + 96), binary16_everywhere(at + 108))) {}
  template <int part>
  HWY_INLINE Codes codes() const {
    const Codes low = bits_of<3>(shifted_right<part % 4 * 2>(codes_at(block + 32 + part / 4 * 32)));
    if (mutant("dense.gemv.high_bits_lost")) return low;
    return hn::Or(low, bits_of<4>(shifted_right<part - 2>(codes_at(block))));
  }
  template <int part>
  HWY_INLINE Eight scale() const {
    return scales.of<part>();
  }

 private:
  /// Sixteen scales, less 32: four low bits of each in eight bytes, then two high bits in four.
  HWY_INLINE static hn::Vec<Bytes16> six_bit_scales(const std::uint8_t* packed) {
    alignas(16) std::uint32_t words[4];
    const std::uint32_t high = word<1>(packed + 8);
    for (int j = 0; j < 4; ++j)
      words[j] = (word<1>(packed + j % 2 * 4) >> j / 2 * 4 & 0x0F0F0F0Fu) | (high >> 2 * j & 0x03030303u)
                                                                                << 4;
    const auto scales = hn::BitCast(Bytes16(), hn::Load(hn::FixedTag<std::uint32_t, 4>(), words));
    return hn::Sub(scales, hn::Set(Bytes16(), 32));
  }
};

/// The eight scales and minima of six bits of Q4_K and Q5_K: those of parts 0 to 3 and 4 to 7, a byte each.
struct SixBitWords {
  std::uint32_t scales[2], minima[2];

  HWY_INLINE explicit SixBitWords(const std::uint8_t* packed) {
    const std::uint32_t first = word<1>(packed), second = word<1>(packed + 4), third = word<1>(packed + 8);
    scales[0] = first & 0x3F3F3F3Fu;
    minima[0] = second & 0x3F3F3F3Fu;
    scales[1] = (third & 0x0F0F0F0Fu) | (first >> 2 & 0x30303030u);
    minima[1] = (third >> 4 & 0x0F0F0F0Fu) | (second >> 2 & 0x30303030u);
  }
};

/// What Q4_K and Q5_K have in common: scales and minima of 32 elements each in sixteen bytes.
struct ScalesAndMinima {
  static constexpr int offset = 0, minimum_width = 32;
  const std::uint8_t* block;
  SixBitWords packed;
  PartScales scales;

  HWY_INLINE explicit ScalesAndMinima(const std::uint8_t* at)
      : block(at),
        packed(at + 4),
        scales(scales_of_parts<std::uint8_t>(packed.scales[0], packed.scales[1], binary16_everywhere(at))) {}
  template <int part>
  HWY_INLINE Eight scale() const {
    return scales.of<part>();
  }
  HWY_INLINE Eight with_minima(Eight sum, const float* sums) const {
    if (mutant("dense.gemv.minimum_missing")) return sum;
    const std::uint64_t all = packed.minima[0] | static_cast<std::uint64_t>(packed.minima[1]) << 32;
    const Eight minima = hn::Mul(floats_of<std::uint8_t>(eight_bytes(all)), binary16_everywhere(block + 2));
    const Eight of_x = hn::Load(Floats8(), sums);
    return mutant("dense.gemv.minimum_added") ? hn::MulAdd(minima, of_x, sum)
                                              : hn::NegMulAdd(minima, of_x, sum);
  }
};

template <>
struct Coded<BlockFormat::q4_k> : ScalesAndMinima {
  static constexpr int bits = 0x0F;

  HWY_INLINE explicit Coded(const std::uint8_t* at) : ScalesAndMinima(at) {}
  template <int part>
  HWY_INLINE Codes codes() const {
    return shifted_right<part % 2 * 4>(codes_at(block + 16 + part / 2 * 32));
  }
};

template <>
struct Coded<BlockFormat::q5_k> : ScalesAndMinima {
  static constexpr int bits = 0x1F;

  HWY_INLINE explicit Coded(const std::uint8_t* at) : ScalesAndMinima(at) {}
  template <int part>
  HWY_INLINE Codes codes() const {
    const Codes low = bits_of<15>(shifted_right<part % 2 * 4>(codes_at(block + 48 + part / 2 * 32)));
    if (mutant("dense.gemv.high_bits_lost")) return low;
    return hn::Or(low, bits_of<16>(shifted_right<part - 4>(codes_at(block + 16))));
  }
};

template <>
struct Coded<BlockFormat::q6_k> {
  static constexpr int bits = 0x3F, offset = 32, minimum_width = 0;
  const std::uint8_t* block;
  PartScales scales;

  HWY_INLINE explicit Coded(const std::uint8_t* at)
      : block(at),
        scales(
            scales_of_sixteens<std::int8_t>(hn::LoadU(Bytes16(), at + 192), binary16_everywhere(at + 208))) {}
  template <int part>
  HWY_INLINE Codes codes() const {
    const Codes low =
        bits_of<15>(shifted_right<part % 4 / 2 * 4>(codes_at(block + part / 4 * 64 + part % 2 * 32)));
    if (mutant("dense.gemv.high_bits_lost")) return low;
    return hn::Or(low, bits_of<0x30>(shifted_right<part % 4 * 2 - 4>(codes_at(block + 128 + part / 4 * 32))));
  }
  template <int part>
  HWY_INLINE Eight scale() const {
    return scales.of<part>();
  }
};

template <>
struct Coded<BlockFormat::q8_k> {
  static constexpr int bits = 0xFF, offset = 128, minimum_width = 0;
  const std::uint8_t* block;

  template <int part>
  HWY_INLINE Codes codes() const {
    return unsigned_at(block + 4 + 32 * part);
  }
  template <int>
  HWY_INLINE Eight scale() const {
    float of_block;
    std::memcpy(&of_block, block, sizeof of_block);
    return hn::Set(Floats8(), of_block);
  }
};

template <>
struct Coded<BlockFormat::iq4_xs> {
  static constexpr int bits = 0xFF, offset = iq4_offset, minimum_width = 0;
  const std::uint8_t* block;
  PartScales scales;

  HWY_INLINE explicit Coded(const std::uint8_t* at)
      : block(at),
        scales(scales_of_parts<std::int8_t>(six_bit_scales(at, 0), six_bit_scales(at, 4),
                                            binary16_everywhere(at))) {}
  template <int part>
  HWY_INLINE Codes codes() const {
    return levels_of(iq4_raised, bits_of<15>(halves_as_codes(block + 8 + 16 * part)));
  }
  template <int part>
  HWY_INLINE Eight scale() const {
    return scales.of<part>();
  }

 private:
  /// Four scales from `first` on, less 32: four low bits of each in half a byte, two high bits in two bytes.
  HWY_INLINE static std::uint32_t six_bit_scales(const std::uint8_t* at, int first) {
    const int high = two_bytes<1>(at + 2);
    std::uint32_t made = 0;
    for (int j = first; j < first + 4; ++j) {
      const int scale = (at[4 + j / 2] >> 4 * (j % 2) & 15) | (high >> 2 * j & 3) << 4;
      made |= static_cast<std::uint32_t>(scale - 32 & 0xFF) << 8 * (j - first);
    }
    return made;
  }
};

}  // namespace assay::kernels::blocks::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif  // per target
