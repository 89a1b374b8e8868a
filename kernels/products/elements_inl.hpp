// Products of weights that are numbers of their own (F32, F16, BF16) with activations. Compiled once for
// every instruction set that hwy/foreach_target.h goes through, and empty for those whose vectors have fewer
// than 32 bytes.
#if defined(ASSAY_KERNELS_PRODUCTS_ELEMENTS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_PRODUCTS_ELEMENTS_INL
#undef ASSAY_KERNELS_PRODUCTS_ELEMENTS_INL
#else
#define ASSAY_KERNELS_PRODUCTS_ELEMENTS_INL
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "engine/runtime/mutant.hpp"
#include "engine/tensors/block_format.hpp"
#include "kernels/blocks/codes_inl.hpp"

#if HWY_CAP_GE256
HWY_BEFORE_NAMESPACE();
namespace assay::kernels::products::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using blocks::HWY_NAMESPACE::Eight;
using blocks::HWY_NAMESPACE::Floats8;

/// Eight elements that lie at any address.
template <BlockFormat Format>
HWY_INLINE Eight elements_at(const std::uint8_t* at) {
  const hn::FixedTag<std::uint8_t, 4 * 8> words;
  const hn::FixedTag<std::uint8_t, 2 * 8> halves;
  if constexpr (Format == BlockFormat::f32)
    return hn::BitCast(Floats8(), hn::LoadU(words, at));
  else if constexpr (Format == BlockFormat::f16)
    return hn::PromoteTo(Floats8(), hn::BitCast(hn::FixedTag<hwy::float16_t, 8>(), hn::LoadU(halves, at)));
  else
    return hn::PromoteTo(Floats8(), hn::BitCast(hn::FixedTag<hwy::bfloat16_t, 8>(), hn::LoadU(halves, at)));
}

/// totals += products of `count` elements of two rows with the activations of each vector, `stride` apart.
/// Each total is added up in two running sums: sixteen columns in 32 are one sum's.
template <BlockFormat Format, int Vectors>
HWY_INLINE void add_elements(const std::uint8_t* first, const std::uint8_t* second, std::int64_t count,
                             const float* x, std::int64_t stride, Eight (&totals)[2][Vectors]) {
  constexpr int bytes = layout_of(Format).bytes;
  Eight sums[2][Vectors][2];
  for (auto& of_row : sums)
    for (auto& of_vector : of_row) of_vector[0] = of_vector[1] = hn::Zero(Floats8());
  const auto add = [&](const std::uint8_t* of_first, const std::uint8_t* of_second, const float* x_at,
                       std::int64_t x_stride, int which) {
    const Eight values[2] = {elements_at<Format>(of_first), elements_at<Format>(of_second)};
    for (int vector = 0; vector < Vectors; ++vector) {
      const Eight of_x = hn::LoadU(Floats8(), x_at + vector * x_stride);
      for (int row = 0; row < 2; ++row)
        sums[row][vector][which] = hn::MulAdd(values[row], of_x, sums[row][vector][which]);
    }
  };
  std::int64_t column = 0;
  for (; column + 32 <= count; column += 32) {
    const std::int64_t at = column * bytes;
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
      add(first + at + 8 * i * bytes, second + at + 8 * i * bytes, x + column + 8 * i, stride, i % 2);
  }
  for (; column + 8 <= count; column += 8)
    add(first + column * bytes, second + column * bytes, x + column, stride, 0);
  if (column < count && !mutant("dense.gemv.unhandled_tail")) {
    // The last columns, zeros behind them.
    std::uint8_t last[2][8 * bytes] = {};
    float last_x[Vectors][8] = {};
    const auto left = static_cast<std::size_t>(count - column);
    std::memcpy(last[0], first + column * bytes, left * bytes);
    std::memcpy(last[1], second + column * bytes, left * bytes);
    for (int vector = 0; vector < Vectors; ++vector)
      std::copy_n(x + vector * stride + column, left, last_x[vector]);
    add(last[0], last[1], last_x[0], 8, 0);
  }
  for (int row = 0; row < 2; ++row)
    for (int vector = 0; vector < Vectors; ++vector) {
      const auto& of = sums[row][vector];
      const Eight sum = mutant("dense.gemv.second_sum_lost") ? of[0] : hn::Add(of[0], of[1]);
      totals[row][vector] = hn::Add(totals[row][vector], sum);
    }
}

}  // namespace assay::kernels::products::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif  // per target
