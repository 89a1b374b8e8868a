#include "validation/tensors/ill_conditioned.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "engine/analysis/splitmix.hpp"
#include "validation/tensors/format.hpp"

namespace assay::validation {

namespace {

using analysis::SplitMix64;

int width_of(std::int64_t value) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(std::abs(value))));
}

/// The nearest integer of at most `precision` significant bits, halves away from 0.
std::int64_t shortened(std::int64_t value, int precision) {
  const int excess = width_of(value) - precision;
  if (excess <= 0) return value;
  const std::int64_t half = std::int64_t{1} << (excess - 1);
  const std::int64_t magnitude = (std::abs(value) + half) >> excess << excess;
  return value < 0 ? -magnitude : magnitude;
}

/// Of either sign, its leading bit worth 2^exponent.
std::int64_t drawn(SplitMix64& random, int exponent) {
  const std::uint64_t leading = std::uint64_t{1} << exponent;
  const auto magnitude = static_cast<std::int64_t>(leading | (random.next() & (leading - 1)));
  return random.next() % 2 == 0 ? magnitude : -magnitude;
}

}  // namespace

int most_condition_bits(DType type) {
  return type == DType::f16 ? 34 : 56;
}

IllConditionedSum ill_conditioned_sum(DType type, std::int64_t n, int bits, std::uint64_t seed) {
  IllConditionedSum made;
  if (n == 0) return made;
  const Format format = format_of(type);
  const int precision = format.precision;
  SplitMix64 random(seed);
  const int for_count = width_of(n - 1);  // n <= 2^for_count
  // No term, and no sum of all of them, may leave 62 bits or the range of the type.
  const int unit_exponent = std::max(-bits / 2, format.smallest_exponent + 1 - precision);
  const int widest = std::min(60, format.largest_exponent - unit_exponent) - for_count - 1;
  const int highest = std::clamp(bits - for_count / 2, 0, std::max(widest, 0));
  made.unit = std::ldexp(1.0, unit_exponent);

  std::vector<std::int64_t> terms;
  std::int64_t sum = 0, magnitudes = 0;
  const auto add = [&](std::int64_t term) {
    terms.push_back(term);
    sum += term;
    magnitudes += std::abs(term);
  };
  // The last few terms bring the sum down to its target; each takes `precision` bits off what is left.
  const std::int64_t closing = std::min<std::int64_t>(n - 1, (highest + for_count) / precision + 2);
  const std::int64_t free = n - closing, rising = (free + 1) / 2;
  for (std::int64_t i = 0; i < rising; ++i)
    add(shortened(drawn(random, i == 0 ? highest : static_cast<int>(random.uniform() * (highest + 1))),
                  precision));
  for (std::int64_t i = rising; i < free; ++i) {
    const auto exponent =
        static_cast<int>(highest * (free - 1 - i) / std::max<std::int64_t>(1, free - rising));
    add(shortened(drawn(random, exponent) - sum, precision));
  }
  const std::int64_t target =
      shortened(std::max<std::int64_t>(1, magnitudes >> std::min(bits, 62)), precision);
  for (std::int64_t i = 0; i < closing; ++i) {
    std::int64_t term = shortened(target - sum, precision);
    // A sum of 0 has no condition number. One unit in the last place nearer to 0 the term is a number still.
    if (i + 1 == closing && sum + term == 0)
      term -= (term < 0 ? -1 : 1) * (std::int64_t{1} << std::max(0, width_of(term) - precision));
    add(term);
  }
  for (std::size_t i = terms.size(); i > 1; --i)
    std::swap(terms[i - 1], terms[static_cast<std::size_t>(random.uniform() * static_cast<double>(i))]);
  for (const std::int64_t term : terms)
    made.terms.push_back(std::ldexp(static_cast<double>(term), unit_exponent));
  made.sum = sum;
  made.magnitudes = magnitudes;
  return made;
}

}  // namespace assay::validation
