#include "engine/sampling/softmax.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/runtime/error.hpp"

namespace assay {
namespace {

TEST(SamplingSoftmax, OneCall) {
  // docs: sampling softmax call
  Context context = Context::cpu();
  const Tensor logits = Tensor::from<float>({0.0f, std::log(2.0f), std::log(5.0f)}, {1, 3});
  Tensor probabilities(DType::f32, {1, 3});
  sampling::softmax(context, logits.view(), std::nullopt, probabilities.view());  // 1/8, 1/4, 5/8
  // docs: end
  const auto p = probabilities.as<float>();
  EXPECT_NEAR(p[0], 0.125, 1e-7);
  EXPECT_NEAR(p[1], 0.25, 1e-7);
  EXPECT_NEAR(p[2], 0.625, 1e-7);
}

TEST(SamplingSoftmax, ARowOfNothingIsAllZeros) {
  Context context = Context::cpu(1);
  const Tensor logits = Tensor::from<float>({-HUGE_VALF, std::nanf(""), 1, 2}, {2, 2});
  const Tensor mask = Tensor::from<std::uint32_t>({3, 0}, {2, 1});
  Tensor probabilities(DType::f32, {2, 2});
  sampling::softmax(context, logits.view(), mask.view(), probabilities.view());
  for (const float p : probabilities.as<float>()) EXPECT_EQ(p, 0.0F);
}

TEST(SamplingSoftmax, RefusalsSayWhatAndWhere) {
  Context context = Context::cpu(1);
  const Tensor logits = Tensor::from<float>({1, 2}, {1, 2});
  Tensor probabilities(DType::f32, {2, 1});
  try {
    sampling::softmax(context, logits.view(), std::nullopt, probabilities.view());
    FAIL() << "not refused";
  } catch (const ContractError& error) {
    EXPECT_EQ(error.operation(), "sampling.softmax");
    EXPECT_EQ(error.argument(), "probabilities");
  }
}

}  // namespace
}  // namespace assay
