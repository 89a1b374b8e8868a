#include "engine/llm/gguf/quantize_plan.hpp"

#include <gtest/gtest.h>

#include <map>

#include "engine/llm/gguf/test_writer.hpp"

namespace assay::gguf {
namespace {

/// A file of tensors without meaning, and its plan by name.
class Planned {
 public:
  Planned& tensor(const std::string& name, const std::vector<std::uint64_t>& shape,
                  TensorType type = TensorType::f32) {
    std::uint64_t elements = 1;
    for (const std::uint64_t extent : shape) elements *= extent;
    const TensorTypeInfo& info = info_of(type);
    writer_.tensor(name, shape, type, std::string(elements / info.block_length * info.block_bytes, '\0'));
    return *this;
  }
  Result<QuantizePlan> plan(TensorType type, std::optional<TensorType> output = std::nullopt) {
    bytes_ = writer_.bytes();
    files_.emplace(ModelFiles::alone(File::parse("m.gguf", bytes_).value()));
    return plan_quantization(*files_, type, output);
  }
  std::map<std::string, std::pair<TensorType, PlanReason>> of(
      TensorType type, std::optional<TensorType> output = std::nullopt) {
    std::map<std::string, std::pair<TensorType, PlanReason>> made;
    const Result<QuantizePlan> planned = plan(type, output);
    for (const PlannedTensor& each : planned.value().tensors)
      made.emplace(each.tensor->name, std::pair{each.type, each.reason});
    return made;
  }

