#include "kernels/distribution/weight.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/runtime/philox.hpp"
#include "kernels/distribution/draw.hpp"
#include "kernels/distribution/rough_exp.hpp"

namespace assay::kernels::distribution {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(Weights, TheExponentialIsWithinItsBound) {
  Philox random(1);
  for (int i = 0; i < 200'000; ++i) {
    const double distance = 700 * random.uniform() * random.uniform();
    const long double exact = std::exp(-static_cast<long double>(distance));
    EXPECT_LE(std::fabs(static_cast<double>(exp_minus(distance) / exact - 1)), distance < 64 ? 4e-14 : 7e-14)
        << distance;
  }
  EXPECT_EQ(exp_minus(0), 1.0);
  EXPECT_EQ(exp_minus(701), 0.0);
  EXPECT_EQ(exp_minus(std::numeric_limits<double>::infinity()), 0.0);
}

TEST(Weights, TheRoughExponentialIsWithinItsBound) {
  Philox random(5);
  for (int i = 0; i < 400'000; ++i) {
    const double scale = i % 2 == 0 ? 64 : 2e5;
    const double value = scale * (2 * random.uniform() - 1);
    const auto reference = static_cast<std::int32_t>(std::lround(value / 0.6931471805599453)) +
                           static_cast<std::int32_t>(random.below(90));
    const long double exact =
        std::exp(static_cast<long double>(value) - reference * 0.693147180559945309417232121458L);
    EXPECT_LE(std::fabs(static_cast<double>(rough_exp(value, reference) / exact - 1)), 0x1p-28) << value;
  }
}

TEST(Weights, TheLogarithmIsWithinItsBound) {
  Philox random(2);
  for (int i = 0; i < 200'000; ++i) {
    const double value = std::ldexp(0.5 + random.uniform(), static_cast<int>(random.below(120)) - 60);
    const auto exact = static_cast<double>(std::log(static_cast<long double>(value)));
    EXPECT_LE(std::fabs(log_of(value) - exact), 1e-15 * (1 + std::fabs(exact))) << value;
  }
  EXPECT_EQ(log_of(1), 0.0);
}

TEST(Weights, AreTheRoundedExponentials) {
  Philox random(3);
  for (int i = 0; i < 100'000; ++i) {
    const double distance = 33 * random.uniform();
    const long double exact = std::exp(-static_cast<long double>(distance)) * 0x1p45L;
    EXPECT_LE(std::fabs(static_cast<double>(static_cast<long double>(weight_at(distance)) - exact)),
              0.5 + 4e-14 * static_cast<double>(exact))
        << distance;
  }
  EXPECT_EQ(weight_at(0), std::uint64_t{1} << weight_bits);
  EXPECT_EQ(weight_at(32), 0u);
  EXPECT_EQ(weight_at(std::numeric_limits<double>::infinity()), 0u);
  EXPECT_EQ(weight_of(infinity, infinity), std::uint64_t{1} << weight_bits);
  EXPECT_EQ(weight_of(infinity, 3), 0u);
  EXPECT_EQ(weight_of(-infinity, -infinity), 0u);
  EXPECT_EQ(weight_of(3, std::numeric_limits<float>::quiet_NaN()), 0u);
}

TEST(Weights, MassNeededIsTheLeastIntegerThatReachesIt) {
  Philox random(4);
  for (int i = 0; i < 100'000; ++i) {
    const double p =
        i % 3 == 0 ? std::ldexp(random.uniform(), -static_cast<int>(random.below(70))) : random.uniform();
    const std::uint64_t total = random.next_u64() >> random.below(64);
    const std::uint64_t needed = mass_needed(p, total);
    // p total as significand x total / 2^shift, compared in 128 bits on both sides of `needed`.
    int exponent = 0;
    const auto significand = static_cast<std::uint64_t>(std::ldexp(std::frexp(p, &exponent), 53));
    const int shift = 53 - exponent;
    if (shift > 60) {  // less than 2^-7 of 2^64 units of 2^60: at most one unit after the other bits
      EXPECT_LE(needed, (total >> 6) + 1);
      continue;
    }
    const unsigned __int128 product = static_cast<unsigned __int128>(significand) * total;
    EXPECT_GE(static_cast<unsigned __int128>(needed) << shift, product);
    if (needed > 0) {
      EXPECT_LT(static_cast<unsigned __int128>(needed - 1) << shift, product);
    }
  }
  EXPECT_EQ(mass_needed(1, 12345), 12345u);
  EXPECT_EQ(mass_needed(0.5, 5), 3u);
  EXPECT_EQ(mass_needed(0, 5), 0u);
  EXPECT_EQ(mass_needed(-1, 5), 0u);
  EXPECT_EQ(mass_needed(1e-300, 5), 1u);
  EXPECT_EQ(mass_needed(4e-320, 5), 1u);
  EXPECT_EQ(mass_needed(1e-300, 0), 0u);
}

TEST(Weights, PointsCoverTheTotal) {
  EXPECT_EQ(point_in(0, 7), 0u);
  EXPECT_EQ(point_in(~std::uint64_t{0}, 7), 6u);
  EXPECT_EQ(point_in(std::uint64_t{1} << 63, 8), 4u);
  EXPECT_NE(draw_bits(1, 0), draw_bits(1, 1));
  EXPECT_NE(draw_bits(1, 0), draw_bits(2, 0));
  EXPECT_EQ(draw_bits(1, 5), draw_bits(1, 5));
}

}  // namespace
}  // namespace assay::kernels::distribution
