// Blocks of 256 elements from floats in vectors, bit for bit as encode_long.hpp has them: a lane is a part of
// the block, so that each part's sums run from its first element to its last. Where a part holds what the
// quick rounding is not proven for (NaN, infinities, quotients beyond 2^22), the block is left to that file.
#if defined(ASSAY_KERNELS_BLOCKS_ENCODE_LONG_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_BLOCKS_ENCODE_LONG_INL
#undef ASSAY_KERNELS_BLOCKS_ENCODE_LONG_INL
#else
#define ASSAY_KERNELS_BLOCKS_ENCODE_LONG_INL
#endif

#include <cfloat>
#include <cstdint>
#include <cstring>

#include "kernels/blocks/encode_long.hpp"
#include "kernels/blocks/unpack_inl.hpp"

#if HWY_TARGET != HWY_SCALAR  // which runs encode_long.hpp
HWY_BEFORE_NAMESPACE();
namespace assay::kernels::blocks::HWY_NAMESPACE {

using Parts = hn::CappedTag<float, 8>;
using Each = hn::Vec<Parts>;  ///< a number of each part

HWY_INLINE Each each(float value) {
  return hn::Set(Parts(), value);
}

/// Nearest integers between bounds; below 2^22.
HWY_INLINE Each levels_of(Each quotients, float low, float high) {
  const Each nearest = hn::Sub(hn::Add(quotients, each(rounder)), each(rounder));
  return hn::Min(hn::Max(nearest, each(low)), each(high));
}

/// Element i of each part of `Length`, from the part `first` on, side by side: to + i * lanes.
template <int Length>
HWY_INLINE void across_parts(const float* from, int first, float* to) {
  const int lanes = static_cast<int>(hn::Lanes(Parts()));
  for (int lane = 0; lane < lanes; ++lane)
    for (int i = 0; i < Length; ++i) to[i * lanes + lane] = from[(first + lane) * Length + i];
}

/// `lanes` parts of a Q4_K block from `first` on. False where they are left to line_through.
HWY_INLINE bool lines_through(const float* from, int first, Line* lines, const EncodeFaults& faults) {
  constexpr float top = 15;
  const int lanes = static_cast<int>(hn::Lanes(Parts()));
  alignas(64) float x[32 * 8], weights[32 * 8], codes[32 * 8];
  across_parts<32>(from, first, x);
  const auto x_at = [&](int i) { return hn::Load(Parts(), x + i * lanes); };
  const auto weight_at = [&](int i) { return hn::Load(Parts(), weights + i * lanes); };

  Each squares = each(0);
  for (int i = 0; i < 32; ++i) squares = hn::Add(squares, hn::Mul(x_at(i), x_at(i)));
  const Each mean = hn::Sqrt(hn::Div(squares, each(32)));
  auto odd = hn::Ne(x_at(0), x_at(0));
  for (int i = 0; i < 32; ++i) {
    hn::Store(faults.weights_missing ? each(1) : hn::Add(mean, hn::Abs(x_at(i))), Parts(),
              weights + i * lanes);
    odd = hn::Or(odd, hn::Ne(x_at(i), x_at(i)));
  }
  if (!hn::AllFalse(Parts(), odd)) return false;

  Each least = x_at(0), most = x_at(0);
  Each sum_w = weight_at(0), sum_x = hn::Mul(sum_w, x_at(0));
  for (int i = 1; i < 32; ++i) {
    least = hn::IfThenElse(hn::Lt(x_at(i), least), x_at(i), least);
    most = hn::IfThenElse(hn::Gt(x_at(i), most), x_at(i), most);
    sum_w = hn::Add(sum_w, weight_at(i));
    sum_x = hn::Add(sum_x, hn::Mul(weight_at(i), x_at(i)));
  }
  Each minimum = hn::IfThenElse(hn::Gt(least, each(0)), each(0), least);
  const auto flat = hn::Eq(most, minimum);
  const Each flat_minimum = minimum;
  most = hn::IfThenElse(flat, hn::Add(most, each(1)), most);  // any width that can be divided by
  const auto all_plain = [&](Each step, Each base) {
    const Each above = hn::Abs(hn::Mul(step, hn::Sub(most, base)));
    const Each below = hn::Abs(hn::Mul(step, hn::Sub(least, base)));
    return hn::AllTrue(Parts(), hn::And(hn::Lt(above, each(4e6f)), hn::Lt(below, each(4e6f))));
  };

  Each best_step = hn::Div(each(top), hn::Sub(most, minimum)), best_base = minimum;
  Each scale = hn::Div(each(1), best_step);
  if (!all_plain(best_step, minimum)) return false;
  Each least_error = each(0);
  for (int i = 0; i < 32; ++i) {
    const Each code = levels_of(hn::Mul(best_step, hn::Sub(x_at(i), minimum)), 0, top);
    const Each difference = hn::Sub(hn::Add(hn::Mul(scale, code), minimum), x_at(i));
    least_error = hn::Add(least_error, hn::Mul(weight_at(i), hn::Mul(difference, difference)));
  }
  const Each start = minimum;
  const int steps = faults.search_ends_early ? 19 : 20;
  for (int trial = 0; trial <= steps; ++trial) {
    const Each base = faults.search_starts_over ? start : minimum;
    const Each step = hn::Div(each(-1.0f + 0.1f * static_cast<float>(trial) + top), hn::Sub(most, base));
    if (!all_plain(step, base)) return false;
    Each sum_l = each(0), sum_ll = each(0), sum_xl = each(0);
    for (int i = 0; i < 32; ++i) {
      const Each code = levels_of(hn::Mul(step, hn::Sub(x_at(i), base)), 0, top);
      hn::Store(code, Parts(), codes + i * lanes);
      const Each weighted = hn::Mul(weight_at(i), code);
      sum_l = hn::Add(sum_l, weighted);
      sum_ll = hn::Add(sum_ll, hn::Mul(weighted, code));
      sum_xl = hn::Add(sum_xl, hn::Mul(weighted, x_at(i)));
    }
    const Each determinant = hn::Sub(hn::Mul(sum_w, sum_ll), hn::Mul(sum_l, sum_l));
    Each new_scale = hn::Div(hn::Sub(hn::Mul(sum_w, sum_xl), hn::Mul(sum_x, sum_l)), determinant);
    Each new_minimum = hn::Div(hn::Sub(hn::Mul(sum_ll, sum_x), hn::Mul(sum_l, sum_xl)), determinant);
    if (!faults.positive_minimum_kept) {
      const auto above = hn::Gt(new_minimum, each(0));
      new_scale = hn::IfThenElse(above, hn::Div(sum_xl, sum_ll), new_scale);
      new_minimum = hn::IfThenElse(above, each(0), new_minimum);
    }
    Each error = each(0);
    for (int i = 0; i < 32; ++i) {
      const Each code = hn::Load(Parts(), codes + i * lanes);
      const Each difference = hn::Sub(hn::Add(hn::Mul(new_scale, code), new_minimum), x_at(i));
      error = hn::Add(error, hn::Mul(weight_at(i), hn::Mul(difference, difference)));
    }
    const auto better = hn::And(hn::Gt(determinant, each(0)), hn::Lt(error, least_error));
    least_error = hn::IfThenElse(better, error, least_error);
    scale = hn::IfThenElse(better, new_scale, scale);
    minimum = hn::IfThenElse(better, new_minimum, minimum);
    best_step = hn::IfThenElse(better, step, best_step);
    best_base = hn::IfThenElse(better, base, best_base);
  }
  alignas(32) float of_lane[4][8];
  hn::Store(hn::IfThenZeroElse(flat, scale), Parts(), of_lane[0]);
  hn::Store(hn::IfThenElse(flat, flat_minimum, minimum), Parts(), of_lane[1]);
  hn::Store(hn::IfThenZeroElse(flat, best_step), Parts(), of_lane[2]);
  hn::Store(hn::IfThenZeroElse(flat, best_base), Parts(), of_lane[3]);
  for (int lane = 0; lane < lanes; ++lane)
    lines[first + lane] = {of_lane[0][lane], of_lane[1][lane], of_lane[2][lane], of_lane[3][lane]};
  return true;
}

/// `lanes` parts of a Q6_K block from `first` on. False where they are left to slope_through.
HWY_INLINE bool slopes_through(const float* from, int first, Slope* slopes, const EncodeFaults& faults) {
  constexpr float low = -32, high = 31;
  const int lanes = static_cast<int>(hn::Lanes(Parts()));
  alignas(64) float x[16 * 8], weights[16 * 8], weighted[16 * 8];
  across_parts<16>(from, first, x);
  Each magnitude = each(0), peak = each(0);
  auto odd = hn::Lt(peak, magnitude);
  for (int i = 0; i < 16; ++i) {
    const Each value = hn::Load(Parts(), x + i * lanes);
    const Each size = hn::Abs(value);
    const auto larger = faults.last_of_equals ? hn::Ge(size, magnitude) : hn::Gt(size, magnitude);
    magnitude = hn::IfThenElse(larger, size, magnitude);
    peak = hn::IfThenElse(larger, value, peak);
    odd = hn::Or(odd, hn::Not(hn::Le(size, each(FLT_MAX))));
    const Each weight = faults.weights_missing ? each(1) : hn::Mul(value, value);
    hn::Store(weight, Parts(), weights + i * lanes);
    hn::Store(hn::Mul(weight, value), Parts(), weighted + i * lanes);
  }
  if (!hn::AllFalse(Parts(), odd)) return false;
  const auto empty = faults.q6_k_small_parts_kept ? hn::Eq(peak, each(0)) : hn::Lt(magnitude, each(nothing));
  peak = hn::IfThenElse(empty, each(1), peak);  // any width that can be divided by

  Each scale = each(0), best_step = each(0), best_product = each(0);
  for (int trial = -10; trial <= (faults.search_ends_early ? 8 : 9); ++trial) {
    if (trial == 0) continue;
    const bool is_first = trial == -10;
    const float levels = is_first ? low : -(32.0f + 0.1f * static_cast<float>(trial));
    const Each step = hn::Div(each(levels), peak);
    Each sum_xl = each(0), sum_ll = each(0);
    for (int i = 0; i < 16; ++i) {
      const Each code = levels_of(hn::Mul(step, hn::Load(Parts(), x + i * lanes)), low, high);
      sum_xl = hn::Add(sum_xl, hn::Mul(hn::Load(Parts(), weighted + i * lanes), code));
      sum_ll = hn::Add(sum_ll, hn::Mul(hn::Mul(hn::Load(Parts(), weights + i * lanes), code), code));
    }
    const Each new_scale = hn::Div(sum_xl, sum_ll);
    const Each new_product = hn::Mul(new_scale, sum_xl);
    if (is_first) {
      const auto any = hn::Ne(sum_ll, each(0));
      scale = hn::IfThenElseZero(any, new_scale);
      best_step = step;
      best_product = hn::Mul(scale, sum_xl);
      continue;
    }
    const auto better =
        hn::And(hn::Gt(sum_ll, each(0)), hn::Gt(hn::Mul(sum_xl, sum_xl), hn::Mul(best_product, sum_ll)));
    scale = hn::IfThenElse(better, new_scale, scale);
    best_step = hn::IfThenElse(better, step, best_step);
    best_product = hn::IfThenElse(better, new_product, best_product);
  }
  alignas(32) float of_lane[2][8];
  hn::Store(hn::IfThenZeroElse(empty, scale), Parts(), of_lane[0]);
  hn::Store(hn::IfThenZeroElse(empty, best_step), Parts(), of_lane[1]);
  for (int lane = 0; lane < lanes; ++lane)
    slopes[first + lane] = {of_lane[0][lane], of_lane[1][lane], of_lane[1][lane] == 0};
  return true;
}

/// Nearest integers as nearest_integer has them, between bounds, and `more`.
HWY_INLINE void keep_nearest(Each quotients, int low, int high, int more, std::uint8_t* to) {
  const hn::Rebind<std::int32_t, Parts> words;
  const hn::Rebind<std::uint8_t, Parts> few;
  const Each sums = hn::Add(quotients, each(rounder));
  const auto bits = hn::And(hn::BitCast(words, sums), hn::Set(words, 0x007FFFFF));
  auto nearest = hn::Sub(bits, hn::Set(words, 0x00400000));
  nearest = hn::IfThenZeroElse(hn::RebindMask(words, hn::Ne(sums, sums)), nearest);
  nearest = hn::Min(hn::Max(nearest, hn::Set(words, low)), hn::Set(words, high));
  hn::StoreU(hn::DemoteTo(few, hn::Add(nearest, hn::Set(words, more))), few, to);
}

/// Fits all parts in vectors; false where one is left to encode_long.hpp.
HWY_INLINE bool fit_in_vectors(const float* from, Line (&lines)[8], const EncodeFaults& faults) {
  for (int first = 0; first < 8; first += static_cast<int>(hn::Lanes(Parts())))
    if (!lines_through(from, first, lines, faults)) return false;
  return true;
}
HWY_INLINE bool fit_in_vectors(const float* from, Slope (&slopes)[16], const EncodeFaults& faults) {
  for (int first = 0; first < 16; first += static_cast<int>(hn::Lanes(Parts())))
    if (!slopes_through(from, first, slopes, faults)) return false;
  return true;
}

template <BlockFormat Format>
HWY_INLINE void encode_long_block(const float* from, std::uint8_t* to, const EncodeFaults& faults) {
  const int lanes = static_cast<int>(hn::Lanes(Parts()));
  const auto search = [&](const float* values, auto& parts) {
    if (!fit_in_vectors(values, parts, faults)) fit_one_by_one(values, parts, faults);
  };
  if constexpr (Format == BlockFormat::q4_k)
    encode_q4_k(
        from, to, search,
        [&](const float* x, const Line& line, const StoredLine& stored, std::uint8_t* codes) {
          const bool searched = stored.scale == 0 || faults.codes_of_the_search;
          for (int i = 0; i < 32; i += lanes) {
            const Each value = hn::LoadU(Parts(), x + i);
            keep_nearest(searched ? hn::Mul(hn::Sub(value, each(line.base)), each(line.step))
                                  : hn::Div(hn::Add(value, each(stored.minimum)), each(stored.scale)),
                         0, 15, 0, codes + i);
          }
        },
        faults);
  else
    encode_q6_k(
        from, to, search,
        [&](const float* x, const Slope& slope, float stored, std::uint8_t* codes) {
          const bool searched = stored == 0 || faults.codes_of_the_search;
          for (int i = 0; i < 16; i += lanes) {
            const Each value = hn::LoadU(Parts(), x + i);
            keep_nearest(searched ? hn::Mul(value, each(slope.step)) : hn::Div(value, each(stored)), -32, 31,
                         32, codes + i);
            if (stored == 0 && slope.empty) std::memset(codes + i, 0, static_cast<std::size_t>(lanes));
          }
        },
        faults);
}

}  // namespace assay::kernels::blocks::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif  // per target