 private:
  TestWriter writer_;
  std::string bytes_;
  std::optional<ModelFiles> files_;
};

TEST(QuantizePlan, TakesMatricesOfWeightsAndKeepsTheRest) {
  Planned files;
  files.tensor("token_embd.weight", {256, 4})
      .tensor("output_norm.weight", {256})
      .tensor("output.weight", {256, 4});
  files.tensor("blk.0.attn_q.weight", {256, 2}, TensorType::f16).tensor("blk.0.attn_q.bias", {256, 2});
  files.tensor("blk.0.attn_norm.weight", {256, 2}).tensor("blk.0.ffn_gate_inp.weight", {256, 2});
  files.tensor("blk.0.ffn_up_exps.weight", {256, 2, 3}).tensor("position_embd.weight", {256, 2});
  files.tensor("blk.0.column.weight", {256, 1}).tensor("blk.0.table.weight", {256, 2}, TensorType::i32);
  files.tensor("blk.0.done.weight", {256, 2}, TensorType::q4_K).tensor("blk.0.ssm_conv1d.weight", {256, 2});
  const auto plan = files.of(TensorType::q4_K);
  const auto quantized = std::pair{TensorType::q4_K, PlanReason::quantized};
  const auto kept = std::pair{TensorType::f32, PlanReason::kept};
  EXPECT_EQ(plan.at("token_embd.weight"), quantized);
  EXPECT_EQ(plan.at("output.weight"), quantized);
  EXPECT_EQ(plan.at("blk.0.attn_q.weight"), quantized);
  EXPECT_EQ(plan.at("blk.0.ffn_up_exps.weight"), quantized);
  for (const char* name :
       {"output_norm.weight", "blk.0.attn_q.bias", "blk.0.attn_norm.weight", "blk.0.ffn_gate_inp.weight",
        "position_embd.weight", "blk.0.column.weight", "blk.0.ssm_conv1d.weight"})
    EXPECT_EQ(plan.at(name), kept) << name;
  EXPECT_EQ(plan.at("blk.0.table.weight"), std::pair(TensorType::i32, PlanReason::kept));
  EXPECT_EQ(plan.at("blk.0.done.weight"), std::pair(TensorType::q4_K, PlanReason::same_type));
}

TEST(QuantizePlan, FallsBackWhereRowsFillNoBlocks) {
  Planned files;
  files.tensor("a.weight", {2880, 2})
      .tensor("b.weight", {100, 2})
      .tensor("c.weight", {2880, 2}, TensorType::q5_0);
  const auto q4_k = files.of(TensorType::q4_K);
  EXPECT_EQ(q4_k.at("a.weight"), std::pair(TensorType::q5_0, PlanReason::fallback));
  EXPECT_EQ(q4_k.at("b.weight"), std::pair(TensorType::f16, PlanReason::fallback));
  EXPECT_EQ(q4_k.at("c.weight"), std::pair(TensorType::q5_0, PlanReason::same_type));
  const auto q6_k = files.of(TensorType::q6_K);
  EXPECT_EQ(q6_k.at("a.weight"), std::pair(TensorType::q8_0, PlanReason::fallback));
  const auto q8_0 = files.of(TensorType::q8_0);
  EXPECT_EQ(q8_0.at("a.weight"), std::pair(TensorType::q8_0, PlanReason::quantized));
  EXPECT_EQ(q8_0.at("b.weight"), std::pair(TensorType::f16, PlanReason::fallback));
  const Result<QuantizePlan> plan = files.plan(TensorType::q4_K);
  EXPECT_EQ(plan.value().count(PlanReason::fallback), 2U);
  EXPECT_EQ(plan.value().tensors[0].bytes(), 2880 / 32 * 22 * 2U);
  EXPECT_EQ(plan.value().requantized(), 0U);
  EXPECT_EQ(files.plan(TensorType::q8_0).value().requantized(), 1U);
}

TEST(QuantizePlan, TheOutputMayHaveAnotherType) {
  Planned tied;
  tied.tensor("token_embd.weight", {256, 4}).tensor("blk.0.attn_q.weight", {256, 2});
  const auto with_tied = tied.of(TensorType::q4_0, TensorType::q6_K);
  EXPECT_EQ(with_tied.at("token_embd.weight").first, TensorType::q6_K);
  EXPECT_EQ(with_tied.at("blk.0.attn_q.weight").first, TensorType::q4_0);
  Planned own;
  own.tensor("token_embd.weight", {256, 4}).tensor("output.weight", {256, 2});
  const auto with_own = own.of(TensorType::q4_0, TensorType::q6_K);
  EXPECT_EQ(with_own.at("token_embd.weight").first, TensorType::q4_0);
  EXPECT_EQ(with_own.at("output.weight").first, TensorType::q6_K);
}

TEST(QuantizePlan, RefusesWhatIsNotDecoded) {
  Planned files;
  files.tensor("a.weight", {256, 2}, TensorType::iq1_s);
  const Result<QuantizePlan> plan = files.plan(TensorType::q4_0);
  ASSERT_FALSE(plan);
  EXPECT_EQ(
      plan.error().message,
      "m.gguf: tensor 'a.weight' has type iq1_s, which is not decoded, expected floats or a type that is");
}

TEST(QuantizePlan, TypesByName) {
  EXPECT_EQ(quantize_type_named("Q4_K").value(), TensorType::q4_K);
  EXPECT_EQ(quantize_type_named("mxfp4").value(), TensorType::mxfp4);
  EXPECT_EQ(quantize_type_named("f16").value(), TensorType::f16);
  const std::string expected = ", expected one of Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q6_K, MXFP4, F16";
  EXPECT_EQ(quantize_type_named("IQ2_XXS").error().message,
            "'IQ2_XXS' needs an importance matrix, which is not read here" + expected);
  EXPECT_EQ(quantize_type_named("Q4_K_M").error().message,
            "'Q4_K_M' is a mixture of types, which is not made" + expected);
  EXPECT_EQ(quantize_type_named("Q2_K").error().message, "'Q2_K' is a type that is not written" + expected);
  EXPECT_EQ(quantize_type_named("q9").error().message, "'q9' is no type" + expected);
  EXPECT_EQ(quantize_type_named("").error().message, "'' is no type" + expected);
}

}  // namespace
}  // namespace assay::gguf
