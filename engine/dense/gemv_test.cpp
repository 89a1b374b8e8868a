#include "engine/dense/gemv.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/error.hpp"
#include "engine/tensors/half.hpp"

namespace assay {
namespace {

/// Blocks of Q4_0 with a scale of 0.5 and codes of 8, which stand for 0.
std::vector<std::uint8_t> zeros_of_q4_0(int blocks) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(18 * blocks), 0x88);
  for (int block = 0; block < blocks; ++block) {
    bytes[static_cast<std::size_t>(18 * block)] = 0x00;
    bytes[static_cast<std::size_t>(18 * block + 1)] = 0x38;
  }
  return bytes;
}

TEST(Gemv, OneCall) {
  // docs: gemv call
  Context context = Context::cpu();
  std::vector<std::uint8_t> bytes(18, 0x88);  // a row of one block of Q4_0: a scale, then 32 codes, all 8 ...
  bytes[0] = 0x00;                            // ... but the first; the scale is 0.5 in binary16
  bytes[1] = 0x38;
  bytes[2] = 0x8F;
  const Tensor weights = Tensor::from(bytes, {1, 18});  // 3.5, 0, 0, ...
  const Tensor x = Tensor::from(std::vector<float>(32, 2.0f), {1, 32});
  Tensor y(DType::f32, {1, 1});
  dense::gemv(context, weights.view(), BlockFormat::q4_0, x.view(), std::nullopt, y.view());  // 7
  // docs: end
  EXPECT_EQ(y.as<float>()[0], 7.0f);
}

TEST(Gemv, HalvesAndABias) {
  Context context = Context::cpu(1);
  std::vector<std::uint8_t> bytes = zeros_of_q4_0(4);
  bytes[2] = 0x8F;           // row 0, element 0: 3.5
  bytes[3 * 18 + 3] = 0x08;  // row 1, element 32 + 17: -4
  const Tensor weights = Tensor::from(bytes, {2, 36});
  std::vector<Half> values(2 * 64);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = to_half(static_cast<float>(i));
  const Tensor x = Tensor::from(values, {2, 64});
  const Tensor bias = Tensor::from<float>({10, 20}, {2});
  Tensor y(DType::f32, {2, 2});
  dense::gemv(context, weights.view(), BlockFormat::q4_0, x.view(), bias.view(), y.view());
  EXPECT_EQ(y.as<float>()[0], 10.0f);
  EXPECT_EQ(y.as<float>()[1], 20.0f - 4 * 49);
  EXPECT_EQ(y.as<float>()[2], 10.0f + 3.5f * 64);
  EXPECT_EQ(y.as<float>()[3], 20.0f - 4 * (64 + 49));
}

TEST(Gemv, NoColumnsGiveTheBiasAndNoRowsOrVectorsNothing) {
  Context context = Context::cpu(1);
  const Tensor nothing(DType::u8, {2, 0});
  const Tensor x(DType::f32, {1, 0});
  const Tensor bias = Tensor::from<float>({3, -4}, {2});
  Tensor y = Tensor::from<float>({7, 7}, {1, 2});
  dense::gemv(context, nothing.view(), BlockFormat::q6_k, x.view(), bias.view(), y.view());
  EXPECT_EQ(y.as<float>()[0], 3.0f);
  EXPECT_EQ(y.as<float>()[1], -4.0f);
  dense::gemv(context, nothing.view(), BlockFormat::q6_k, x.view(), std::nullopt, y.view());
  EXPECT_EQ(y.as<float>()[0], 0.0f);
  const Tensor no_rows(DType::u8, {0, 18});
  const Tensor one(DType::f32, {1, 32});
  Tensor none(DType::f32, {1, 0});
  EXPECT_NO_THROW(
      dense::gemv(context, no_rows.view(), BlockFormat::q4_0, one.view(), std::nullopt, none.view()));
}

