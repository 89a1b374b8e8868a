#include "engine/sampling/argmax.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/runtime/error.hpp"

namespace assay {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(SamplingArgmax, OneCall) {
  // docs: argmax call
  Context context = Context::cpu();
  const Tensor logits = Tensor::from<float>({1.0f, 3.0f, 2.0f, 3.0f}, {1, 4});
  Tensor token(DType::i32, {1}), logit(DType::f32, {1});
  sampling::argmax(context, logits.view(), std::nullopt, token.view(), logit.view());  // token 1, logit 3
  // docs: end
  EXPECT_EQ(token.as<std::int32_t>()[0], 1);
  EXPECT_EQ(logit.as<float>()[0], 3.0F);
}

TEST(SamplingArgmax, RowsWithoutAnyAndInfinities) {
  Context context = Context::cpu(1);
  const Tensor logits = Tensor::from<float>({-infinity, std::nanf(""), -infinity,  //
                                             -0.0F, 0.0F, -1.0F,                   //
                                             5.0F, infinity, infinity},
                                            {3, 3});
  Tensor token(DType::i32, {3}), logit(DType::f32, {3});
  sampling::argmax(context, logits.view(), std::nullopt, token.view(), logit.view());
  const auto tokens = token.as<std::int32_t>();
  EXPECT_EQ(tokens[0], -1);
  EXPECT_EQ(tokens[1], 0);
  EXPECT_EQ(tokens[2], 1);
  EXPECT_EQ(logit.as<float>()[0], -infinity);
  EXPECT_FALSE(std::signbit(logit.as<float>()[1]));
  const Tensor mask = Tensor::from<std::uint32_t>({7, 4, 0xFFFFFFF8u}, {3, 1});
  sampling::argmax(context, logits.view(), mask.view(), token.view(), logit.view());
  EXPECT_EQ(tokens[1], 2);
  EXPECT_EQ(tokens[2], -1);
}

TEST(SamplingArgmax, RefusalsSayWhatAndWhere) {
  Context context = Context::cpu(1);
  const Tensor logits = Tensor::from<float>({1, 2}, {1, 2});
  Tensor token(DType::i32, {2}), logit(DType::f32, {1});
  try {
    sampling::argmax(context, logits.view(), std::nullopt, token.view(), logit.view());
    FAIL() << "not refused";
  } catch (const ContractError& error) {
    EXPECT_EQ(error.operation(), "sampling.argmax");
    EXPECT_EQ(error.argument(), "token");
  }
}

}  // namespace
}  // namespace assay
