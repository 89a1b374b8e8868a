#include "engine/filters/filter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/runtime/error.hpp"
#include "engine/sampling/nucleus_filtering.hpp"
#include "engine/sampling/repetition_penalty.hpp"
#include "engine/sampling/top_k.hpp"

namespace assay {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(Filters, OneCall) {
  // docs: filter call
  Context context = Context::cpu();
  const Tensor logits = Tensor::from<float>({1.0f, 3.0f, 2.0f, 3.0f}, {1, 4});
  const Tensor k = Tensor::from<std::int32_t>({2}, {1});
  Tensor kept(DType::i32, {1}), left(DType::u32, {1, 1}), left_logits(DType::f32, {1, 4});
  sampling::top_k(context, {logits.view(), {}}, k.view(), {kept.view(), left.view(), left_logits.view()});
  // docs: end
  EXPECT_EQ(kept.as<std::int32_t>()[0], 2);
  EXPECT_EQ(left.as<std::uint32_t>()[0], 0b1010u);
  EXPECT_EQ(left_logits.as<float>()[0], -infinity);
  EXPECT_EQ(left_logits.as<float>()[1], 3.0f);
  EXPECT_EQ(left_logits.as<float>()[2], -infinity);
  EXPECT_EQ(left_logits.as<float>()[3], 3.0f);
}

TEST(Filters, OfTwoTokensByHand) {
  // exp(0) : exp(-ln 4) = 4 : 1; at temperature 1/2 it is 16 : 1.
  Context context = Context::cpu(1);
  const Tensor logits = Tensor::from<float>({0, -std::log(4.0f)}, {1, 2});
  const Tensor p = Tensor::from<double>({0.99}, {1}), half = Tensor::from<float>({0.5f}, {1});
  Tensor probabilities(DType::f32, {1, 2}), kept(DType::i32, {1});
  sampling::nucleus_filtering(context, {logits.view(), {}}, {}, p.view(), 1,
                              {probabilities.view(), kept.view()});
  EXPECT_NEAR(probabilities.as<float>()[0], 0.8, 1e-6);
  EXPECT_NEAR(probabilities.as<float>()[1], 0.2, 1e-6);
  sampling::nucleus_filtering(context, {logits.view(), {}}, half.view(), p.view(), 1,
                              {probabilities.view(), kept.view()});
  EXPECT_NEAR(probabilities.as<float>()[1], 1.0 / 17, 1e-6);
  EXPECT_EQ(kept.as<std::int32_t>()[0], 2);
}

std::string refusal(const char* operation, HostArguments arguments) {
  Context context = Context::cpu(1);
  try {
    run_on_host(context, *find_operation(operation), arguments.view());
  } catch (const ContractError& error) {
    return error.what();
  }
  return "not refused";
}

TEST(Filters, RefusalsSayWhatAndWhere) {
  const auto with = [](const char* name, Tensor tensor) {
    HostArguments made;
    made.inputs.emplace("logits", Tensor::from<float>({1, 2, 3}, {1, 3}));
    made.inputs.emplace(name, std::move(tensor));
    return made;
  };
  EXPECT_EQ(refusal("sampling.min_p", with("min_p", Tensor::from<double>({1.5}, {1}))),
            "sampling.min_p: min_p: row 0 has 1.500000; expected at most 1");
  EXPECT_EQ(refusal("sampling.top_p", with("top_p", Tensor::from<double>({0.5, 0.5}, {2}))),
            "sampling.top_p: top_p: has shape (2); expected one value a row, (1)");
  EXPECT_EQ(
      refusal("sampling.repetition_penalty", with("previous", Tensor::from<std::int32_t>({0, 3}, {1, 2}))),
      "sampling.repetition_penalty: previous: row 0 has id 3; expected ids below 3");
  EXPECT_EQ(refusal("sampling.temperature", with("temperature", Tensor::from<float>({-infinity}, {1}))),
            "sampling.temperature: temperature: row 0 has -inf; expected a finite number");
}

TEST(Filters, RefuseOutputsOfAnotherShape) {
  Context context = Context::cpu(1);
  const Tensor logits = Tensor::from<float>({1, 2, 3}, {1, 3});
  const Tensor previous = Tensor::from<std::int32_t>({1}, {1, 1});
  Tensor adjusted(DType::f32, {1, 4});
  try {
    sampling::repetition_penalty(context, {logits.view(), {}}, {previous.view(), {}, {}, {}, {}},
                                 adjusted.view());
    FAIL() << "not refused";
  } catch (const ContractError& error) {
    EXPECT_EQ(error.argument(), "adjusted");
  }
}

TEST(Filters, AnUnknownParameterIsNoneOfAStep) {
  EXPECT_THROW(filters::describe_parameter("topk", false), std::invalid_argument);
}

}  // namespace
}  // namespace assay
