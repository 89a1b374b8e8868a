#include "engine/comparison.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace assay {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

/// An operation whose output `y` may be off by `bound`; without a bound it must be equal.
Operation operation_with_bound(std::optional<double> bound) {
  Operation operation;
  operation.name = "test.operation";
  if (bound)
    operation.error_bound = [bound](const Arguments&, std::string_view, std::span<const double> reference) {
      return std::vector<double>(reference.size(), *bound);
    };
  return operation;
}

std::map<std::string, Tensor> output(const std::vector<double>& values) {
  std::map<std::string, Tensor> outputs;
  outputs.emplace("y", Tensor::from(values, Shape{static_cast<std::int64_t>(values.size())}));
  return outputs;
}

Comparison compared(std::optional<double> bound, const std::vector<double>& got,
                    const std::vector<double>& expected) {
  return compare_outputs(operation_with_bound(bound), {}, output(got), output(expected));
}

TEST(Comparison, TakesWhatLiesWithinTheBound) {
  const Comparison comparison = compared(0.1, {1.0, 2.05}, {1.0, 2.0});
  EXPECT_TRUE(comparison.pass());
  EXPECT_EQ(comparison.reason(), "");
  EXPECT_EQ(comparison.outputs[0].worst_index, 1);
  EXPECT_NEAR(comparison.outputs[0].utilisation(), 0.5, 1e-12);
}

TEST(Comparison, RefusesAllNaN) {
  const Comparison comparison = compared(1e300, {nan_value, nan_value, nan_value}, {0, 1, 2});
  EXPECT_FALSE(comparison.pass());
  EXPECT_EQ(comparison.outputs[0].mismatches, 3);
  EXPECT_EQ(comparison.outputs[0].worst_index, 0);
}

TEST(Comparison, RefusesANumberWhereNaNIsExpected) {
  EXPECT_FALSE(compared(infinite, {0.0}, {nan_value}).pass());
  EXPECT_TRUE(compared(0.0, {nan_value}, {nan_value}).pass());
}

TEST(Comparison, RefusesInfinityForANumberUnderAnyBound) {
  EXPECT_FALSE(compared(infinite, {infinite}, {3.0}).pass());
  EXPECT_FALSE(compared(infinite, {3.0}, {infinite}).pass());
  EXPECT_FALSE(compared(infinite, {-infinite}, {infinite}).pass());
  EXPECT_TRUE(compared(0.0, {-infinite}, {-infinite}).pass());
}

TEST(Comparison, FindsOneZeroedElementInAHundredThousand) {
  std::vector<double> expected(100000, 0.5), got = expected;
  got[77777] = 0;
  const Comparison comparison = compared(1e-6, got, expected);
  ASSERT_FALSE(comparison.pass());
  EXPECT_EQ(comparison.outputs[0].mismatches, 1);
  EXPECT_EQ(comparison.outputs[0].worst_index, 77777);
  EXPECT_EQ(comparison.outputs[0].observed, 0.5);
  EXPECT_NE(comparison.reason().find("y[77777]: got 0, expected 0.5"), std::string::npos)
      << comparison.reason();
}

TEST(Comparison, TheWorstElementIsTheOneThatUsesMostOfItsBound) {
  Operation operation = operation_with_bound(0.0);
  operation.error_bound = [](const Arguments&, std::string_view, std::span<const double>) {
    return std::vector<double>{100.0, 0.001, 1.0};
  };
  const Comparison comparison = compare_outputs(operation, {}, output({10.0, 0.002, 0.5}), output({0, 0, 0}));
  EXPECT_FALSE(comparison.pass());
  EXPECT_EQ(comparison.outputs[0].worst_index, 1);
  EXPECT_NEAR(comparison.outputs[0].utilisation(), 2.0, 1e-12);
}

TEST(Comparison, ABoundThatIsNaNOrNegativeAllowsNothing) {
  EXPECT_FALSE(compared(nan_value, {1.5}, {1.0}).pass());
  EXPECT_FALSE(compared(-1.0, {1.5}, {1.0}).pass());
  EXPECT_TRUE(compared(nan_value, {1.0}, {1.0}).pass());
}

