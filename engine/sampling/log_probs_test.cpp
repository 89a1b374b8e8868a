#include "engine/sampling/log_probs.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/runtime/error.hpp"

namespace assay {
namespace {

TEST(SamplingLogProbs, OneCall) {
  // docs: log_probs call
  Context context = Context::cpu();
  const Tensor logits = Tensor::from<float>({0.0f, std::log(5.0f), std::log(2.0f)}, {1, 3});
  const Tensor chosen = Tensor::from<std::int32_t>({0}, {1});
  Tensor ids(DType::i32, {1, 2}), log_probs(DType::f32, {1, 2});
  Tensor chosen_log_prob(DType::f32, {1}), chosen_rank(DType::i32, {1});
  sampling::log_probs(context, logits.view(), std::nullopt, chosen.view(), 2,
                      {ids.view(), log_probs.view(), chosen_log_prob.view(), chosen_rank.view()});
  // docs: end
  EXPECT_EQ(ids.as<std::int32_t>()[0], 1);
  EXPECT_EQ(ids.as<std::int32_t>()[1], 2);
  EXPECT_NEAR(log_probs.as<float>()[0], std::log(5.0 / 8), 1e-6);
  EXPECT_NEAR(chosen_log_prob.as<float>()[0], std::log(1.0 / 8), 1e-6);
  EXPECT_EQ(chosen_rank.as<std::int32_t>()[0], 2);
}

TEST(SamplingLogProbs, WhatIsFarBelowHasItsLogarithm) {
  Context context = Context::cpu(1);
  const Tensor logits = Tensor::from<float>({0, -500, -HUGE_VALF, 3e38F}, {2, 2});
  Tensor ids(DType::i32, {2, 3}), log_probs(DType::f32, {2, 3});
  sampling::log_probs(context, logits.view(), std::nullopt, std::nullopt, 3,
                      {ids.view(), log_probs.view(), {}, {}});
  const auto got = log_probs.as<float>();
  EXPECT_EQ(got[0], 0.0F);
  EXPECT_EQ(got[1], -500.0F);
  EXPECT_EQ(got[4], -HUGE_VALF);
  EXPECT_EQ(ids.as<std::int32_t>()[2], -1);
  EXPECT_EQ(ids.as<std::int32_t>()[4], 0);
}

TEST(SamplingLogProbs, RefusalsSayWhatAndWhere) {
  Context context = Context::cpu(1);
  const Tensor logits = Tensor::from<float>({1, 2}, {1, 2});
  const Tensor beyond = Tensor::from<std::int32_t>({2}, {1});
  Tensor ids(DType::i32, {1, 1}), log_probs(DType::f32, {1, 1});
  Tensor log_prob(DType::f32, {1}), rank(DType::i32, {1});
  const auto refusal = [&](const Tensor* tokens, std::int64_t n, bool with_outputs) -> std::string {
    sampling::LogProbsOutputs to{ids.view(), log_probs.view(), {}, {}};
    if (with_outputs) {
      to.chosen_log_prob = log_prob.view();
      to.chosen_rank = rank.view();
    }
    try {
      sampling::log_probs(context, logits.view(), std::nullopt,
                          tokens == nullptr ? std::nullopt : std::optional<ConstTensorView>(tokens->view()),
                          n, to);
    } catch (const ContractError& error) {
      return error.what();
    }
    return "not refused";
  };
  EXPECT_EQ(refusal(nullptr, 1'025, false), "sampling.log_probs: n: is 1025; expected 1 to 1024");
  EXPECT_EQ(refusal(&beyond, 1, true), "sampling.log_probs: tokens: row 0 has 2; expected at most 1");
  const Tensor sound = Tensor::from<std::int32_t>({1}, {1});
  EXPECT_EQ(
      refusal(&sound, 1, false),
      "sampling.log_probs: tokens: is given without the outputs chosen_log_prob and chosen_rank; expected "
      "both");
}

}  // namespace
}  // namespace assay
