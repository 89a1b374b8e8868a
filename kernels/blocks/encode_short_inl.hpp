// Blocks of 32 elements from floats in vectors, bit for bit as encode_short.hpp has them.
#if defined(ASSAY_KERNELS_BLOCKS_ENCODE_SHORT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_BLOCKS_ENCODE_SHORT_INL
#undef ASSAY_KERNELS_BLOCKS_ENCODE_SHORT_INL
#else
#define ASSAY_KERNELS_BLOCKS_ENCODE_SHORT_INL
#endif

#include <cfloat>
#include <cstdint>

#include "kernels/blocks/encode_short.hpp"
#include "kernels/blocks/unpack_inl.hpp"

#if HWY_TARGET != HWY_SCALAR  // which has no vectors of bytes
HWY_BEFORE_NAMESPACE();
namespace assay::kernels::blocks::HWY_NAMESPACE {

using Values = hn::Vec<Floats>;

HWY_INLINE int float_lanes() {
  return static_cast<int>(hn::Lanes(Floats()));
}

/// The element of that magnitude that comes first; there is one.
HWY_INLINE float first_of_magnitude(const float* from, float magnitude, const EncodeFaults& faults) {
  float found = 0;
  for (int i = 0; i < 32; i += float_lanes()) {
    const auto hits = hn::Eq(hn::Abs(hn::LoadU(Floats(), from + i)), hn::Set(Floats(), magnitude));
    if (hn::AllFalse(Floats(), hits)) continue;
    found = from[i + static_cast<int>(hn::FindFirstTrue(Floats(), hits))];
    if (!faults.last_of_equals) break;
  }
  return found;
}

/// The element of that value that comes first: of zeros its sign is wanted. FLT_MAX where there is none.
HWY_INLINE float first_of_value(const float* from, float value) {
  for (int i = 0; i < 32; i += float_lanes()) {
    const auto hits = hn::Eq(hn::LoadU(Floats(), from + i), hn::Set(Floats(), value));
    if (!hn::AllFalse(Floats(), hits)) return from[i + static_cast<int>(hn::FindFirstTrue(Floats(), hits))];
  }
  return value;
}

HWY_INLINE Peak peak_in(const float* from, bool with_sign, const EncodeFaults& faults) {
  auto largest = hn::Zero(Floats());
  for (int i = 0; i < 32; i += float_lanes()) {
    const auto magnitudes = hn::Abs(hn::LoadU(Floats(), from + i));
    largest = hn::IfThenElse(hn::Gt(magnitudes, largest), magnitudes, largest);  // a NaN is not greater
  }
  const float magnitude = hn::GetLane(hn::MaxOfLanes(Floats(), largest));
  if (magnitude == 0) return {};
  return {magnitude, with_sign ? first_of_magnitude(from, magnitude, faults) : magnitude};
}

HWY_INLINE Range range_in(const float* from) {
  auto least = hn::Set(Floats(), FLT_MAX), most = hn::Set(Floats(), -FLT_MAX);
  for (int i = 0; i < 32; i += float_lanes()) {
    const auto values = hn::LoadU(Floats(), from + i);
    least = hn::IfThenElse(hn::Lt(values, least), values, least);
    most = hn::IfThenElse(hn::Gt(values, most), values, most);
  }
  const float minimum = hn::GetLane(hn::MinOfLanes(Floats(), least));
  const float maximum = hn::GetLane(hn::MaxOfLanes(Floats(), most));
  const float first = minimum == 0 ? first_of_value(from, minimum) : minimum;
  return {first, maximum == minimum ? first : maximum};
}

/// Quotients of codes from 0 on, shifted by a half: their codes.
HWY_INLINE void keep_codes(Values shifted, float top, std::uint8_t* to, const EncodeFaults& faults) {
  const hn::Rebind<std::int32_t, Floats> words;
  const hn::Rebind<std::uint8_t, Floats> few;
  const auto legal = hn::And(hn::Ge(shifted, hn::Zero(Floats())), hn::Lt(shifted, hn::Set(Floats(), 64.0f)));
  auto codes = hn::ConvertTo(words, hn::IfThenElseZero(legal, shifted));
  if (faults.top_code_not_cut)
    codes = hn::And(codes, hn::Set(words, static_cast<std::int32_t>(top)));
  else
    codes = hn::Min(codes, hn::Set(words, static_cast<std::int32_t>(top)));
  hn::StoreU(hn::DemoteTo(few, codes), few, to);
}

HWY_INLINE void keep_rounded(Values quotients, std::uint8_t* to, const EncodeFaults& faults) {
  const hn::Rebind<std::int32_t, Floats> words;
  const hn::Rebind<std::int8_t, Floats> few;
  const auto legal = hn::Lt(hn::Abs(quotients), hn::Set(Floats(), 128.0f));
  quotients = hn::IfThenElseZero(legal, quotients);
  const auto whole = hn::Trunc(quotients);
  const auto rest = hn::Abs(hn::Sub(quotients, whole));  // exact
  const auto away = hn::CopySign(hn::Set(Floats(), 1.0f), quotients);
  auto rounded = hn::Add(whole, hn::IfThenElseZero(hn::Ge(rest, hn::Set(Floats(), 0.5f)), away));
  if (faults.q8_0_ties_to_even) rounded = hn::Round(quotients);
  hn::StoreU(hn::DemoteTo(few, hn::ConvertTo(words, rounded)), few, reinterpret_cast<std::int8_t*>(to));
}

HWY_INLINE void keep_mxfp4(Values values, float half_step, std::uint8_t* to, const EncodeFaults& faults) {
  const hn::Rebind<std::int32_t, Floats> words;
  const hn::Rebind<std::uint8_t, Floats> few;
  const auto magnitudes = hn::Abs(values);
  auto codes = hn::Zero(words);
  for (const float middle : {0.5f, 1.5f, 2.5f, 3.5f, 5.0f, 7.0f, 10.0f}) {
    const auto tie = hn::Set(Floats(), middle * half_step);
    const auto above = faults.mxfp4_ties_away ? hn::Ge(magnitudes, tie) : hn::Gt(magnitudes, tie);
    codes = hn::Sub(codes, hn::BitCast(words, hn::VecFromMask(Floats(), above)));  // true is -1
  }
  if (!faults.top_code_not_cut) codes = hn::Min(codes, hn::Set(words, top_level(half_step)));
  const auto negative =
      hn::And(hn::Lt(values, hn::Zero(Floats())), hn::RebindMask(Floats(), hn::Gt(codes, hn::Zero(words))));
  const auto eight = hn::IfThenElseZero(hn::RebindMask(words, negative), hn::Set(words, 8));
  hn::StoreU(hn::DemoteTo(few, hn::Add(codes, eight)), few, to);
}

template <BlockFormat Format>
HWY_INLINE void codes_in(const float* from, const Scale& scale, std::uint8_t* codes,
                         const EncodeFaults& faults) {
  const auto reciprocal = hn::Set(Floats(), scale.reciprocal);
  const float half = faults.rounded_down ? 0.0f : 0.5f;
  for (int i = 0; i < 32; i += float_lanes()) {
    auto values = hn::LoadU(Floats(), from + i);
    if constexpr (Format == BlockFormat::mxfp4) {
      keep_mxfp4(values, scale.reciprocal, codes + i, faults);
    } else if constexpr (Format == BlockFormat::q8_0) {
      keep_rounded(hn::Mul(values, reciprocal), codes + i, faults);
    } else {
      if constexpr (!Encoding<Format>::by_peak) values = hn::Sub(values, hn::Set(Floats(), scale.minimum));
      keep_codes(hn::Add(hn::Mul(values, reciprocal), hn::Set(Floats(), Encoding<Format>::zero + half)),
                 Encoding<Format>::top, codes + i, faults);
    }
  }
}

template <BlockFormat Format>
HWY_INLINE void encode_block(const float* from, std::uint8_t* to, const EncodeFaults& faults) {
  Scale scale;
  if constexpr (Encoding<Format>::by_peak)
    scale = scale_of<Format>(
        peak_in(from, Format == BlockFormat::q4_0 || Format == BlockFormat::q5_0, faults), faults);
  else
    scale = scale_of<Format>(range_in(from), faults);
  put_scale<Format>(scale, to);
  if constexpr (Format == BlockFormat::q8_0) {
    codes_in<Format>(from, scale, to + Encoding<Format>::codes_at, faults);
  } else {
    alignas(64) std::uint8_t codes[32] = {};
    if (!scale.all_zero) codes_in<Format>(from, scale, codes, faults);
    const Sixteen first = hn::LoadU(Bytes(), codes + (faults.halves_swapped ? 16 : 0));
    const Sixteen second = hn::LoadU(Bytes(), codes + (faults.halves_swapped ? 0 : 16));
    hn::StoreU(hn::Or(low_halves(first), hn::ShiftLeft<4>(second)), Bytes(), to + Encoding<Format>::codes_at);
    if constexpr (Encoding<Format>::fifths_at >= 0) {
      const auto bits_of = [&](Sixteen of, int at) {
        hn::StoreMaskBits(Bytes(), hn::Ne(hn::And(of, all(16)), all(0)),
                          to + Encoding<Format>::fifths_at + at);
      };
      bits_of(first, faults.fifth_bits_swapped ? 2 : 0);
      bits_of(second, faults.fifth_bits_swapped ? 0 : 2);
    }
  }
}

}  // namespace assay::kernels::blocks::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif  // per target
