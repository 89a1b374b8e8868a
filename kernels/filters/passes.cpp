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
#include <type_traits>

#include "engine/runtime/mutant.hpp"
#include "engine/tensors/half.hpp"
#include "kernels/distribution/weight.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::filters::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;

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
  if constexpr (std::is_same_v<Element, float>) {
    for (; at + lanes <= count; at += lanes)
      hn::StoreU(canonical(hn::LoadU(floats, row + at)), floats, to + at);
  } else {
    for (; at + lanes <= count; at += lanes) {
      for (std::int64_t lane = 0; lane < lanes; ++lane) to[at + lane] = to_float(row[at + lane]);
      hn::StoreU(canonical(hn::LoadU(floats, to + at)), floats, to + at);
    }
  }
  for (; at < count; ++at) {
    const float value = to_float(row[at]);
    to[at] = value == value                         ? value + 0.0F
             : mutant("sampling.chain.nan_largest") ? std::numeric_limits<float>::infinity()
                                                    : -std::numeric_limits<float>::infinity();
  }
}

void widen_row_on(DType dtype, const std::byte* row, std::int64_t count, float* to) {
  if (dtype == DType::f16)
    widen_elements(reinterpret_cast<const Half*>(row), count, to);
  else if (dtype == DType::bf16)
    widen_elements(reinterpret_cast<const BFloat16*>(row), count, to);
  else
    widen_elements(reinterpret_cast<const float*>(row), count, to);
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

std::int64_t collect_from_on(const float* logits, std::int64_t count, float bound, std::int64_t most,
                             float* values, std::int32_t* positions) {
  const Floats floats;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  const auto least = hn::Set(floats, bound);
  std::int64_t found = 0, at = 0;
  const auto take = [&](std::int64_t from, std::int64_t to) {
    for (; from < to; ++from) {
      if (!(logits[from] >= bound)) continue;
      if (found < most) {
        values[found] = logits[from];
        positions[found] = static_cast<std::int32_t>(from);
      }
      ++found;
    }
  };
  for (; at + 4 * lanes <= count; at += 4 * lanes) {
    const auto a = hn::Max(hn::LoadU(floats, logits + at), hn::LoadU(floats, logits + at + lanes));
    const auto b =
        hn::Max(hn::LoadU(floats, logits + at + 2 * lanes), hn::LoadU(floats, logits + at + 3 * lanes));
    if (!hn::AllFalse(floats, hn::Ge(hn::Max(a, b), least))) take(at, at + 4 * lanes);
  }
  take(at, count);
  return found;
}

}  // namespace assay::kernels::filters::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::filters {

HWY_EXPORT(widen_row_on);
HWY_EXPORT(greatest_on);
HWY_EXPORT(weigh_on);
HWY_EXPORT(collect_from_on);

void widen_row(DType dtype, const std::byte* row, std::int64_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(widen_row_on)(dtype, row, count, to);
}
float greatest(const float* logits, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(greatest_on)(logits, count);
}
std::uint64_t weigh(const float* logits, std::int64_t count, float maximum, std::uint64_t* weights) {
  return HWY_DYNAMIC_DISPATCH(weigh_on)(logits, count, maximum, weights);
}
std::int64_t collect_from(const float* logits, std::int64_t count, float bound, std::int64_t most,
                          float* values, std::int32_t* positions) {
  return HWY_DYNAMIC_DISPATCH(collect_from_on)(logits, count, bound, most, values, positions);
}

}  // namespace assay::kernels::filters
#endif
