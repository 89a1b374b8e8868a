// Planted faults of several kinds: the case that is left is the smallest failing shape, with at most 64
// elements that are not 0, in less than a minute, and its replay file brings it back on any backend.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>

#include "validation/replay.hpp"
#include "validation/runner.hpp"
#include "validation/tensors/recipe.hpp"

namespace assay::validation {
namespace {

// Whether a call on this tensor goes wrong: y = x computed by a body with a fault.
using Fault = std::function<bool(const TensorRecipe&, const std::vector<double>&)>;

struct Smallest {
  CheckResult result;
  TensorRecipe recipe;  ///< the last that failed: the smallest
  double seconds = 0;
};

TensorLimits limits_of_test() {
  return {.axes = {{.least = 0, .most = 9}, {.least = 0, .most = 5000, .tiles = {64, 1024}}},
          .types = {DType::f32, DType::f16, DType::bf16},
          .most_offset = 15,
          .most_row_gap = 8};
}

// What the runner makes of a property that has the fault. Several seeds, so that none is lucky.
void expect_smallest(const char* what, const Fault& fault, const Shape& shape,
                     const std::function<void(const TensorRecipe&)>& look = {}) {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    Smallest smallest;
    const Property property{.name = "planted",
                            .summary = "",
                            .body =
                                [&](Probe& probe) {
                                  const TensorRecipe recipe = *tensors(limits_of_test()).as("x");
                                  const bool wrong = fault(recipe, recipe.values());
                                  if (wrong) smallest.recipe = recipe;
                                  probe.expect(!wrong, "y is not x");
                                },
                            .cases = 2000,
                            .backends = {},
                            .negative_control = [](Probe& probe) { probe.expect(false, "planted"); }};
    const auto start = std::chrono::steady_clock::now();
    RunOptions options;
    options.seed = seed;
    options.shrink_seconds = 60;
    smallest.result = run_property({"test.copy", &property, Backend::cpu}, options);
    smallest.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ASSERT_EQ(smallest.result.verdict, Verdict::fail) << what;
    EXPECT_EQ(smallest.recipe.shape, shape) << what << ": " << smallest.result.message;
    EXPECT_LE(smallest.recipe.non_zeros(), 64) << what << ": " << smallest.result.message;
    EXPECT_EQ(smallest.recipe.placement.row_gap, 0) << what << ": " << smallest.result.message;
    EXPECT_LT(smallest.seconds, 60) << what;
    if (look) look(smallest.recipe);
  }
}

TEST(Shrinking, OneWrongElement) {
  // The 100th column of every row has its last bits wrong, which shows where it is not 0.
  expect_smallest(
      "one wrong element",
      [](const TensorRecipe& recipe, const std::vector<double>& x) {
        for (std::int64_t row = 0; row < recipe.shape[0]; ++row)
          if (recipe.shape[1] > 99 && x[static_cast<std::size_t>(row * recipe.shape[1] + 99)] != 0)
            return true;
        return false;
      },
      {1, 100}, [](const TensorRecipe& recipe) { EXPECT_EQ(recipe.non_zeros(), 1); });
}

TEST(Shrinking, ALostTail) {
  // What is left after whole vectors of 8 is never written: it shows whatever is there.
  expect_smallest(
      "a lost tail",
      [](const TensorRecipe& recipe, const std::vector<double>& x) {
        return !x.empty() && recipe.shape[1] % 8 != 0;
      },
      {1, 1}, [](const TensorRecipe& recipe) { EXPECT_EQ(recipe.non_zeros(), 0); });
}

TEST(Shrinking, OneWrongTile) {
  // The second tile of 64 columns takes the place of the first: shows where their elements differ.
  expect_smallest(
      "one wrong tile",
      [](const TensorRecipe& recipe, const std::vector<double>& x) {
        const std::int64_t columns = recipe.shape[1];
        for (std::int64_t i = 0; i < recipe.elements(); ++i) {
          const std::int64_t column = i % columns;
          if (column >= 64 && column < 128 &&
              x[static_cast<std::size_t>(i)] != x[static_cast<std::size_t>(i - 64)])
            return true;
        }
        return false;
      },
      {1, 65}, [](const TensorRecipe& recipe) { EXPECT_EQ(recipe.non_zeros(), 1); });
}

TEST(Shrinking, WrongOnlyForNaN) {
  expect_smallest(
      "wrong for NaN",
      [](const TensorRecipe&, const std::vector<double>& x) {
        return std::any_of(x.begin(), x.end(), [](double value) { return std::isnan(value); });
      },
      {1, 1}, [](const TensorRecipe& recipe) { EXPECT_EQ(recipe.numbers, Numbers::nan); });
}

TEST(Shrinking, WrongOnlyForLargeValues) {
  expect_smallest("wrong for large values",
                  [](const TensorRecipe& recipe, const std::vector<double>& x) {
                    const double large = recipe.type == DType::f16 ? 30000 : 1e38;
                    return std::any_of(x.begin(), x.end(), [&](double value) {
                      return std::isfinite(value) && std::fabs(value) > large;
                    });
                  },
                  {1, 1});
}

TEST(Shrinking, WrongOnlyAboveASize) {
  // More columns than fit, and only if the value of some matters: two far apart have to differ.
  expect_smallest(
      "wrong above a size",
      [](const TensorRecipe& recipe, const std::vector<double>& x) {
        const std::int64_t columns = recipe.shape[1];
        for (std::int64_t row = 0; row < recipe.shape[0]; ++row)
          if (columns > 1500 && x[static_cast<std::size_t>(row * columns)] !=
                                    x[static_cast<std::size_t>((row + 1) * columns - 1)])
            return true;
        return false;
      },
      {1, 1501}, [](const TensorRecipe& recipe) { EXPECT_LE(recipe.non_zeros(), 2); });
}

TEST(Shrinking, WrongOnlyWhereMisaligned) {
  expect_smallest(
      "wrong where misaligned",
      [](const TensorRecipe& recipe, const std::vector<double>& x) {
        return !x.empty() && recipe.placement.offset % 4 != 0;
      },
      {1, 1}, [](const TensorRecipe& recipe) { EXPECT_EQ(recipe.placement.offset, 1); });
}

TEST(Shrinking, ThreeElementsThatOnlyTogetherAreWrong) {
  expect_smallest(
      "three together",
      [](const TensorRecipe& recipe, const std::vector<double>& x) {
        if (recipe.shape[1] < 900) return false;
        int held = 0;
        for (const std::size_t column : {5, 400, 899}) held += x.size() > column && x[column] != 0;
        return held == 3;
      },
      {1, 900}, [](const TensorRecipe& recipe) { EXPECT_EQ(recipe.non_zeros(), 3); });
}

// The file names the backend that failed; the case is the same on another.
TEST(Shrinking, ReplaysOnAnotherBackend) {
  std::vector<Suite> all;
  std::vector<double> seen;
  all.emplace_back("test.copy")
      .property({.name = "planted",
                 .summary = "",
                 .body =
                     [&](Probe& probe) {
                       const TensorRecipe recipe = *tensors(limits_of_test()).as("x");
                       seen = recipe.values();
                       probe.expect(recipe.shape[1] < 70 || recipe.numbers != Numbers::normal, "planted");
                     },
                 .cases = 500,
                 .backends = {},
                 .negative_control = [](Probe& probe) { probe.expect(false, "planted"); }});
  const CheckResult failed = run_property({"test.copy", &all[0].properties()[0], Backend::cpu}, {});
  ASSERT_EQ(failed.verdict, Verdict::fail);
  const std::string folder = testing::TempDir() + "tensor-replay." + std::to_string(::getpid());
  const auto path = write_replay(*failed.replay, folder);
  ASSERT_TRUE(path);
  Replay replay = read_replay(path.value()).value();
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(run_replay(replay, all, {}).value().same);
  const std::vector<double> on_cpu = seen;
  replay.backend = "reference";
  const auto again = run_replay(replay, all, {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again.value().same) << again.value().summary;
  EXPECT_EQ(seen, on_cpu);
}

}  // namespace
}  // namespace assay::validation
