#include "kernels/filters/head.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/exact_math.hpp"
#include "kernels/distribution/transforms.hpp"
#include "kernels/distribution/weight.hpp"
#include "kernels/filters/marks.hpp"
#include "kernels/filters/passes.hpp"

namespace assay::kernels::filters {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Elements from `places` spread over a row, so many side by side from each.
template <std::int64_t places, std::int64_t together>
void take_sample(const RawRow& row, float* sample) {
  with_elements(row, [&](const auto* elements) {
    for (std::int64_t i = 0; i < places; ++i)
      for (std::int64_t j = 0; j < together; ++j)
        sample[i * together + j] =
            distribution::canonical(to_float(elements[i * (row.count - together) / places + j]));
  });
}

float divided(const DividedRow& source, float raw) {
  return source.divided() ? distribution::with_temperature(raw, source.temperature) : raw;
}

/// Where the marks of a row lie.
std::uint64_t* marks_in(RowScratch& scratch, std::int64_t count) {
  return reinterpret_cast<std::uint64_t*>(scratch.items + 16 * 64 * words_of_marks(count));
}

/// What is marked.
Head gather(const DividedRow& source, float raw_bound, const std::uint64_t* marks, HeadRoom room) {
  const std::int64_t count =
      list_marked(source.row, marks, head_limit(source.row.count), room.logits, room.positions);
  if (source.divided()) divide(room.logits, count, source.temperature);
  return {raw_bound, divided(source, raw_bound), room.logits, room.positions, count};
}

}  // namespace

std::optional<float> bound_of_count(const DividedRow& source, std::int64_t k) {
  if (source.row.count < long_row || k > source.row.count / 64) return std::nullopt;
  constexpr std::int64_t sampled = 1024;
  float sample[sampled];
  take_sample<sampled, 1>(source.row, sample);
  // Four more than the share that is wanted, so that the row holds enough above almost always.
  const std::int64_t rank = k * sampled / source.row.count + 4;
  std::nth_element(sample, sample + rank, sample + sampled, std::greater<>());
  if (!std::isfinite(sample[rank])) return std::nullopt;
  return sample[rank];
}

std::optional<float> bound_of_mass(const DividedRow& source, double share) {
  if (source.row.count < long_row) return std::nullopt;
  constexpr std::int64_t places = 1024, together = 4, sampled = places * together;
  float sample[sampled];
  take_sample<places, together>(source.row, sample);
  const float most = greatest(sample, sampled);
  if (!std::isfinite(most)) return std::nullopt;
  // Counts by distance from the maximum. What is beyond the last bin has no mass to speak of.
  constexpr int bins = 512;
  constexpr float bins_per_unit = 32;
  std::int32_t counts[bins + 1] = {}, at[sampled];
  const float scale = bins_per_unit / source.temperature;
  if (!std::isfinite(scale)) return std::nullopt;
  for (std::int64_t i = 0; i < sampled; ++i)
    at[i] = static_cast<std::int32_t>(std::min((most - sample[i]) * scale, 1.0F * bins));
  for (const std::int32_t bin : at) ++counts[bin];
  const double step = std::exp(-1.0 / bins_per_unit);
  double whole = 0, height = 1;
  for (int bin = 0; bin < bins; ++bin, height *= step) whole += counts[bin] * height;
  double mass = 0;
  std::int64_t above = 0;
  height = 1;
  for (int bin = 0; bin < bins; ++bin, height *= step) {
    mass += counts[bin] * height;
    above += counts[bin];
    if (above > head_limit(sampled)) return std::nullopt;
    if (mass >= share * whole) {
      const float bound = most - static_cast<float>(bin + 1) / scale;
      if (!std::isfinite(bound)) return std::nullopt;
      return bound;
    }
  }
  return std::nullopt;
}

HeadRoom room_beside(const DividedRow& source, RowScratch& scratch) {
  return {reinterpret_cast<float*>(scratch.keys),
          reinterpret_cast<std::int32_t*>(marks_in(scratch, source.row.count) +
                                          words_of_marks(source.row.count))};
}

Head head_of(const DividedRow& source, float raw_bound, HeadRoom room, RowScratch& scratch) {
  std::uint64_t* const marks = marks_in(scratch, source.row.count);
  mark_from(source.row, raw_bound, marks);
  return gather(source, raw_bound, marks, room);
}