TEST(Gemv, RefusesWhatItsContractRefuses) {
  Context context = Context::cpu(1);
  const Tensor weights(DType::u8, {3, 36});
  const Tensor x(DType::f32, {2, 64});
  Tensor y(DType::f32, {2, 3});
  const auto refusal = [&](const ConstTensorView& w, BlockFormat format, const ConstTensorView& activations,
                           const std::optional<ConstTensorView>& bias, const TensorView& to) -> std::string {
    try {
      dense::gemv(context, w, format, activations, bias, to);
    } catch (const ContractError& error) {
      return error.what();
    }
    return "accepted";
  };
  const auto q4_0 = BlockFormat::q4_0;
  EXPECT_EQ(refusal(weights.view(), q4_0, x.view(), std::nullopt, y.view()), "accepted");
  EXPECT_EQ(refusal(weights.view(), BlockFormat::q4_k, x.view(), std::nullopt, y.view()),
            "dense.gemv: columns: is 64; expected a multiple of 256, the block length of Q4_K");
  EXPECT_EQ(refusal(weights.view(), BlockFormat::q8_0, x.view(), std::nullopt, y.view()),
            "dense.gemv: weights: has rows of 36 bytes; expected 68, which 64 columns have in Q8_0");
  const Tensor integers(DType::i32, {2, 64});
  EXPECT_EQ(refusal(weights.view(), q4_0, integers.view(), std::nullopt, y.view()),
            "dense.gemv: x: holds i32; expected f32 or f16");
  const Tensor vector(DType::f32, {64});
  EXPECT_EQ(refusal(weights.view(), q4_0, vector.view(), std::nullopt, y.view()),
            "dense.gemv: x: has shape (64); expected (batch, columns)");
  const Tensor nine(DType::f32, {9, 64});
  EXPECT_EQ(refusal(weights.view(), q4_0, nine.view(), std::nullopt, y.view()),
            "dense.gemv: x: has 9 vectors; expected at most 8");
  ConstTensorView transposed = x.view();
  transposed.strides = {1, 2};
  EXPECT_EQ(refusal(weights.view(), q4_0, transposed, std::nullopt, y.view()),
            "dense.gemv: x: has column stride 2; expected 1");
  ConstTensorView overlapping = x.view();
  overlapping.strides = {63, 1};
  EXPECT_EQ(refusal(weights.view(), q4_0, overlapping, std::nullopt, y.view()),
            "dense.gemv: x: has row stride 63; expected at least its 64 columns");
  const Tensor bias = Tensor::from<float>({1, 2}, {2});
  EXPECT_EQ(refusal(weights.view(), q4_0, x.view(), bias.view(), y.view()),
            "dense.gemv: bias: has 2 elements; expected one for each of 3 rows");
  Tensor other(DType::f32, {3, 2});
  EXPECT_NE(refusal(weights.view(), q4_0, x.view(), std::nullopt, other.view()).find("dense.gemv: y: "),
            std::string::npos);
}

TEST(Gemv, TheBoundCoversTheMinimaThatAreSubtracted) {
  // One block of Q4_1 whose elements are 1 * 8 - 8: no weight is left, but its two terms were rounded.
  std::vector<std::uint8_t> bytes(20, 0x88);
  bytes[0] = 0x00;
  bytes[1] = 0x3C;
  bytes[2] = 0x00;
  bytes[3] = 0xC8;
  Arguments arguments;
  const Tensor weights = Tensor::from(bytes, {1, 20});
  const Tensor x = Tensor::from(std::vector<float>(32, 1.0f), {1, 32});
  arguments.inputs = {{"weights", weights.view()}, {"x", x.view()}};
  arguments.parameters["format"] = std::string("Q4_1");
  const std::vector<double> zero = {0.0};
  const double allowed = dense::describe_gemv().error_bound(arguments, "y", zero).at(0);
  EXPECT_GT(allowed, 32 * 16 * 0x1p-23);
  EXPECT_LT(allowed, 200 * 32 * 16 * 0x1p-23);
}

}  // namespace
}  // namespace assay
