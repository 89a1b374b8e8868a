// Where no bound is known: an operation is held to twice the error of a plain implementation. No operation in
// the list lacks a bound; those here are planted.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/comparison.hpp"
#include "engine/runtime/philox.hpp"

namespace assay {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

// y = row sums of x (rows, columns), in float; plain: one running sum.
Operation row_sums() {
  Operation operation;
  operation.name = "test.row_sums";
  operation.inputs = {{"x", "numbers", {DType::f32}, "(rows, columns)"}};
  operation.outputs = {{.name = "y", .dtypes = {DType::f32}, .shape = "(rows)", .errors = ErrorModel::plain}};
  operation.output_shapes = [](const Arguments& arguments) {
    return std::vector<OutputShape>{{"y", DType::f32, {arguments.input("x").extent(0)}}};
  };
  operation.plain = [](const Arguments& arguments, const Outputs& outputs) {
    const ConstTensorView& x = arguments.input("x");
    const auto columns = static_cast<std::size_t>(x.extent(1));
    for (std::size_t row = 0; row < static_cast<std::size_t>(x.extent(0)); ++row) {
      float sum = 0;
      for (const float value : x.as<float>().subspan(row * columns, columns)) sum += value;
      outputs.at("y").as<float>()[row] = sum;
    }
  };
  return operation;
}

struct Case {
  Tensor x;
  std::vector<double> exact;
  std::vector<float> plain, pairwise;
};

float pairwise(std::span<const float> values) {
  if (values.size() == 1) return values[0];
  return pairwise(values.first(values.size() / 2)) + pairwise(values.subspan(values.size() / 2));
}

Case draw(std::uint64_t seed, std::int64_t rows = 20, std::int64_t columns = 1000) {
  Philox random(seed);
  std::vector<float> x(static_cast<std::size_t>(rows * columns));
  for (float& value : x) value = static_cast<float>(random.uniform());
  Case made{Tensor::from(x, {rows, columns}), {}, {}, {}};
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto values = std::span<const float>(x).subspan(static_cast<std::size_t>(row * columns),
                                                          static_cast<std::size_t>(columns));
    double exact = 0;
    float plain = 0;
    for (const float value : values) exact += value, plain += value;
    made.exact.push_back(exact);
    made.plain.push_back(plain);
    made.pairwise.push_back(pairwise(values));
  }
  return made;
}

std::string verdict(const Operation& operation, const Case& made, const std::vector<float>& y) {
  Arguments arguments;
  arguments.inputs.emplace("x", std::as_const(made.x).view());
  const auto n = static_cast<std::int64_t>(y.size());
  std::map<std::string, Tensor> got, expected;
  got.emplace("y", Tensor::from(y, {n}));
  expected.emplace("y", Tensor::from(made.exact, {n}));
  return compare_outputs(operation, arguments, got, expected).reason();
}

TEST(PlainComparison, AcceptsWhatIsAsGoodAsThePlainImplementation) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Case made = draw(seed);
    EXPECT_EQ(verdict(row_sums(), made, made.plain), "");
    EXPECT_EQ(verdict(row_sums(), made, made.pairwise), "");
  }
}

TEST(PlainComparison, RejectsThreeTimesItsError) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Case made = draw(seed);
    std::vector<float> worse;
    for (std::size_t i = 0; i < made.plain.size(); ++i)
      worse.push_back(static_cast<float>(made.exact[i] + 3 * (made.plain[i] - made.exact[i])));
    EXPECT_NE(verdict(row_sums(), made, worse).find("elements are wrong"), std::string::npos);
    worse.clear();
    for (std::size_t i = 0; i < made.plain.size(); ++i)
      worse.push_back(static_cast<float>(made.exact[i] + 1.8 * (made.plain[i] - made.exact[i])));
    EXPECT_EQ(verdict(row_sums(), made, worse), "");
  }
}

TEST(PlainComparison, RejectsOneElementLost) {
  const Case made = draw(3);
  std::vector<float> y = made.plain;
  y[7] = 0;
  EXPECT_NE(verdict(row_sums(), made, y).find("y[7]: got 0"), std::string::npos);
}

