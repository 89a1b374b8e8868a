#include "engine/sampling/chain.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "engine/runtime/error.hpp"

namespace assay {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct Result {
  std::map<std::string, Tensor> outputs;
  std::int32_t token(std::size_t row) const { return outputs.at("token").as<std::int32_t>()[row]; }
  std::int32_t kept(std::size_t row) const { return outputs.at("kept").as<std::int32_t>()[row]; }
};

HostArguments call(const std::vector<float>& logits, std::int64_t rows, const std::string& order) {
  HostArguments made;
  made.inputs.emplace("logits",
                      Tensor::from<float>(logits, {rows, static_cast<std::int64_t>(logits.size()) / rows}));
  made.inputs.emplace("seed", Tensor::from<std::int64_t>(
                                  std::vector<std::int64_t>(static_cast<std::size_t>(rows), 7), {rows}));
  made.inputs.emplace("position", Tensor::from<std::int64_t>(
                                      std::vector<std::int64_t>(static_cast<std::size_t>(rows), 0), {rows}));
  made.parameters = {{"order", order}};
  return made;
}

Result run(const HostArguments& arguments) {
  Context context = Context::cpu(1);
  return {run_on_host(context, *find_operation("sampling.chain"), arguments.view())};
}

TEST(SamplingChain, OneCall) {
  // docs: sampling call
  Context context = Context::cpu();
  const Tensor logits = Tensor::from<float>({1.0f, 3.0f, 2.0f, -1.0f}, {1, 4});
  const Tensor top_k = Tensor::from<std::int32_t>({2}, {1});
  const Tensor temperature = Tensor::from<float>({0.8f}, {1});
  const Tensor seed = Tensor::from<std::int64_t>({7}, {1}), position = Tensor::from<std::int64_t>({0}, {1});
  Tensor token(DType::i32, {1}), log_prob(DType::f32, {1}), kept(DType::i32, {1});
  sampling::ChainInputs inputs{logits.view()};
  inputs.top_k = top_k.view();
  inputs.temperature = temperature.view();
  inputs.seed = seed.view();
  inputs.position = position.view();
  sampling::chain(context, inputs, "top_k,temperature", 1,
                  {token.view(), log_prob.view(), kept.view(), {}, {}});
  // docs: end
  EXPECT_EQ(kept.as<std::int32_t>()[0], 2);
  const std::int32_t drawn = token.as<std::int32_t>()[0];
  EXPECT_TRUE(drawn == 1 || drawn == 2);
  const double away = drawn == 1 ? 0.0 : -1.0 / 0.8;
  EXPECT_NEAR(log_prob.as<float>()[0], away - std::log(1 + std::exp(-1.0 / 0.8)), 1e-6);
}

TEST(SamplingChain, RowsThatHoldNothingGiveNoToken) {
  const Result result = run(call({-infinity, -infinity, std::nanf(""), 1.0F, -infinity, -infinity}, 2, ""));
  EXPECT_EQ(result.token(0), -1);
  EXPECT_EQ(result.token(1), 0);
  EXPECT_EQ(result.kept(0), 3);
  EXPECT_EQ(result.outputs.at("log_prob").as<float>()[0], -infinity);
  EXPECT_EQ(result.outputs.at("log_prob").as<float>()[1], 0.0F);
  HostArguments nothing_allowed = call({1, 2, 3}, 1, "");
  nothing_allowed.inputs.emplace("mask", Tensor::from<std::uint32_t>({0xFFFFFFF8u}, {1, 1}));
  EXPECT_EQ(run(nothing_allowed).token(0), -1);
  EXPECT_EQ(run(nothing_allowed).kept(0), 0);
}

TEST(SamplingChain, StepsMayComeTwiceAndInAnyOrder) {
  HostArguments twice = call({4, 3, 2, 1}, 1, "top_k,temperature,top_k");
  twice.inputs.emplace("top_k", Tensor::from<std::int32_t>({3}, {1}));
  twice.inputs.emplace("temperature", Tensor::from<float>({0.0F}, {1}));
  EXPECT_EQ(run(twice).kept(0), 3);
  EXPECT_EQ(run(twice).token(0), 0);
}

/// "argument: expected" of the refusal.
std::string refusal(const HostArguments& arguments) {
  try {
    run(arguments);
  } catch (const ContractError& error) {
    return error.what();
  }
  return "not refused";
}

TEST(SamplingChain, RefusalsSayWhatAndWhere) {
  const auto with = [](const char* name, Tensor tensor, const std::string& order) {
    HostArguments made = call({1, 2, 3}, 1, order);
    made.inputs.erase(name);
    made.inputs.emplace(name, std::move(tensor));
    return made;
  };
  EXPECT_EQ(refusal(with("min_p", Tensor::from<double>({1.5}, {1}), "min_p")),
            "sampling.chain: min_p: row 0 has 1.500000; expected at most 1");
  EXPECT_EQ(refusal(with("temperature", Tensor::from<float>({infinity}, {1}), "temperature")),
            "sampling.chain: temperature: row 0 has inf; expected a finite number");
  EXPECT_EQ(refusal(with("top_k", Tensor::from<std::int64_t>({1}, {1}), "top_k")),
            "sampling.chain: top_k: holds i64; expected i32");
  EXPECT_EQ(refusal(with("logits", Tensor::from<double>({1, 2}, {1, 2}), "")),
            "sampling.chain: logits: holds f64; expected f32 or f16 or bf16");
  EXPECT_EQ(refusal(call({1, 2, 3}, 1, "top_k")), "sampling.chain: top_k: is missing; the order asks for it");
  EXPECT_EQ(
      refusal(call({1, 2, 3}, 1, "topk")),
      "sampling.chain: order: names a step 'topk'; expected some of penalties, bias, temperature, top_k, "
      "top_p, min_p, typical");
  EXPECT_EQ(refusal(with("mask", Tensor::from<std::uint32_t>({1, 2}, {1, 2}), "")),
            "sampling.chain: mask: has shape (1, 2); expected a contiguous (1, 1)");
  HostArguments beyond = with("previous", Tensor::from<std::int32_t>({0, 3}, {1, 2}), "penalties");
  EXPECT_EQ(refusal(beyond), "sampling.chain: previous: row 0 has id 3; expected ids below 3");
}

}  // namespace
}  // namespace assay
