#include "engine/view_checks.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/runtime/error.hpp"

namespace assay {
namespace {

std::string refusal(const std::function<void()>& check) {
  try {
    check();
  } catch (const ContractError& error) {
    return error.what();
  }
  return "";
}

TEST(ViewChecks, TypeRankAndLayout) {
  const std::vector<double> memory(12);
  ConstTensorView view = view_of(memory.data(), {3, 4});
  EXPECT_EQ(refusal([&] { check_view("op", "a", view, DType::f64, 2); }), "");
  EXPECT_EQ(refusal([&] { check_view("op", "a", view, DType::f32, 2); }), "op: a: holds f64; expected f32");
  EXPECT_EQ(refusal([&] { check_view("op", "a", view, DType::f64, 1); }),
            "op: a: has shape (3, 4); expected 1 dimension");
  view.strides = {1, 3};
  EXPECT_EQ(refusal([&] { check_view("op", "a", view, DType::f64, 2); }),
            "op: a: is strided; expected row-major elements");
}

TEST(ViewChecks, ShapeOfAnOutput) {
  std::vector<double> memory(12);
  const TensorView view = view_of(memory.data(), {3, 4});
  EXPECT_EQ(refusal([&] { check_view("op", "a", view, DType::f64, {3, 4}); }), "");
  EXPECT_EQ(refusal([&] {
              check_view("op", "a", view, DType::f64, {4, 3});
            }),
            "op: a: has shape (3, 4); expected (4, 3)");
}

TEST(ViewChecks, MemoryOfTheBackend) {
  const Context context = Context::cpu(1);
  EXPECT_EQ(refusal([&] { check_memory("op", "a", context, MemorySpace::host); }), "");
  EXPECT_EQ(refusal([&] { check_memory("op", "a", context, MemorySpace::device); }),
            "op: a: lies in device memory; expected memory of the cpu backend");
  EXPECT_EQ(refusal([&] { check_on_host("op", "a", MemorySpace::host); }), "");
  EXPECT_EQ(refusal([&] { check_on_host("op", "a", MemorySpace::device); }),
            "op: a: lies in device memory; expected host memory on every backend");
}

TEST(ViewChecks, RowsOfTrials) {
  EXPECT_EQ(refusal([] { check_trial_lengths("op", {}, 9); }), "");
  const std::vector<std::int64_t> good{4, 5}, short_of{4, 4}, huge{4, INT64_MAX};
  EXPECT_EQ(refusal([&] { check_trial_lengths("op", good, 9); }), "");
  EXPECT_EQ(refusal([&] { check_trial_lengths("op", short_of, 9); }),
            "op: trial_lengths: sum to 8; expected the 9 rows");
  EXPECT_EQ(refusal([&] { check_trial_lengths("op", huge, 9); }),
            "op: trial_lengths: sum to more than the 9 rows; expected that sum");
}

TEST(ViewChecks, RowsAreCountedIn32Bits) {
  EXPECT_EQ(refusal([] { check_row_count("op", "a", 2147483647); }), "");
  EXPECT_EQ(refusal([] { check_row_count("op", "a", 2147483648); }),
            "op: a: has 2147483648 rows; expected at most 2147483647");
}

}  // namespace
}  // namespace assay
