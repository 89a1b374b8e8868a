// Probabilities of a row in whole vectors.
#include "kernels/filters/shares.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/filters/shares.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
// Highway's own header comes after it.
#include "hwy/highway.h"

#include <algorithm>
#include <cmath>

#include "kernels/distribution/share.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::filters::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_NATIVE_FMA && HWY_HAVE_FLOAT64
// distribution::exp_minus, lane by lane: the same operations in the same order.
template <class D>
HWY_INLINE hn::Vec<D> exp_minus(D doubles, hn::Vec<D> distance) {
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
  const auto exponent = hn::Sub(hn::Set(words, std::uint64_t{1023}), halvings);
  const auto scale = hn::BitCast(doubles, hn::ShiftLeft<52>(exponent));
  // +Inf and what came of it in the steps above is not within.
  const auto within = hn::Le(distance, hn::Set(doubles, dist::most_distance));
  return hn::IfThenElseZero(within, hn::Mul(series, scale));
}
#endif

void write_shares_on(const float* logits, std::int64_t count, float maximum, double inverse, float* shares) {
  if (inverse == 0) {
    std::fill_n(shares, count, 0.0F);
    return;
  }
  std::int64_t at = 0;
#if HWY_NATIVE_FMA && HWY_HAVE_FLOAT64
  if (std::isfinite(maximum)) {
    const hn::CappedTag<double, 8> doubles;
    const hn::Rebind<float, decltype(doubles)> halves;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(doubles));
    const auto top = hn::Set(doubles, static_cast<double>(maximum));
    const auto scale = hn::Set(doubles, inverse);
    for (; at + lanes <= count; at += lanes) {
      const auto distance = hn::Sub(top, hn::PromoteTo(doubles, hn::LoadU(halves, logits + at)));
      const auto share = hn::Mul(exp_minus(doubles, distance), scale);
      hn::StoreU(hn::DemoteTo(halves, share), halves, shares + at);
    }
  }
#endif
  for (; at < count; ++at)
    shares[at] = distribution::share_at(distribution::distance_below(maximum, logits[at]), inverse);
}

}  // namespace assay::kernels::filters::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::filters {

HWY_EXPORT(write_shares_on);

void write_shares(const float* logits, std::int64_t count, float maximum, double inverse, float* shares) {
  HWY_DYNAMIC_DISPATCH(write_shares_on)(logits, count, maximum, inverse, shares);
}

}  // namespace assay::kernels::filters
#endif