TEST(PlainComparison, HasAFloorOfOneSpacing) {
  // Small integers: the plain sum is exact.
  Case made = draw(1, 3, 4);
  std::fill(made.x.as<float>().begin(), made.x.as<float>().end(), 2.0f);
  made.exact.assign(3, 8.0);
  std::vector<float> y(3, 8.0f);
  EXPECT_EQ(verdict(row_sums(), made, y), "");
  y[1] = std::nextafter(8.0f, 9.0f);
  EXPECT_EQ(verdict(row_sums(), made, y), "");
  y[1] = std::nextafter(y[1], 9.0f);
  EXPECT_NE(verdict(row_sums(), made, y), "");
}

TEST(PlainComparison, HoldsNonFiniteValuesToTheReference) {
  Case made = draw(1, 4, 8);
  made.x.as<float>()[0] = nan;
  made.x.as<float>()[8] = infinity;
  made.exact[0] = nan;
  made.exact[1] = infinity;
  std::vector<float> y = made.plain;
  y[0] = nan;
  y[1] = infinity;
  EXPECT_EQ(verdict(row_sums(), made, y), "");
  for (const auto& [at, wrong] :
       {std::pair<std::size_t, float>{0, 1.0f}, {1, -infinity}, {1, 1.0f}, {2, nan}}) {
    std::vector<float> broken = y;
    broken[at] = wrong;
    EXPECT_NE(verdict(row_sums(), made, broken), "") << at << " " << wrong;
  }
}

// A plain implementation that overflows measures nothing, and excuses nothing.
TEST(PlainComparison, IsNotExcusedByAnOverflowOfThePlainImplementation) {
  const std::vector<double> reference = {1, 2, 4}, plain = {1, HUGE_VAL, 4};
  const std::vector<double> allowed = allowed_by_plain(reference, plain, {3}, DType::f32);
  EXPECT_EQ(allowed, (std::vector<double>{0x1p-23, 0x1p-22, 0x1p-21}));
}

TEST(PlainComparison, MeasuresEachRowByItsOwnScale) {
  // Errors of 1e-3 of a row's scale, which is 1 in one row and 2^40 in the other.
  const std::vector<double> reference = {1, 1, 0x1p40, 0x1p40}, plain = {1.001, 1, 0x1p40, 0x1p40};
  const std::vector<double> allowed = allowed_by_plain(reference, plain, {2, 2}, DType::f32);
  EXPECT_NEAR(allowed[0], 0.002, 1e-9);
  EXPECT_NEAR(allowed[3], 0.002 * 0x1p40, 1e3);
  // an element that cancelled is held to the rounding of its row, not to its own
  const std::vector<double> cancelled =
      allowed_by_plain(std::vector<double>{1, 1e-9}, std::vector<double>{1, 2e-9}, {2}, DType::f32);
  EXPECT_LT(cancelled[0], 3e-7);
  EXPECT_GT(cancelled[1], 1e-9);
}

TEST(PlainComparison, FloorsFollowTheType) {
  const std::vector<double> zero = {0};
  EXPECT_EQ(allowed_by_plain(zero, zero, {1}, DType::f64)[0], 0x1p-1074);
  EXPECT_EQ(allowed_by_plain(zero, zero, {1}, DType::f32)[0], 0x1p-149);
  EXPECT_EQ(allowed_by_plain(zero, zero, {1}, DType::f16)[0], 0x1p-24);
  EXPECT_EQ(allowed_by_plain(zero, zero, {1}, DType::bf16)[0], 0x1p-133);
  const std::vector<double> three = {-3};
  EXPECT_EQ(allowed_by_plain(three, three, {1}, DType::bf16)[0], 0x1p-6);
}

TEST(PlainComparison, NeedsAPlainImplementation) {
  Operation operation = row_sums();
  operation.plain = {};
  const Case made = draw(1);
  EXPECT_THROW(verdict(operation, made, made.plain), std::logic_error);
}

}  // namespace
}  // namespace assay