// How far the estimate may be off. Write u = 2^-24, t for the temperature, s for the raw bound, b = fl(s /
// t), and for another element l' = fl(l / t) and x = b - l' >= 0. Wanted is T, the sum of exp(-x); added up
// are 2^y with y = l c - d rounded, c = fl(log2(e) / t) = (1 + e2) log2(e) / t, d = fl(s c), |e2| <= u.
//   ln 2^y - (-x) = (l / t) (1 + e2) - ln(2) d - l' + b + the rounding of y
//                 = [b - ln(2) d + e2 s / t] + e2 (l - s) / t - (l' - l / t) + the rounding of y.
// The bracket is the same for all elements: shift_, taken in double (s c and ln(2) (s c - d) are exact to
// 1e-16 of |b|). Of the others the first is at most u x, the second u (x + |b|) and 0 where nothing is
// divided, the third ln(2) u |y|, about u x; what is of second order is below u for |b| < 2^15. With the
// factor of a term (marks.hpp) each term is off by a factor of at most exp(h), h = u (3 x + |b| + 4.3 +
// additions). As -a ln a is concave, the terms a = exp(-x) of n elements have sum(a x) <= T ln(n / T), so
//   |estimate - T| <= 1.02 u T (3 ln(n / T) + |b| + 4.3 + additions),
// 1.02 for exp(h) - 1 (h < 0.003). Where y was raised to -115 both are below 2^-114 an element, which n
// 2^-100 covers, and so does ln(n / T) + 0.02 with the estimate in place of T.
std::optional<EstimatedHead> EstimatedHead::of(const DividedRow& source, float raw_bound, HeadRoom room,
                                               RowScratch& scratch) {
  constexpr double log2_e = distribution::log2_e, ln_2 = distribution::ln_2;
  const double t = source.temperature, s = raw_bound;
  const auto scale = static_cast<float>(log2_e / t);
  const auto offset = static_cast<float>(s * scale);
  EstimatedHead made;
  // Scales of 2^-60 to 2^60 leave no room for an overflow or underflow of what is near the bound.
  if (!can_sum() || !(scale > 0x1p-60F && scale < 0x1p60F) || !(std::fabs(s / t) < 0x1p15))
    return std::nullopt;
  std::uint64_t* const marks = marks_in(scratch, source.row.count);
  const OthersSum estimate = mark_and_sum(source.row, raw_bound, scale, offset, marks);
  made.head_ = gather(source, raw_bound, marks, room);
  const double b = made.head_.bound;
  made.sum_ = estimate.sum;
  made.shift_ = b - s / t + ln_2 * (s * static_cast<double>(scale) - offset);
  made.spread_ = source.divided() ? std::fabs(b) : 0;
  made.additions_ = estimate.additions;
  made.others_ = source.row.count - made.head_.count;
  return made;
}

Rest EstimatedHead::rest(float maximum) const {
  if (others_ == 0) return {0, 0};
  constexpr double u = 0x1p-24;
  const auto n = static_cast<double>(others_);
  const double near = n * 0x1p-100;
  const double sum = sum_ * std::exp(-shift_);
  const double factor =
      3 * (std::log(n / std::max(sum, near)) + 0.02) + spread_ + 1 + term_error + additions_;
  double error = 1.02 * u * factor * sum + near;
  if (mutant("sampling.chain.estimate_decides")) error = 0;
  // The weights: exp(-distance) within 4e-14, scaled, and each rounded to an integer.
  const double scale =
      distribution::exp_minus(static_cast<double>(maximum) - static_cast<double>(head_.bound)) *
      distribution::power_of_two(distribution::weight_bits);
  const double rounding = mutant("sampling.chain.estimate_decides") ? 0 : n / 2 + 2 + 1e-13 * scale * sum;
  return {static_cast<std::uint64_t>(std::max(0.0, scale * (sum - error) - rounding)),
          static_cast<std::uint64_t>(scale * (sum + error) + rounding)};
}

std::uint64_t weigh_others(const DividedRow& source, const Head& head, float maximum) {
  constexpr std::int64_t at_once = 1024;
  float logits[at_once];
  std::uint64_t weights[at_once];
  std::uint64_t total = 0;
  if (mutant("sampling.chain.others_weigh_nothing")) return 0;
  const auto size = static_cast<std::int64_t>(size_of(source.row.dtype));
  for (std::int64_t first = 0; first < source.row.count; first += at_once) {
    const std::int64_t count = std::min(at_once, source.row.count - first);
    widen_row({source.row.dtype, source.row.data + first * size, count}, logits);
    for (std::int64_t i = 0; i < count; ++i)
      if (logits[i] >= head.raw_bound) logits[i] = -infinity;
    if (source.divided()) divide(logits, count, source.temperature);
    total += weigh(logits, count, maximum, weights);
  }
  return total;
}

}  // namespace assay::kernels::filters
