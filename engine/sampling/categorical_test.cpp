#include "engine/sampling/categorical.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/runtime/error.hpp"

namespace assay {
namespace {

TEST(SamplingCategorical, OneCall) {
  // docs: categorical call
  Context context = Context::cpu();
  const Tensor logits = Tensor::from<float>({0.0f, -HUGE_VALF, 0.0f}, {1, 3});  // tokens 0 and 2, as likely
  const Tensor seed = Tensor::from<std::int64_t>({7}, {1}), position = Tensor::from<std::int64_t>({0}, {1});
  Tensor token(DType::i32, {1, 100}), log_prob(DType::f32, {1, 100});
  sampling::categorical(context, {logits.view(), std::nullopt, seed.view(), position.view()}, 100,
                        token.view(), log_prob.view());
  // docs: end
  int first = 0;
  for (const std::int32_t drawn : token.as<std::int32_t>()) {
    EXPECT_TRUE(drawn == 0 || drawn == 2);
    first += drawn == 0 ? 1 : 0;
  }
  EXPECT_GT(first, 20);  // below 21 or above 79 of 100 with probability 2e-9
  EXPECT_LT(first, 80);
  for (const float each : log_prob.as<float>()) EXPECT_NEAR(each, std::log(0.5), 1e-7);
}

TEST(SamplingCategorical, RefusalsSayWhatAndWhere) {
  Context context = Context::cpu(1);
  const Tensor logits = Tensor::from<float>({1, 2}, {1, 2});
  const Tensor one = Tensor::from<std::int64_t>({1}, {1});
  Tensor token(DType::i32, {1, 1}), log_prob(DType::f32, {1, 1});
  try {
    sampling::categorical(context, {logits.view(), std::nullopt, one.view(), one.view()}, 0, token.view(),
                          log_prob.view());
    FAIL() << "not refused";
  } catch (const ContractError& error) {
    EXPECT_STREQ(error.what(), "sampling.categorical: draws: is 0; expected 1 to 65536");
  }
}

}  // namespace
}  // namespace assay
