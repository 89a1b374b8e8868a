#include "validation/tensors/ill_conditioned.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "validation/tensors/format.hpp"
#include "validation/tensors/recipe.hpp"

namespace assay::validation {
namespace {

constexpr DType types[] = {DType::f64, DType::f32, DType::f16, DType::bf16};

// A long double holds 64 bits, and no partial sum has more than 62: what is measured here is exact.
struct Measured {
  long double sum = 0, magnitudes = 0;
};
Measured measure(const std::vector<double>& terms) {
  Measured measured;
  for (const double term : terms) {
    measured.sum += term;
    measured.magnitudes += std::fabs(term);
  }
  return measured;
}

static_assert(std::numeric_limits<long double>::digits >= 64);

TEST(IllConditionedSums, HaveTheConditionNumberThatTheyClaim) {
  for (const DType type : types)
    for (const std::int64_t n : {1, 2, 3, 5, 8, 17, 64, 257, 1000, 5003})
      for (const int bits : {1, 4, 10, 24, 34, 53, 56})
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
          if (bits > most_condition_bits(type)) continue;
          const IllConditionedSum made = ill_conditioned_sum(type, n, bits, seed);
          ASSERT_EQ(static_cast<std::int64_t>(made.terms.size()), n);
          for (const double term : made.terms) ASSERT_EQ(round_to(type, term), term) << name_of(type);
          const Measured measured = measure(made.terms);
          ASSERT_EQ(measured.sum, static_cast<long double>(made.sum) * made.unit);
          ASSERT_EQ(measured.magnitudes, static_cast<long double>(made.magnitudes) * made.unit);
          ASSERT_NE(made.sum, 0);
          ASSERT_EQ(made.condition(), static_cast<double>(measured.magnitudes / std::fabs(measured.sum)));
        }
}

TEST(IllConditionedSums, ComeNearToWhatIsAskedFor) {
  for (const DType type : types)
    for (const std::int64_t n : {40, 257, 1000})
      for (const int bits : {4, 10, 20, 24, 34, 45, 56}) {
        if (bits > most_condition_bits(type)) continue;
        if (type == DType::f16 && bits > 24) continue;  // its range does not hold as many at once
        const double condition = ill_conditioned_sum(type, n, bits, 1).condition();
        EXPECT_GT(condition, std::ldexp(1.0, bits - 4)) << name_of(type) << " " << n << " " << bits;
        EXPECT_LT(condition, std::ldexp(1.0, bits + 4)) << name_of(type) << " " << n << " " << bits;
      }
  EXPECT_EQ(ill_conditioned_sum(DType::f32, 1, 30, 1).condition(), 1);
  EXPECT_EQ(ill_conditioned_sum(DType::f32, 0, 30, 1).condition(), 1);
  EXPECT_GT(ill_conditioned_sum(DType::f32, 2, 56, 1).condition(), 0x1p20);
}

TEST(IllConditionedSums, DifferBySeed) {
  std::set<double> sums;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    sums.insert(ill_conditioned_sum(DType::f32, 100, 30, seed).terms.front());
  EXPECT_GT(sums.size(), 15u);
}

// What they are for: a running sum in float loses every digit, one with compensation in double does not.
TEST(IllConditionedSums, TellARunningSumFromAnExactOne) {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const IllConditionedSum made = ill_conditioned_sum(DType::f32, 500, 40, seed);
    float running = 0;
    for (const double term : made.terms) running += static_cast<float>(term);
    const double exact = static_cast<double>(made.sum) * made.unit;
    lost += std::fabs(running - exact) > std::fabs(exact);
  }
  EXPECT_GE(lost, 18);
}

TEST(IllConditionedSums, AreTheRowsOfARecipe) {
  const TensorRecipe recipe{.type = DType::f32,
                            .shape = {3, 65},
                            .numbers = Numbers::ill_conditioned,
                            .seed = 9,
                            .condition_bits = 30};
  const std::vector<double> values = recipe.values();
  for (int row = 0; row < 3; ++row) {
    const Measured measured = measure({values.begin() + 65 * row, values.begin() + 65 * (row + 1)});
    EXPECT_GT(measured.magnitudes / std::fabs(measured.sum), 0x1p26L);
    EXPECT_LT(measured.magnitudes / std::fabs(measured.sum), 0x1p34L);
  }
  EXPECT_NE(values[0], values[65]);
}

}  // namespace
}  // namespace assay::validation
