#pragma once

/// Samples of known distributions by the standard library, and counts held to a rate: what the tests of the
/// goodness of fit share.

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/runtime/philox.hpp"

namespace assay::validation {

/// Philox where the standard library wants bits.
struct Bits {
  using result_type = std::uint32_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return 0xffffffffu; }
  result_type operator()() { return random.next_u32(); }
  Philox random;
};

/// Counts of many draws at once: a binomial of what is left, category after category.
inline std::vector<std::int64_t> multinomial(const std::vector<double>& probabilities, std::int64_t draws,
                                             Bits& bits) {
  std::vector<std::int64_t> counts(probabilities.size());
  double left = 1;
  for (std::size_t i = 0; i < counts.size() && draws > 0; ++i) {
    if (probabilities[i] > 0)
      counts[i] = i + 1 == counts.size() ? draws
                                         : std::binomial_distribution<std::int64_t>(
                                               draws, std::min(1.0, probabilities[i] / left))(bits);
    draws -= counts[i];
    left -= probabilities[i];
  }
  return counts;
}

/// Holds that a count of `trials` is one that a rate gives; beyond it lies 1e-6 of the binomial distribution.
inline void expect_rate(double count, int trials, double rate, const std::string& what) {
  const boost::math::binomial_distribution<> binomial(trials, std::clamp(rate, 0.0, 1.0));
  const double low = rate >= 1 ? trials : boost::math::quantile(binomial, 5e-7);
  const double high = rate >= 1 ? trials : boost::math::quantile(boost::math::complement(binomial, 5e-7));
  EXPECT_GE(count, low) << what << ": " << count << " of " << trials << " where " << rate << " is the rate";
  EXPECT_LE(count, high) << what << ": " << count << " of " << trials << " where " << rate << " is the rate";
  testing::Test::RecordProperty(what, fmt::format("{} of {}, rate {:.4f}", count, trials, rate));
}

}  // namespace assay::validation
