// Sweeps over a row for the sampling chain on the CPU.
#include "kernels/filters/passes.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/filters/passes.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
// Highway's own header comes after it.
#include "hwy/highway.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/transforms.hpp"
#include "kernels/distribution/weight.hpp"
#include "kernels/filters/raw_row.hpp"
#include "kernels/filters/widen_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::filters::HWY_NAMESPACE {

// -0 + 0 is +0, and a NaN is not equal to itself.
HWY_INLINE hn::Vec<Floats> canonical(hn::Vec<Floats> values) {
  const Floats floats;
  const float infinity = std::numeric_limits<float>::infinity();
  const auto of_nan = hn::Set(floats, mutant("sampling.chain.nan_largest") ? infinity : -infinity);
  if (mutant("sampling.chain.minus_zero_less"))
    values = hn::IfThenElse(hn::Eq(values, hn::Zero(floats)),
                            hn::CopySign(hn::Set(floats, 0x1p-126f), values), values);
  return hn::IfThenElse(hn::IsNaN(values), of_nan, hn::Add(values, hn::Zero(floats)));
}

template <typename Element>
void widen_elements(const Element* row, std::int64_t count, float* to) {
  const Floats floats;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  std::int64_t at = 0;
  for (; at + lanes <= count; at += lanes) hn::StoreU(canonical(widened(row + at)), floats, to + at);
  for (; at < count; ++at) {
    const float value = to_float(row[at]);
    to[at] = value == value                         ? value + 0.0F
             : mutant("sampling.chain.nan_largest") ? std::numeric_limits<float>::infinity()
                                                    : -std::numeric_limits<float>::infinity();
  }
}

void widen_row_on(const RawRow& row, float* to) {
  with_elements(row, [&](const auto* elements) { widen_elements(elements, row.count, to); });
}

void divide_on(float* logits, std::int64_t count, float temperature) {
  const Floats floats;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  const auto divisor = hn::Set(floats, temperature);
  std::int64_t at = 0;
  for (; at + lanes <= count; at += lanes)
    hn::StoreU(canonical(hn::Div(hn::LoadU(floats, logits + at), divisor)), floats, logits + at);
  for (; at < count; ++at) logits[at] = distribution::with_temperature(logits[at], temperature);
}

float greatest_on(const float* logits, std::int64_t count) {
  const Floats floats;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  auto a = hn::Set(floats, -std::numeric_limits<float>::infinity());
  auto b = a, c = a, d = a;
  std::int64_t at = 0;
  for (; at + 4 * lanes <= count; at += 4 * lanes) {
    a = hn::Max(a, hn::LoadU(floats, logits + at));
    b = hn::Max(b, hn::LoadU(floats, logits + at + lanes));
    c = hn::Max(c, hn::LoadU(floats, logits + at + 2 * lanes));
    d = hn::Max(d, hn::LoadU(floats, logits + at + 3 * lanes));
  }
  float most = hn::GetLane(hn::MaxOfLanes(floats, hn::Max(hn::Max(a, b), hn::Max(c, d))));
  for (; at < count; ++at) most = std::max(most, logits[at]);
  return most;
}

#if HWY_NATIVE_FMA && HWY_HAVE_FLOAT64
// distribution::weight_at, lane by lane: the same operations in the same order.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<std::uint64_t, D>> weights_at(D doubles, hn::Vec<D> distance) {
  namespace dist = distribution;
  const hn::Rebind<std::uint64_t, D> words;
  const auto magic = hn::Set(doubles, dist::round_to_integer);
  const auto shifted = hn::MulAdd(distance, hn::Set(doubles, dist::log2_e), magic);
  const auto whole = hn::Sub(shifted, magic);
  const auto rest = hn::MulSub(whole, hn::Set(doubles, dist::ln_2), distance);
  auto series = hn::Set(doubles, dist::exp_series(0));
  for (int power = 1; power < 9; ++power)
    series = hn::MulAdd(series, rest, hn::Set(doubles, dist::exp_series(power)));
  series = hn::MulAdd(series, rest, hn::Set(doubles, 1.0));
  const auto halvings = hn::And(hn::BitCast(words, shifted), hn::Set(words, std::uint64_t{0xFFFFF}));
  const auto exponent = hn::Sub(hn::Set(words, std::uint64_t{dist::weight_bits + 1023}), halvings);
  const auto scale = hn::BitCast(doubles, hn::ShiftLeft<52>(exponent));
  const auto rounded = hn::MulAdd(series, scale, hn::Set(doubles, 0x1p52));
  const auto weight = hn::Sub(hn::BitCast(words, rounded), hn::BitCast(words, hn::Set(doubles, 0x1p52)));
  // What is 32 or more below weighs nothing; a distance of +Inf or NaN is not below 32 either.
  const auto near = hn::Lt(distance, hn::Set(doubles, 32.0));
  return hn::IfThenElseZero(hn::RebindMask(words, near), weight);
}
#endif

