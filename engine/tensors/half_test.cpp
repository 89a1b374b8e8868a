#include "engine/tensors/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/runtime/philox.hpp"

namespace assay {
namespace {

bool same_bits(float a, float b) {
  return detail::bits_of(a) == detail::bits_of(b);
}

// The value of a binary16 pattern by its definition, in double.
double half_value(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 31) return fraction != 0 ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  return exponent == 0 ? sign * std::ldexp(fraction, -24) : sign * std::ldexp(1024 + fraction, exponent - 25);
}

TEST(Half, EveryPatternWidensToItsDefinitionAndComesBack) {
  for (unsigned pattern = 0; pattern < 65536; ++pattern) {
    const Half half{static_cast<std::uint16_t>(pattern)};
    const float value = to_float(half);
    const double expected = half_value(half.bits);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(value)) << pattern;
      ASSERT_EQ(to_half(value).bits, pattern | 0x0200u) << "a NaN keeps sign and payload and is quiet";
    } else {
      ASSERT_EQ(static_cast<double>(value), expected) << pattern;
      ASSERT_EQ(std::signbit(value), (pattern & 0x8000) != 0) << pattern;
      ASSERT_EQ(to_half(value).bits, pattern);
    }
  }
}

TEST(Half, NarrowingRoundsToNearestEvenAtEveryMidpoint) {
  // Between each pair of neighbours: the midpoint goes to the even one, anything beside it to the nearer one.
  for (unsigned pattern = 0; pattern < 0x7C00; ++pattern) {
    const double low = half_value(static_cast<std::uint16_t>(pattern));
    const double high = pattern == 0x7BFF ? 65536.0 : half_value(static_cast<std::uint16_t>(pattern + 1));
    const auto midpoint = static_cast<float>((low + high) / 2);
    const unsigned even = pattern % 2 == 0 ? pattern : pattern + 1;
    ASSERT_EQ(to_half(midpoint).bits, even) << pattern;
    ASSERT_EQ(to_half(std::nextafter(midpoint, 0.0f)).bits, pattern);
    ASSERT_EQ(to_half(std::nextafter(midpoint, 1e9f)).bits, pattern + 1);
    ASSERT_EQ(to_half(-midpoint).bits, even | 0x8000u);
  }
}

TEST(Half, OverflowUnderflowAndInfinities) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(to_half(65519.996f).bits, 0x7BFF);
  EXPECT_EQ(to_half(65520.0f).bits, 0x7C00);
  EXPECT_EQ(to_half(infinity).bits, 0x7C00);
  EXPECT_EQ(to_half(-infinity).bits, 0xFC00);
  EXPECT_EQ(to_half(std::numeric_limits<float>::max()).bits, 0x7C00);
  EXPECT_EQ(to_half(0x1p-25f).bits, 0);
  EXPECT_EQ(to_half(std::nextafter(0x1p-25f, 1.0f)).bits, 1);
  EXPECT_EQ(to_half(std::numeric_limits<float>::denorm_min()).bits, 0);
  EXPECT_EQ(to_half(-0.0f).bits, 0x8000);
}

TEST(BFloat16, EveryPatternComesBack) {
  for (unsigned pattern = 0; pattern < 65536; ++pattern) {
    const float value = to_float(BFloat16{static_cast<std::uint16_t>(pattern)});
    ASSERT_EQ(detail::bits_of(value), pattern << 16);
    const bool nan = (pattern & 0x7FFF) > 0x7F80;
    ASSERT_EQ(to_bfloat16(value).bits, nan ? pattern | 0x0040u : pattern);
  }
}

TEST(BFloat16, NarrowingTakesTheNearerNeighbourAndTheEvenOneOfTwo) {
  Philox random(11);
  for (int draw = 0; draw < 200000; ++draw) {
    const std::uint32_t bits = random.next_u32();
    const float value = detail::float_of(bits);
    if (!std::isfinite(value)) continue;
    const std::uint32_t low = bits & 0xFFFF0000u;  // towards zero
    const std::uint32_t rest = bits & 0xFFFFu;
    const bool up = rest > 0x8000u || (rest == 0x8000u && (low >> 16) % 2 == 1);
    ASSERT_EQ(to_bfloat16(value).bits, (low >> 16) + (up ? 1 : 0)) << bits;
  }
  EXPECT_EQ(to_bfloat16(1.00390625f).bits, 0x3F80);  // halfway between 1 and its successor: even
  EXPECT_EQ(to_bfloat16(1.01171875f).bits, 0x3F82);
  EXPECT_EQ(to_bfloat16(std::numeric_limits<float>::max()).bits, 0x7F80);
  EXPECT_EQ(to_bfloat16(detail::float_of(0x7F800001u)).bits, 0x7FC0) << "a NaN never turns into an infinity";
}

TEST(Half, TheGenericFormAgrees) {
  EXPECT_TRUE(same_bits(from_float<float>(1.1f), 1.1f));
  EXPECT_EQ(from_float<Half>(1.1f).bits, to_half(1.1f).bits);
  EXPECT_EQ(from_float<BFloat16>(1.1f).bits, to_bfloat16(1.1f).bits);
}

}  // namespace
}  // namespace assay
