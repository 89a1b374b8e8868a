// Each class of numbers is what its name says, in every type.

#include "validation/tensors/numbers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "engine/comparison.hpp"
#include "engine/tensors/half.hpp"
#include "validation/tensors/format.hpp"
#include "validation/tensors/recipe.hpp"

namespace assay::validation {
namespace {

constexpr DType types[] = {DType::f64, DType::f32, DType::f16, DType::bf16};

std::vector<double> of(Numbers numbers, DType type, Shape shape = {40, 50}, std::uint64_t seed = 3) {
  return TensorRecipe{.type = type, .shape = std::move(shape), .numbers = numbers, .seed = seed}.values();
}

std::int64_t count(const std::vector<double>& values, bool (*is)(double)) {
  return std::count_if(values.begin(), values.end(), is);
}

TEST(Formats, AreThoseOfTheTypes) {
  EXPECT_EQ(format_of(DType::f64).largest(), std::numeric_limits<double>::max());
  EXPECT_EQ(format_of(DType::f64).smallest_subnormal(), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(format_of(DType::f32).largest(), std::numeric_limits<float>::max());
  EXPECT_EQ(format_of(DType::f32).smallest_normal(), std::numeric_limits<float>::min());
  EXPECT_EQ(format_of(DType::f16).largest(), 65504);
  EXPECT_EQ(format_of(DType::f16).smallest_subnormal(), 0x1p-24);
  EXPECT_EQ(format_of(DType::bf16).largest(), 0x1.FEp127);
  EXPECT_THROW(format_of(DType::i64), std::invalid_argument);
}

// Rounding against the hardware's and the library's own conversions, ties, subnormals and overflow included.
TEST(Formats, RoundAsTheTypesDo) {
  std::vector<double> values;
  for (const double centre : {1.0, 0x1p-14, 0x1p-24, 0x1p-126, 0x1p-149, 65504.0, 65520.0, 0x1.FFp127, 3e38})
    for (const double factor : {1.0, 1 + 0x1p-8, 1 + 0x1p-9, 1 + 3 * 0x1p-9, 1 + 0x1p-11, 1 + 3 * 0x1p-12,
                                1 - 0x1p-13, 1 + 0x1p-24, 1.5, 0.75, 1.2345678})
      for (const double sign : {1.0, -1.0}) values.push_back(sign * centre * factor);
  for (const double value : values) {
    EXPECT_EQ(round_to(DType::f64, value), value);
    const double in_float = static_cast<float>(value);
    EXPECT_EQ(round_to(DType::f32, value), in_float) << value;
    // from a float, so that the conversion's own rounding is the only one
    EXPECT_EQ(round_to(DType::f16, in_float), to_float(to_half(static_cast<float>(in_float)))) << value;
    EXPECT_EQ(round_to(DType::bf16, in_float), to_float(to_bfloat16(static_cast<float>(in_float)))) << value;
  }
  EXPECT_EQ(round_to(DType::f16, -0.0), 0);
  EXPECT_TRUE(std::isnan(round_to(DType::bf16, std::nan(""))));
}

TEST(NumberClasses, HoldWhatTheyClaimAndSurviveTheirType) {
  for (const DType type : types)
    for (int i = 0; i < number_classes; ++i) {
      const auto numbers = static_cast<Numbers>(i);
      const TensorRecipe recipe{.type = type, .shape = {40, 50}, .numbers = numbers, .seed = 7};
      const std::vector<double> values = recipe.values();
      const Tensor tensor = recipe.tensor();
      const std::vector<double> decoded = to_doubles(tensor.view());
      ASSERT_EQ(decoded.size(), 2000u);
      for (std::size_t at = 0; at < values.size(); ++at) {
        ASSERT_TRUE(belongs(values[at], numbers, type))
            << values[at] << " as " << name_of(numbers) << " in " << name_of(type);
        // encoding loses nothing
        ASSERT_TRUE(decoded[at] == values[at] || (std::isnan(decoded[at]) && std::isnan(values[at])))
            << values[at] << " as " << name_of(numbers) << " in " << name_of(type);
      }
    }
}

TEST(NumberClasses, DoNotTakeEachOthersNumbers) {
  EXPECT_FALSE(belongs(1.5, Numbers::grid, DType::f32));
  EXPECT_FALSE(belongs(0.3, Numbers::ties, DType::f32));
  EXPECT_FALSE(belongs(0.1, Numbers::normal, DType::f32));  // not representable
  EXPECT_FALSE(belongs(0x1p-126, Numbers::huge, DType::f32));
  EXPECT_FALSE(belongs(0x1p-122, Numbers::tiny, DType::f32));
  EXPECT_FALSE(belongs(0x1p-125, Numbers::subnormal, DType::f32));
  EXPECT_FALSE(belongs(std::nan(""), Numbers::infinities, DType::f32));
  EXPECT_FALSE(belongs(HUGE_VAL, Numbers::nan, DType::f32));
  EXPECT_FALSE(belongs(0, Numbers::wide, DType::f32));
}

TEST(NumberClasses, GridsAreSparse) {
  for (const DType type : types) {
    const auto zeros = count(of(Numbers::grid, type), [](double v) { return v == 0; });
    EXPECT_GT(zeros, 1400);
    EXPECT_LT(zeros, 1700);
  }
}

TEST(NumberClasses, TiesAreMany) {
  const std::vector<double> values = of(Numbers::ties, DType::f32);
  EXPECT_EQ(std::set<double>(values.begin(), values.end()).size(), 9u);
}

TEST(NumberClasses, SubnormalsAreMostOfTheirClass) {
  for (const DType type : types) {
    const std::vector<double> values = of(Numbers::subnormal, type);
    const double smallest = format_of(type).smallest_normal();
    std::int64_t subnormal = 0, negative_zeros = 0, borders = 0;
    for (const double value : values) {
      subnormal += value != 0 && std::fabs(value) < smallest;
      negative_zeros += value == 0 && std::signbit(value);
      borders += std::fabs(value) == smallest;
    }
    EXPECT_GT(subnormal, 1300) << name_of(type);
    EXPECT_GT(negative_zeros, 50) << name_of(type);
    EXPECT_GT(borders, 100) << name_of(type);
  }
}

TEST(NumberClasses, WideOnesReachEveryBinade) {
  for (const DType type : types) {
    const Format format = format_of(type);
    std::set<int> binades;
    for (const double value : of(Numbers::wide, type, {300, 100})) binades.insert(std::ilogb(value));
    EXPECT_EQ(static_cast<int>(binades.size()), format.largest_exponent - format.smallest_exponent + 1)
        << name_of(type);
  }
}

TEST(NumberClasses, HugeOnesOverflowInPairsAndTinyOnesUnderflow) {
  for (const DType type : types) {
    const std::vector<double> huge = of(Numbers::huge, type), tiny = of(Numbers::tiny, type);
    EXPECT_GT(
        std::count_if(huge.begin(), huge.end(), [&](double v) { return v > format_of(type).largest() / 2; }),
        100)
        << name_of(type);
    EXPECT_GT(count(huge, [](double v) { return v < 0; }), 800);
    for (const double value : tiny)
      EXPECT_LT(std::fabs(round_to(type, value * value)), format_of(type).smallest_normal());
  }
}

TEST(NumberClasses, InfinitiesAndNaNAreInEveryTensor) {
  for (const DType type : types)
    for (const std::int64_t n : {1, 2, 3, 5, 100})
      for (std::uint64_t seed = 0; seed < 50; ++seed) {
        EXPECT_GE(count(of(Numbers::infinities, type, {n}, seed), [](double v) { return std::isinf(v); }), 1);
        EXPECT_GE(count(of(Numbers::nan, type, {n}, seed), [](double v) { return std::isnan(v); }), 1);
      }
  const std::vector<double> values = of(Numbers::infinities, DType::f32);
  EXPECT_GT(count(values, [](double v) { return v == HUGE_VAL; }), 60);
  EXPECT_GT(count(values, [](double v) { return v == -HUGE_VAL; }), 60);
  EXPECT_GT(count(values, [](double v) { return std::isfinite(v); }), 1500);
}

}  // namespace
}  // namespace assay::validation
