#include "reference/tokens/margins.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "reference/sampling/nucleus_filtering.hpp"

namespace assay::reference::tokens {
namespace {

/// Logits of the probabilities 0.1, 0.2, 0.3, 0.4, and so prefix masses 0.4, 0.7, 0.9, 1.
Tokens four() {
  Tokens made;
  for (int id = 0; id < 4; ++id) made.push_back({id, std::log(0.1F * static_cast<float>(id + 1))});
  return made;
}

// Logits in float put each mass within 1e-7 of its name.
constexpr double rounding = 2e-7;

TEST(Margins, OfAMassAreTheDistanceToTheNearestPrefix) {
  EXPECT_NEAR(top_p_margin(four(), 0.45), 0.05, rounding);
  EXPECT_NEAR(top_p_margin(four(), 0.6), 0.1, rounding);
  EXPECT_NEAR(top_p_margin(four(), 0.95), 0.05, rounding);
  EXPECT_NEAR(top_p_margin(four(), 0), 0.4, rounding);  // the first token is kept whatever p is
  EXPECT_EQ(top_p_margin(four(), 1), no_threshold);
  EXPECT_EQ(top_p_margin({}, 0.5), no_threshold);
  EXPECT_EQ(top_p_margin({{0, minus_infinity}, {1, minus_infinity}}, 0.5), no_threshold);
  EXPECT_EQ(top_p_margin({{0, 2}, {1, 2}, {2, 2}, {3, 2}}, 0.5), 0);
}

TEST(Margins, OfMinPAreTheDistanceOfTheNearestLogit) {
  EXPECT_NEAR(min_p_margin(four(), 0.5), 0, rounding);
  EXPECT_NEAR(min_p_margin(four(), 0.6), std::log(0.6 / 0.5), rounding);
  EXPECT_EQ(min_p_margin(four(), 0), no_threshold);
  EXPECT_EQ(min_p_margin({{0, minus_infinity}}, 0.5), no_threshold);
}

TEST(Margins, OfTypicalAlsoSeeTheOrder) {
  // H = 1.2799 nats. Away by 1.0227, 0.3296, 0.0759, 0.3636; masses in that order: 0.3, 0.5, 0.9, 1. For
  // p = 0.45 two are kept, the second, of 0.2, nearer to the entropy than the third, of 0.4.
  double entropy = 0;
  for (const double p : {0.1, 0.2, 0.3, 0.4}) entropy -= p * std::log(p);
  EXPECT_NEAR(typical_margin(four(), 0.45, 2), (entropy + std::log(0.4)) - (-std::log(0.2) - entropy), 2e-6);
  EXPECT_NEAR(typical_margin(four(), 0.49, 2), 0.01, rounding);
  EXPECT_EQ(typical_margin(four(), 1, 4), no_threshold);
}

TEST(NucleusReference, IsRenormalised) {
  const Tensor logits =
      Tensor::from<float>({std::log(0.1F), std::log(0.2F), std::log(0.3F), std::log(0.4F)}, {1, 4});
  const Tensor p = Tensor::from<double>({0.65}, {1});
  Arguments arguments;
  arguments.inputs.emplace("logits", logits.view());
  arguments.inputs.emplace("top_p", p.view());
  arguments.parameters.emplace("min_keep", std::int64_t{1});
  Tensor probabilities(DType::f64, {1, 4}), kept(DType::i32, {1});
  sampling::run_nucleus_filtering(arguments,
                                  {{"probabilities", probabilities.view()}, {"kept", kept.view()}});
  EXPECT_EQ(kept.as<std::int32_t>()[0], 2);
  EXPECT_EQ(probabilities.as<double>()[0], 0);
  EXPECT_EQ(probabilities.as<double>()[1], 0);
  EXPECT_NEAR(probabilities.as<double>()[2], 3.0 / 7, rounding);
  EXPECT_NEAR(probabilities.as<double>()[3], 4.0 / 7, rounding);
}

}  // namespace
}  // namespace assay::reference::tokens
