#include "validation/tensors/recipe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

namespace assay::validation {
namespace {

TEST(Edges, SurroundTheTiles) {
  const std::vector<std::int64_t> edges = edges_of({.least = 0, .most = 300, .tiles = {32, 128}});
  EXPECT_EQ(edges, (std::vector<std::int64_t>{0, 1, 2, 3, 31, 32, 33, 37, 63, 64, 65, 127, 128, 129, 131, 255,
                                              256, 257, 300}));
  EXPECT_EQ(edges_of({.least = 2, .most = 4}), (std::vector<std::int64_t>{2, 3, 4}));
}

TEST(TensorRecipes, GiveTheSameNumbersForTheSamePlaceOfALargerTensor) {
  for (const Numbers numbers : {Numbers::normal, Numbers::wide, Numbers::subnormal}) {
    const TensorRecipe whole{.shape = {3, 5, 7}, .numbers = numbers, .seed = 4};
    const TensorRecipe part{.shape = {2, 3, 4}, .numbers = numbers, .seed = 4, .origin = {1, 1, 3}};
    const std::vector<double> all = whole.values(), some = part.values();
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 3; ++j)
        for (int k = 0; k < 4; ++k)
          EXPECT_EQ(some[(i * 3 + j) * 4 + k], all[((i + 1) * 5 + j + 1) * 7 + k + 3]);
    EXPECT_GT(std::set<double>(all.begin(), all.end()).size(), 60u);  // of 105, some of them 0
  }
}

TEST(TensorRecipes, KeepOnlyTheElementsNamed) {
  TensorRecipe recipe{.shape = {4, 5}, .numbers = Numbers::normal};
  const std::vector<double> all = recipe.values();
  recipe.kept = {3, 11};
  const std::vector<double> held = recipe.values();
  for (std::size_t i = 0; i < held.size(); ++i) EXPECT_EQ(held[i], i == 3 || i == 11 ? all[i] : 0);
  EXPECT_EQ(recipe.non_zeros(), 2);
}

TEST(TensorRecipes, ScaleStaysFinite) {
  TensorRecipe recipe{.type = DType::f16, .shape = {50}, .numbers = Numbers::normal, .exponent = 15};
  for (const double value : recipe.values()) EXPECT_LE(std::fabs(value), 65504);
  recipe.exponent = 3;
  const std::vector<double> scaled = recipe.values();
  recipe.exponent = 0;
  const std::vector<double> plain = recipe.values();
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(scaled[i], 8 * plain[i]);
  recipe.powers_of_two = true;
  for (const double value : recipe.values()) EXPECT_EQ(std::fabs(value), std::exp2(std::ilogb(value)));
}

TEST(TensorRecipes, SayWhatTheyAre) {
  std::ostringstream out;
  out << TensorRecipe{.type = DType::bf16,
                      .shape = {2, 65},
                      .numbers = Numbers::normal,
                      .seed = 5,
                      .origin = {0, 3},
                      .exponent = -2,
                      .kept = {{0, 1, 2, 9}},
                      .powers_of_two = true,
                      .placement = {1, 4}};
  EXPECT_EQ(
      out.str(),
      "(2, 65) bf16 normal, seed 5, cut out at (0, 3), times 2^-2, cut down to powers of two, 0 but for "
      "elements 0 to 2, 9, begins 1 elements off, rows 4 elements apart");
}

TEST(TensorRecipes, AreDrawnWithinTheirLimits) {
  TensorLimits limits{.axes = {{.least = 1, .most = 9}, {.least = 0, .most = 5000, .tiles = {1024}}},
                      .types = {DType::f32, DType::f16},
                      .most_elements = 20'000,
                      .most_offset = 7,
                      .most_row_gap = 3};
  const auto generator = tensors(limits);
  rc::Random random(11);
  int of_class[number_classes] = {}, at_tile = 0, apart = 0, off = 0;
  for (int i = 0; i < 2000; ++i) {
    const TensorRecipe recipe = generator(random.split(), 10).value();
    ASSERT_EQ(recipe.shape.size(), 2u);
    ASSERT_TRUE(recipe.shape[0] >= 1 && recipe.shape[0] <= 9);
    ASSERT_TRUE(recipe.shape[1] >= 0 && recipe.shape[1] <= 5000);
    ASSERT_LE(recipe.elements(), 20'000);
    ASSERT_TRUE(recipe.placement.offset <= 7 && recipe.placement.row_gap <= 3);
    ++of_class[static_cast<int>(recipe.numbers)];
    at_tile += std::abs(recipe.shape[1] - 1024) <= 1;
    apart += recipe.placement.row_gap > 0;
    off += recipe.placement.offset > 0;
  }
  for (const int held : of_class) EXPECT_GT(held, 100);
  EXPECT_GT(at_tile, 100);
  EXPECT_GT(apart, 500);
  EXPECT_GT(off, 500);
}

TEST(TensorRecipes, EveryShrinkIsSimpler) {
  const TensorLimits limits{.axes = {{.least = 1, .most = 9}, {.least = 1, .most = 300, .tiles = {64}}}};
  const TensorRecipe recipe{.shape = {4, 200},
                            .numbers = Numbers::normal,
                            .seed = 20,
                            .exponent = 3,
                            .placement = {.offset = 5, .row_gap = 2}};
  const auto weight = [](const TensorRecipe& r) {
    return std::tuple(r.elements(), r.placement.offset + r.placement.row_gap, r.non_zeros(),
                      static_cast<int>(r.numbers) + std::abs(r.exponent) + !r.powers_of_two,
                      static_cast<double>(r.seed));
  };
  const auto candidates = simpler(recipe, limits);
  EXPECT_GT(candidates.size(), 100u);
  for (const TensorRecipe& candidate : candidates) {
    EXPECT_LT(weight(candidate), weight(recipe)) << candidate;
    EXPECT_TRUE(candidate.shape[0] >= 1 && candidate.shape[1] >= 1);
  }
  EXPECT_EQ(candidates.front().shape, (Shape{1, 200}));  // the shape first
}

// An element that is kept stays the same element when the shape around it is cut.
TEST(TensorRecipes, CutsFollowTheElementsThatAreKept) {
  TensorLimits limits{.axes = {{.least = 1, .most = 9}, {.least = 1, .most = 50}}};
  TensorRecipe recipe{.shape = {3, 20}, .numbers = Numbers::normal, .kept = {{2 * 20 + 17}}};
  const double value = recipe.values()[57];
  int followed = 0;
  for (const TensorRecipe& candidate : simpler(recipe, limits)) {
    if (candidate.shape == recipe.shape || candidate.kept->empty()) continue;
    const std::vector<double> held = candidate.values();
    EXPECT_EQ(std::count(held.begin(), held.end(), value), 1) << candidate;
    ++followed;
  }
  EXPECT_GT(followed, 5);
}

}  // namespace
}  // namespace assay::validation
