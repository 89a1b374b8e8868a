// Elements of a row widened to vectors of float, compiled once for every instruction set that
// hwy/foreach_target.h goes through.
#if defined(ASSAY_KERNELS_FILTERS_WIDEN_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_FILTERS_WIDEN_INL
#undef ASSAY_KERNELS_FILTERS_WIDEN_INL
#else
#define ASSAY_KERNELS_FILTERS_WIDEN_INL
#endif

#include <cstdint>

#include "engine/tensors/dtype.hpp"
#include "engine/tensors/half.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::filters::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;

HWY_INLINE hn::Vec<Floats> widened(const float* at) {
  return hn::LoadU(Floats(), at);
}

HWY_INLINE hn::Vec<Floats> widened(const BFloat16* at) {
  const Floats floats;
  const hn::Rebind<std::uint16_t, Floats> halves;
  const hn::Rebind<std::uint32_t, Floats> words;
  const auto bits = hn::LoadU(halves, reinterpret_cast<const std::uint16_t*>(at));
  return hn::BitCast(floats, hn::ShiftLeft<16>(hn::PromoteTo(words, bits)));
}

HWY_INLINE hn::Vec<Floats> widened(const Half* at) {
  const Floats floats;
  const hn::Rebind<std::uint16_t, Floats> halves;
  const hn::Rebind<std::int32_t, Floats> words;
  const auto bits = hn::PromoteTo(words, hn::LoadU(halves, reinterpret_cast<const std::uint16_t*>(at)));
  const auto magnitude = hn::And(bits, hn::Set(words, 0x7FFF));
  const auto sign = hn::ShiftLeft<16>(hn::Sub(bits, magnitude));
  const auto shifted = hn::ShiftLeft<13>(magnitude);
  // The exponent is biased by 127 instead of 15; infinities and NaN have the largest one of either type.
  const auto normal = hn::Add(shifted, hn::Set(words, 112 << 23));
  const auto special = hn::Or(shifted, hn::Set(words, 0x7F800000));
  const auto subnormal =
      hn::BitCast(words, hn::Mul(hn::ConvertTo(floats, magnitude), hn::Set(floats, 0x1p-24f)));
  const auto finite = hn::IfThenElse(hn::Lt(magnitude, hn::Set(words, 0x400)), subnormal, normal);
  const auto all = hn::IfThenElse(hn::Gt(magnitude, hn::Set(words, 0x7BFF)), special, finite);
  return hn::BitCast(floats, hn::Or(all, sign));
}

}  // namespace assay::kernels::filters::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
