#include "kernels/distribution/verification.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/distribution/draw.hpp"

namespace assay::kernels::distribution {
namespace {

constexpr std::uint64_t most = ~std::uint64_t{0};

TEST(Verification, PointsAreFloorsOfTheWholeProduct) {
  Philox random(1);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t r = random.next_u64();
    const std::uint64_t small = random.next_u64() >> random.below(64);
    EXPECT_TRUE(wide_point_in(r, small) == static_cast<Wide128>(r) * small >> 64);
    // A scale of s 2^63: r s / 2, in 128 bits.
    const std::uint64_t half = random.next_u64() >> 1;
    EXPECT_TRUE(wide_point_in(r, static_cast<Wide128>(half) << 63) == static_cast<Wide128>(r) * half >> 1);
  }
  const Wide128 scale = (static_cast<Wide128>(1) << 126) + 12345;
  EXPECT_TRUE(wide_point_in(most, scale) < scale);
  EXPECT_TRUE(wide_point_in(0, scale) == 0);
}

TEST(Verification, AcceptsBelowTheRatioAndNotAtIt) {
  // p / q = 1/2: random below 2^63 alone.
  EXPECT_TRUE(accepts((std::uint64_t{1} << 63) - 1, 1, 4, 2, 4));
  EXPECT_FALSE(accepts(std::uint64_t{1} << 63, 1, 4, 2, 4));
  // p / q = 3/7 of unlike totals: (3/8) / (7/8).
  const auto bound = static_cast<std::uint64_t>((static_cast<Wide128>(3) << 64) / 7);
  EXPECT_TRUE(accepts(bound, 6, 16, 7, 8));
  EXPECT_FALSE(accepts(bound + 1, 6, 16, 7, 8));
  // The largest weights there are.
  const std::uint64_t weight = std::uint64_t{1} << 45, total = 300'000 * weight;
  EXPECT_TRUE(accepts(most, weight, total, weight, total));
  EXPECT_FALSE(accepts(most, weight - 1, total, weight, total));
  EXPECT_TRUE(accepts(most, weight, total, weight - 1, total));
}

TEST(Verification, WhatTheDraftCannotHaveDrawnIsTakenWhereTheTargetHasIt) {
  EXPECT_TRUE(accepts(most, 1, 10, 0, 10));
  EXPECT_FALSE(accepts(0, 0, 10, 0, 10));
  EXPECT_FALSE(accepts(0, 0, 0, 5, 10));
  EXPECT_FALSE(accepts(0, 5, 10, 0, 0));
}

TEST(Verification, ResidualsAddUpToWhatTheTwoDoNotShare) {
  Philox random(2);
  for (int i = 0; i < 1'000; ++i) {
    std::uint64_t p[5], q[5], target = 0, draft = 0;
    for (int token = 0; token < 5; ++token) {
      target += p[token] = random.below(std::uint64_t{1} << 45);
      draft += q[token] = random.below(std::uint64_t{1} << 45);
    }
    Wide128 missed = 0, shared = 0;
    for (int token = 0; token < 5; ++token) {
      missed += residual_weight(p[token], target, q[token], draft);
      const Wide128 left = static_cast<Wide128>(p[token]) * draft,
                    right = static_cast<Wide128>(q[token]) * target;
      shared += left < right ? left : right;
    }
    EXPECT_TRUE(missed + shared == static_cast<Wide128>(target) * draft);
  }
  EXPECT_TRUE(residual_weight(7, 9, 0, 0) == 7);
}

TEST(Verification, StreamsShareNoBits) {
  EXPECT_EQ(stream_bits(3, 0, 5), draw_bits(3, 5));
  EXPECT_NE(stream_bits(3, acceptance_stream, 5), draw_bits(3, 5));
  EXPECT_NE(stream_bits(3, residual_stream, 5), stream_bits(3, acceptance_stream, 5));
}

}  // namespace
}  // namespace assay::kernels::distribution