TEST(Comparison, RefusesTooFewBounds) {
  Operation operation = operation_with_bound(0.0);
  operation.error_bound = [](const Arguments&, std::string_view, std::span<const double>) {
    return std::vector<double>{1e9};
  };
  EXPECT_FALSE(compare_outputs(operation, {}, output({1, 2}), output({1, 2})).pass());
}

TEST(Comparison, WithoutABoundEveryBitOfTheValueCounts) {
  EXPECT_TRUE(compared(std::nullopt, {1.0}, {1.0}).pass());
  EXPECT_FALSE(compared(std::nullopt, {std::nextafter(1.0, 2.0)}, {1.0}).pass());
}

TEST(Comparison, IntegersThatRoundToOneDoubleStillDiffer) {
  const std::int64_t large = (std::int64_t{1} << 60) + 1;
  std::map<std::string, Tensor> got, expected;
  got.emplace("counts", Tensor::from(std::vector<std::int64_t>{large}, Shape{1}));
  expected.emplace("counts", Tensor::from(std::vector<std::int64_t>{large - 1}, Shape{1}));
  const Comparison comparison = compare_outputs(operation_with_bound(1e30), {}, got, expected);
  EXPECT_FALSE(comparison.pass());
  EXPECT_TRUE(comparison.outputs[0].equal_required);
  EXPECT_TRUE(compare_outputs(operation_with_bound({}), {}, got, got).pass());
}

TEST(Comparison, NothingComparedIsNoPass) {
  const Comparison comparison = compare_outputs(operation_with_bound(1.0), {}, {}, {});
  EXPECT_FALSE(comparison.pass());
  EXPECT_EQ(comparison.worst(), nullptr);
}

TEST(Comparison, RefusesMissingExtraAndMisshapenOutputs) {
  EXPECT_FALSE(compare_outputs(operation_with_bound(1.0), {}, {}, output({1})).pass());
  EXPECT_FALSE(compare_outputs(operation_with_bound(1.0), {}, output({1}), {}).pass());
  EXPECT_FALSE(compared(1.0, {1, 2}, {1}).pass());
  std::map<std::string, Tensor> integers;
  integers.emplace("y", Tensor::from(std::vector<std::int64_t>{1}, Shape{1}));
  EXPECT_FALSE(compare_outputs(operation_with_bound(1.0), {}, integers, output({1})).pass());
}

TEST(Comparison, ReadsEveryElementType) {
  const std::vector<Half> halves{{0x3C00}, {0xC000}};      // 1, -2
  const std::vector<BFloat16> brains{{0x3F80}, {0xC000}};  // 1, -2
  const std::vector<std::uint8_t> bytes{1, 254};
  const std::vector<float> floats{1.0F, -2.0F};
  EXPECT_EQ(to_doubles(view_of(halves.data(), {2})), (std::vector<double>{1, -2}));
  EXPECT_EQ(to_doubles(view_of(brains.data(), {2})), (std::vector<double>{1, -2}));
  EXPECT_EQ(to_doubles(view_of(floats.data(), {2})), (std::vector<double>{1, -2}));
  EXPECT_EQ(to_doubles(view_of(bytes.data(), {2})), (std::vector<double>{1, 254}));
  const std::vector<std::int32_t> negative{-3};
  const std::vector<std::uint32_t> large{4000000000U};
  EXPECT_EQ(to_doubles(view_of(negative.data(), {1})), (std::vector<double>{-3}));
  EXPECT_EQ(to_doubles(view_of(large.data(), {1})), (std::vector<double>{4e9}));
}

TEST(Comparison, TheWorstOutputIsNamed) {
  std::map<std::string, Tensor> got = output({1.0}), expected = output({1.0});
  got.emplace("z", Tensor::from(std::vector<double>{2.0}, Shape{1}));
  expected.emplace("z", Tensor::from(std::vector<double>{2.5}, Shape{1}));
  const Comparison comparison = compare_outputs(operation_with_bound(1.0), {}, got, expected);
  EXPECT_TRUE(comparison.pass());
  ASSERT_NE(comparison.worst(), nullptr);
  EXPECT_EQ(comparison.worst()->output, "z");
}

}  // namespace
}  // namespace assay
