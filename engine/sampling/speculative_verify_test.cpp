#include "engine/sampling/speculative_verify.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/runtime/error.hpp"

namespace assay {
namespace {

TEST(SamplingSpeculativeVerify, OneCall) {
  // docs: speculative call
  Context context = Context::cpu();
  // Two steps drafted: the first is sure to be taken, the second is impossible to the target.
  const Tensor target = Tensor::from<float>({-HUGE_VALF, 0, -HUGE_VALF,  //
                                             0, -HUGE_VALF, -HUGE_VALF,  //
                                             0, 0, 0},
                                            {1, 3, 3});
  const Tensor draft = Tensor::from<float>({0, 2, 0, 0, 0, 0}, {1, 2, 3});
  const Tensor drafted = Tensor::from<std::int32_t>({1, 2}, {1, 2});
  const Tensor seed = Tensor::from<std::int64_t>({7}, {1}), position = Tensor::from<std::int64_t>({0}, {1});
  Tensor tokens(DType::i32, {1, 3}), accepted(DType::i32, {1});
  sampling::speculative_verify(
      context, {target.view(), draft.view(), drafted.view(), seed.view(), position.view(), {}}, tokens.view(),
      accepted.view());  // tokens 1, 0, -1; accepted 1
  // docs: end
  const auto got = tokens.as<std::int32_t>();
  EXPECT_EQ(accepted.as<std::int32_t>()[0], 1);
  EXPECT_EQ(got[0], 1);
  EXPECT_EQ(got[1], 0);
  EXPECT_EQ(got[2], -1);
}

TEST(SamplingSpeculativeVerify, RefusalsSayWhatAndWhere) {
  Context context = Context::cpu(1);
  const Tensor target = Tensor::from<float>({1, 2, 3, 4}, {1, 2, 2}),
               draft = Tensor::from<float>({1, 2}, {1, 1, 2});
  const Tensor one = Tensor::from<std::int64_t>({1}, {1});
  const auto refusal = [&](const Tensor& of_target, std::int32_t token, std::int32_t length) -> std::string {
    const Tensor token_of = Tensor::from<std::int32_t>({token}, {1, 1});
    const Tensor lengths = Tensor::from<std::int32_t>({length}, {1});
    Tensor tokens(DType::i32, {1, 2}), accepted(DType::i32, {1});
    try {
      sampling::speculative_verify(
          context, {of_target.view(), draft.view(), token_of.view(), one.view(), one.view(), lengths.view()},
          tokens.view(), accepted.view());
    } catch (const ContractError& error) {
      return error.what();
    }
    return "not refused";
  };
  EXPECT_EQ(refusal(target, 1, 1), "not refused");
  EXPECT_EQ(refusal(target, 2, 0), "not refused");  // what does not count is not looked at
  EXPECT_EQ(refusal(target, 2, 1),
            "sampling.speculative_verify: draft_tokens: row 0 has id 2 at step 0; expected ids from 0 to 1");
  EXPECT_EQ(refusal(target, 1, 2), "sampling.speculative_verify: drafted: row 0 has 2; expected 0 to 1");
  EXPECT_EQ(refusal(draft, 1, 1),
            "sampling.speculative_verify: target_logits: has shape (1, 1, 2); expected one step more than "
            "draft_logits, (1, 2, 2)");
}

}  // namespace
}  // namespace assay
