#include "reference/sampling/chain.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace assay::reference {
namespace {

using tokens::Tokens;

/// Logits of the probabilities 0.1, 0.2, 0.3, 0.4, so that every cut can be worked out by hand.
Tokens four() {
  Tokens made;
  for (int id = 0; id < 4; ++id) made.push_back({id, std::log(0.1F * static_cast<float>(id + 1))});
  return made;
}

std::vector<std::int64_t> ids(const Tokens& tokens) {
  std::vector<std::int64_t> made;
  for (const tokens::Token& token : tokens) made.push_back(token.id);
  return made;
}

using Ids = std::vector<std::int64_t>;

template <typename Step>
Ids left_by(const Step& step) {
  Tokens tokens = four();
  step(tokens);
  return ids(tokens);
}

TEST(SamplingReference, CutsAreThoseOfTheProbabilities) {
  EXPECT_EQ(left_by([](Tokens& t) { tokens::top_k(t, 2); }), (Ids{2, 3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::top_k(t, 0); }), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::top_k(t, 9); }), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::top_p(t, 0.39, 1); }), (Ids{3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::top_p(t, 0.41, 1); }), (Ids{2, 3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::top_p(t, 0.85, 1); }), (Ids{1, 2, 3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::top_p(t, 0, 1); }), (Ids{3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::top_p(t, 0, 3); }), (Ids{1, 2, 3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::top_p(t, 1, 1); }), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::min_p(t, 0.51, 1); }), (Ids{2, 3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::min_p(t, 0.49, 1); }), (Ids{1, 2, 3}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::min_p(t, 0.9, 2); }), (Ids{2, 3}));
  // H = 1.2799 nats; -ln p is 2.3026, 1.6094, 1.2040, 0.9163: away by 1.0227, 0.3295, 0.0759, 0.3636.
  EXPECT_EQ(left_by([](Tokens& t) { tokens::typical(t, 0.25, 1); }), (Ids{2}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::typical(t, 0.45, 1); }), (Ids{1, 2}));
  EXPECT_EQ(left_by([](Tokens& t) { tokens::typical(t, 0.55, 1); }), (Ids{1, 2, 3}));
}

TEST(SamplingReference, LogitsChangeByTheirFormula) {
  Tokens tokens{{0, 2.0F}, {1, -2.0F}, {2, 3.0F}};
  const std::vector<std::int32_t> previous{2, 0, 0, 1, -1};
  tokens::penalties(tokens, previous, 4, 2, 0.25F, 0.5F);  // the oldest, token 2, no longer counts
  EXPECT_EQ(tokens[0].logit, 2.0F / 2 - (2 * 0.5F + 0.25F));
  EXPECT_EQ(tokens[1].logit, -2.0F * 2 - (0.5F + 0.25F));
  EXPECT_EQ(tokens[2].logit, 3.0F);
  tokens::temperature(tokens, 2);
  EXPECT_EQ(tokens[2].logit, 1.5F);
  tokens::temperature(tokens, 0);
  EXPECT_EQ(tokens[2].logit, 1.5F);
  EXPECT_EQ(tokens[0].logit, tokens::minus_infinity);
  EXPECT_EQ(tokens.size(), 3U);
}

TEST(SamplingReference, DrawsByRisingIds) {
  const auto p = tokens::probabilities_of(four());
  EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-15);
  EXPECT_EQ(tokens::drawn(p, 0), 0);
  EXPECT_EQ(tokens::drawn(p, 0.0999), 0);
  EXPECT_EQ(tokens::drawn(p, 0.1001), 1);
  EXPECT_EQ(tokens::drawn(p, 0.5999), 2);
  EXPECT_EQ(tokens::drawn(p, 0.9999), 3);
  EXPECT_EQ(tokens::drawn({0, 0}, 0.5), -1);
}

}  // namespace
}  // namespace assay::reference