std::uint64_t weigh_on(const float* logits, std::int64_t count, float maximum, std::uint64_t* weights) {
  std::int64_t at = 0;
  std::uint64_t total = 0;
  if (mutant("sampling.chain.single_precision_weight")) {
    for (; at < count; ++at)
      total += weights[at] = static_cast<std::uint64_t>(0x1p45f * std::exp(logits[at] - maximum));
    return total;
  }
#if HWY_NATIVE_FMA && HWY_HAVE_FLOAT64
  if (maximum < std::numeric_limits<float>::infinity() && maximum > -std::numeric_limits<float>::infinity()) {
    const hn::CappedTag<double, 8> doubles;
    const hn::Rebind<float, decltype(doubles)> halves;
    const hn::Rebind<std::uint64_t, decltype(doubles)> words;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(doubles));
    const auto top = hn::Set(doubles, static_cast<double>(maximum));
    auto sum = hn::Zero(words);
    for (; at + lanes <= count; at += lanes) {
      const auto distance = hn::Sub(top, hn::PromoteTo(doubles, hn::LoadU(halves, logits + at)));
      const auto weight = weights_at(doubles, distance);
      hn::StoreU(weight, words, weights + at);
      sum = hn::Add(sum, weight);
    }
    total = hn::GetLane(hn::SumOfLanes(words, sum));
  }
#endif
  for (; at < count; ++at) {
    weights[at] = distribution::weight_of(maximum, logits[at]);
    if (mutant("sampling.chain.infinity_unshared") && total > 0 && std::isinf(maximum)) weights[at] = 0;
    total += weights[at];
  }
  return total;
}

std::int64_t keep_above_on(float* logits, std::int32_t* ids, std::int64_t count, float key,
                           std::int64_t last) {
  const Floats floats;
  const hn::Rebind<std::int32_t, Floats> words;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  const auto bound = hn::Set(floats, key);
  const auto end = hn::Set(words, static_cast<std::int32_t>(last + 1));
  std::int64_t kept = 0, at = 0;
  for (; at + lanes <= count; at += lanes) {
    const auto values = hn::LoadU(floats, logits + at);
    const auto names = hn::LoadU(words, ids + at);
    const auto positions = hn::Iota(words, static_cast<std::int32_t>(at));
    const auto early = hn::RebindMask(floats, hn::Lt(positions, end));
    const auto keeps = hn::Or(hn::Gt(values, bound), hn::And(hn::Eq(values, bound), early));
    // A whole vector is stored, over what has been read: `kept` is never beyond `at`.
    hn::StoreU(hn::Compress(values, keeps), floats, logits + kept);
    hn::StoreU(hn::Compress(names, hn::RebindMask(words, keeps)), words, ids + kept);
    kept += static_cast<std::int64_t>(hn::CountTrue(floats, keeps));
  }
  for (; at < count; ++at) {
    if (!(logits[at] > key || (logits[at] == key && at <= last))) continue;
    logits[kept] = logits[at];
    ids[kept++] = ids[at];
  }
  return kept;
}

void bins_below_on(const float* logits, std::int64_t count, float most, float scale, std::int32_t last,
                   std::int32_t* bins) {
  const Floats floats;
  const hn::Rebind<std::int32_t, Floats> words;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  const auto top = hn::Set(floats, most), factor = hn::Set(floats, scale);
  const auto limit = static_cast<float>(last);
  std::int64_t at = 0;
  for (; at + lanes <= count; at += lanes) {
    const auto scaled = hn::Mul(hn::Sub(top, hn::LoadU(floats, logits + at)), factor);
    hn::StoreU(hn::ConvertTo(words, hn::Min(scaled, hn::Set(floats, limit))), words, bins + at);
  }
  for (; at < count; ++at) bins[at] = static_cast<std::int32_t>(std::min((most - logits[at]) * scale, limit));
}

std::int64_t list_equal_on(const std::int32_t* values, std::int64_t count, std::int32_t wanted,
                           std::int32_t* positions) {
  const hn::CappedTag<std::int32_t, 16> words;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(words));
  const auto target = hn::Set(words, wanted);
  std::int64_t found = 0, at = 0;
  const auto take = [&](std::int64_t from, std::int64_t to) {
    for (; from < to; ++from)
      if (values[from] == wanted) positions[found++] = static_cast<std::int32_t>(from);
  };
  for (; at + lanes <= count; at += lanes)
    if (!hn::AllFalse(words, hn::Eq(hn::LoadU(words, values + at), target))) take(at, at + lanes);
  take(at, count);
  return found;
}

}  // namespace assay::kernels::filters::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::filters {

HWY_EXPORT(widen_row_on);
HWY_EXPORT(divide_on);
HWY_EXPORT(greatest_on);
HWY_EXPORT(weigh_on);
HWY_EXPORT(keep_above_on);
HWY_EXPORT(bins_below_on);
HWY_EXPORT(list_equal_on);

void widen_row(const RawRow& row, float* to) {
  HWY_DYNAMIC_DISPATCH(widen_row_on)(row, to);
}
void divide(float* logits, std::int64_t count, float temperature) {
  HWY_DYNAMIC_DISPATCH(divide_on)(logits, count, temperature);
}
float greatest(const float* logits, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(greatest_on)(logits, count);
}
std::uint64_t weigh(const float* logits, std::int64_t count, float maximum, std::uint64_t* weights) {
  return HWY_DYNAMIC_DISPATCH(weigh_on)(logits, count, maximum, weights);
}
std::int64_t keep_above(float* logits, std::int32_t* ids, std::int64_t count, float key, std::int64_t last) {
  return HWY_DYNAMIC_DISPATCH(keep_above_on)(logits, ids, count, key, last);
}
void bins_below(const float* logits, std::int64_t count, float most, float scale, std::int32_t last,
                std::int32_t* bins) {
  HWY_DYNAMIC_DISPATCH(bins_below_on)(logits, count, most, scale, last, bins);
}
std::int64_t list_equal(const std::int32_t* values, std::int64_t count, std::int32_t wanted,
                        std::int32_t* positions) {
  return HWY_DYNAMIC_DISPATCH(list_equal_on)(values, count, wanted, positions);
}

}  // namespace assay::kernels::filters
#endif
