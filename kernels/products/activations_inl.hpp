// Activations in the order in which codes come out of their registers (units_inl.hpp), once a call. Compiled
// once for every instruction set that hwy/foreach_target.h goes through; those whose vectors have fewer than
// 32 bytes only widen.
#if defined(ASSAY_KERNELS_PRODUCTS_ACTIVATIONS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_PRODUCTS_ACTIVATIONS_INL
#undef ASSAY_KERNELS_PRODUCTS_ACTIVATIONS_INL
#else
#define ASSAY_KERNELS_PRODUCTS_ACTIVATIONS_INL
#endif

#include <algorithm>
#include <cstdint>

#include "engine/runtime/mutant.hpp"
#include "engine/tensors/half.hpp"
#include "kernels/blocks/coded_inl.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/dense/gemv.hpp"
#include "kernels/filters/widen_inl.hpp"
#include "kernels/products/activations.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::products::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// to[i] = from[i] as float.
inline void widen(const Half* from, std::int64_t count, float* to) {
  const filters::HWY_NAMESPACE::Floats floats;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  std::int64_t at = 0;
  for (; at + lanes <= count; at += lanes)
    hn::StoreU(filters::HWY_NAMESPACE::widened(from + at), floats, to + at);
  for (; at < count; ++at) to[at] = to_float(from[at]);
}

/// Each unit of 32 of `from` to `to` as four vectors of eight. Of a vector lane i < 4 is for codes 0 to 15,
/// the others for codes 16 to 31: pair i of the first four or, in the second two vectors, last four pairs
/// there; the first code of each, then the second, whose activations are a 256th of what they were.
inline void arrange(const float* from, std::int64_t columns, float* to) {
  const float share_of_second = mutant("dense.gemv.second_of_pairs_unscaled") ? 1.0f : 0x1p-8f;
  for (std::int64_t unit = 0; unit < columns; unit += 32)
    for (int quarter = 0; quarter < 4; ++quarter) {  // of 8 codes: 4 pairs
      float* const first = to + unit + quarter % 2 * 16 + quarter / 2 * 4;
      for (int pair = 0; pair < 4; ++pair) {
        const float* const both = from + unit + 8 * quarter + 2 * pair;
        first[pair] = both[0];
        first[8 + pair] = both[1] * share_of_second;
      }
    }
}

/// to[i] = from[i * width] + ... , `width` of them: a power of 2, at most 32, added by halves.
inline void add_up(const float* from, std::int64_t columns, int width, float* to) {
  for (std::int64_t first = 0; first < columns; first += width) {
    float sums[32];
    std::copy_n(from + first, width, sums);
    for (int half = width / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
    to[first / width] = sums[0];
  }
}

/// What the bodies want of a call's activations. scratch: dense::gemv_cpu_scratch(call) floats
inline Activations prepare(const dense::GemvCall& call, float* scratch) {
  const std::int64_t count = call.batch * call.columns;
  Activations made{reinterpret_cast<const float*>(call.x), call.x_stride, nullptr, nullptr, call.columns};
  if (call.x_type == DType::f16) {
    const auto* const halves = reinterpret_cast<const Half*>(call.x);
    for (int vector = 0; vector < call.batch; ++vector)
      widen(halves + vector * call.x_stride, call.columns, scratch + vector * call.columns);
    made.widened = scratch;
    made.stride = call.columns;
    scratch += count;
  }
#if HWY_CAP_GE256
  if (layout_of(call.format).length == 1) return made;
  int width = 0;
  blocks::with_format(call.format, [&](auto tag) {
    if constexpr (layout_of(tag()).length > 1) width = blocks::HWY_NAMESPACE::Coded<tag()>::minimum_width;
  });
  made.arranged = scratch;
  if (width > 0) made.sums = scratch + count;
  for (int vector = 0; vector < call.batch; ++vector) {
    const float* const from = made.widened + vector * made.stride;
    arrange(from, call.columns, scratch + vector * call.columns);
    if (width > 0) add_up(from, call.columns, width, scratch + count + vector * (call.columns / width));
  }
#endif
  return made;
}

}  // namespace assay::kernels::products::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
