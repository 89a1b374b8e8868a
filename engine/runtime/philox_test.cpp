#include "engine/runtime/philox.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

namespace assay {
namespace {

// Random123's known answers for philox4x32-10 (tests/kat_vectors).
TEST(Philox, KnownAnswers) {
  struct Answer {
    PhiloxBlock counter;
    std::uint32_t key_0, key_1;
    PhiloxBlock expected;
  };
  const Answer answers[] = {
      {{{0, 0, 0, 0}}, 0, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
      {{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
       0xffffffff,
       0xffffffff,
       {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
      {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
       0xa4093822,
       0x299f31d0,
       {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}},
  };
  for (const Answer& answer : answers) {
    const PhiloxBlock block = philox(answer.counter, answer.key_0, answer.key_1);
    for (int word = 0; word < 4; ++word) EXPECT_EQ(block.words[word], answer.expected.words[word]);
  }
}

TEST(Philox, TheSeedIsTheKeyAndStreamAndBlockAreTheCounter) {
  Philox random(0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3243f6a88u);
  EXPECT_EQ(random.next_u32(), 0xd16cfe09u);
  EXPECT_EQ(random.next_u64(), 0x5001e42094fdccebu);
  EXPECT_EQ(random.next_u32(), 0x24126ea1u);
}

TEST(Philox, APositionCanBeEnteredDirectly) {
  Philox whole(5, 9);
  for (int word = 0; word < 4 * 3; ++word) whole.next_u32();
  Philox entered(5, 9, 3);
  for (int word = 0; word < 20; ++word) EXPECT_EQ(whole.next_u32(), entered.next_u32());
}

TEST(Philox, SeedsAndStreamsDiffer) {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 30; ++seed)
    for (std::uint64_t stream = 0; stream < 30; ++stream) firsts.insert(Philox(seed, stream).next_u64());
  EXPECT_EQ(firsts.size(), 900u);
}

TEST(Philox, UniformsAreInRangeWithTheRightMoments) {
  Philox random(1);
  constexpr int draws = 200000;
  double sum = 0;
  double squares = 0;
  for (int draw = 0; draw < draws; ++draw) {
    const double value = random.uniform();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
    squares += value * value;
    const float single = random.uniform_float();
    ASSERT_GE(single, 0.0f);
    ASSERT_LT(single, 1.0f);
  }
  // Six standard errors of the two means.
  EXPECT_NEAR(sum / draws, 0.5, 6 * std::sqrt(1.0 / 12 / draws));
  EXPECT_NEAR(squares / draws, 1.0 / 3, 6 * std::sqrt(4.0 / 45 / draws));
}

TEST(Philox, NormalsHaveTheRightMomentsAndDistribution) {
  Philox random(2);
  constexpr int draws = 200000;
  double sum = 0;
  double squares = 0;
  double fourths = 0;
  int below_one = 0;
  for (int draw = 0; draw < draws; ++draw) {
    const double value = random.normal();
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    squares += value * value;
    fourths += value * value * value * value;
    below_one += value < 1;
  }
  EXPECT_NEAR(sum / draws, 0, 6 * std::sqrt(1.0 / draws));
  EXPECT_NEAR(squares / draws, 1, 6 * std::sqrt(2.0 / draws));
  EXPECT_NEAR(fourths / draws, 3, 6 * std::sqrt(96.0 / draws));
  EXPECT_NEAR(static_cast<double>(below_one) / draws, 0.8413447461, 6 * std::sqrt(0.8413 * 0.1587 / draws));
}

TEST(Philox, BelowIsInRangeAndHasNoBias) {
  Philox random(3);
  EXPECT_EQ(random.below(1), 0u);
  constexpr int draws = 60000;
  std::array<int, 6> counts{};
  for (int draw = 0; draw < draws; ++draw) ++counts.at(random.below(6));
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - draws / 6.0) * (count - draws / 6.0) / (draws / 6.0);
  EXPECT_LT(chi_square, 35.9);  // 5 degrees of freedom, 1e-6
  // Three quarters of 2^64: a plain remainder would make the lower third come up twice as often as the rest.
  const std::uint64_t most = std::uint64_t{3} << 62;
  int lower_third = 0;
  for (int draw = 0; draw < draws; ++draw) {
    const std::uint64_t value = random.below(most);
    ASSERT_LT(value, most);
    lower_third += value < most / 3;
  }
  EXPECT_NEAR(static_cast<double>(lower_third) / draws, 1.0 / 3, 6 * std::sqrt(2.0 / 9 / draws));
}

TEST(Philox, PermutationsHoldEveryIndexAndEveryOrderIsEquallyLikely) {
  Philox random(4);
  std::vector<std::int64_t> order(1000);
  random.permutation(order.data(), order.size());
  EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), order.size());
  EXPECT_EQ(*std::max_element(order.begin(), order.end()), 999);

  std::array<int, 64> counts{};
  constexpr int draws = 24000;
  for (int draw = 0; draw < draws; ++draw) {
    std::int64_t four[4];
    random.permutation(four, 4);
    ++counts.at(static_cast<std::size_t>(four[0] * 16 + four[1] * 4 + four[2]));
  }
  double chi_square = 0;
  int seen = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    ++seen;
    chi_square += (count - draws / 24.0) * (count - draws / 24.0) / (draws / 24.0);
  }
  EXPECT_EQ(seen, 24);
  EXPECT_LT(chi_square, 70.5);  // 23 degrees of freedom, 1e-6
}

TEST(Philox, ShuffleOfNothingAndOfOneDrawsNothing) {
  Philox random(5);
  int one = 7;
  random.shuffle(&one, 0);
  random.shuffle(&one, 1);
  EXPECT_EQ(one, 7);
  EXPECT_EQ(random.next_u32(), Philox(5).next_u32());
}

}  // namespace
}  // namespace assay
