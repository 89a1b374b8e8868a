// The orders of surrogates themselves, where the properties see them through estimates.

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "engine/analysis/surrogates.hpp"
#include "engine/runtime/philox.hpp"
#include "validation/goodness_power.hpp"
#include "validation/transfer_entropy/surrogate_orders.hpp"

namespace assay::validation::transfer_entropy {
namespace {

using Orders = std::vector<std::vector<std::int64_t>>;
using analysis::surrogate_permutation;
using analysis::SurrogateMethod;

constexpr GoodnessOptions all_alone{.alone_above = 0};
const std::vector<std::int64_t> trials{23, 1, 12};

TEST(SurrogateOrders, AreAllThereAre) {
  EXPECT_EQ(all_permutations(3), (Orders{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}));
  const Orders five = all_permutations(5);
  EXPECT_EQ(five.size(), 120u);
  for (std::size_t i = 0; i < five.size(); ++i) EXPECT_EQ(number_of(five[i]), static_cast<std::int64_t>(i));
  EXPECT_EQ(all_shifts(std::vector<std::int64_t>{3, 1}), (Orders{{2, 0, 1, 3}, {1, 2, 0, 3}}));
  EXPECT_EQ(all_shifts(trials).size(), 18u * 9);  // lags 3 to 20 and 2 to 10
}

/// Numbers of drawn orders among `orders`; -1 for what is none of them.
DrawCategories numbers_of(const Orders& orders,
                          const std::function<std::vector<std::int64_t>(std::uint64_t, std::int64_t)>& draw) {
  std::map<std::vector<std::int64_t>, std::int64_t> numbers;
  for (const auto& order : orders) numbers.emplace(order, static_cast<std::int64_t>(numbers.size()));
  return [=](std::uint64_t seed, std::int64_t count) {
    std::vector<std::int64_t> made;
    for (std::int64_t index = 0; index < count; ++index) {
      const auto found = numbers.find(draw(seed, index));
      made.push_back(found == numbers.end() ? -1 : found->second);
    }
    return made;
  };
}

Goodness fit_of(const Orders& orders, SurrogateMethod method, const std::vector<std::int64_t>& lengths) {
  const auto draw = [&](std::uint64_t seed, std::int64_t index) {
    return surrogate_permutation(method, lengths, seed, index);
  };
  const auto count = static_cast<std::int64_t>(orders.size());
  return goodness_of_fit(uniform_probabilities(count), numbers_of(orders, draw), 500 * count, 1, all_alone);
}

TEST(SurrogateOrders, AreEquallyLikely) {
  for (const std::int64_t rows : {2, 3, 4, 5}) {
    const Goodness seen = fit_of(all_permutations(rows), SurrogateMethod::permute, {rows});
    EXPECT_FALSE(seen.red) << rows << " rows: " << seen.words();
  }
  for (const auto& lengths : {trials, std::vector<std::int64_t>{2, 3}, std::vector<std::int64_t>{10, 11},
                              std::vector<std::int64_t>{100}}) {
    const Goodness seen = fit_of(all_shifts(lengths), SurrogateMethod::shift, lengths);
    EXPECT_FALSE(seen.red) << lengths[0] << " rows first: " << seen.words();
    EXPECT_GT(seen.degrees_of_freedom, 0);
  }
  // shifts are not every order; one trial's lags are not two trials' lags
  EXPECT_TRUE(fit_of(all_permutations(4), SurrogateMethod::shift, {4}).red);
  EXPECT_TRUE(fit_of(all_shifts(trials), SurrogateMethod::shift, {36}).outside);
}

// Surrogate s of a seed with surrogate s + 1, and with surrogate s of the next seed.
TEST(SurrogateOrders, AreIndependent) {
  const auto permuted = [](std::uint64_t seed, std::int64_t index) {
    return number_of(
        surrogate_permutation(SurrogateMethod::permute, std::vector<std::int64_t>{4}, seed, index));
  };
  const auto pairs = [&](const std::function<std::int64_t(std::uint64_t, std::int64_t)>& other) {
    return goodness_of_fit(
        uniform_probabilities(576),
        [&](std::uint64_t seed, std::int64_t count) {
          std::vector<std::int64_t> made;
          for (std::int64_t s = 0; s < count; ++s)
            made.push_back(permuted(seed, 2 * s) * 24 + other(seed, 2 * s));
          return made;
        },
        100'000, 1, all_alone);
  };
  const Goodness within = pairs([&](auto seed, auto s) { return permuted(seed, s + 1); });
  EXPECT_FALSE(within.red) << within.words();
  const Goodness across = pairs([&](auto seed, auto s) { return permuted(seed + 1, s); });
  EXPECT_FALSE(across.red) << across.words();
  EXPECT_TRUE(pairs([&](auto seed, auto s) { return permuted(seed, s); }).red);
}

// What the properties find with their 5,000 draws: a total variation of 10 %, the naive shuffle, a lag lost.
TEST(SurrogateOrders, WhatThePropertiesFind) {
  for (const std::int64_t orders : {120, 162}) {
    const auto right = uniform_probabilities(orders);
    EXPECT_GT(goodness_power(right, spread_over_tail(right, 0.1, 1), 5000, all_alone).confirmed, 0.99)
        << orders;
  }
  std::vector<double> naive(120);  // every place exchanged with any place: all 5^5 ways
  for (std::int64_t way = 0; way < 3125; ++way) {
    std::vector<std::int64_t> order{0, 1, 2, 3, 4};
    std::int64_t left = way;
    for (std::size_t place = 0; place < 5; ++place, left /= 5)
      std::swap(order[place], order[static_cast<std::size_t>(left % 5)]);
    naive[static_cast<std::size_t>(number_of(order))] += 1 / 3125.0;
  }
  EXPECT_GT(goodness_power(uniform_probabilities(120), naive, 5000, all_alone).confirmed, 0.99);
  std::vector<double> lost(162, 1.0 / (17 * 9));
  std::fill_n(lost.begin(), 9, 0.0);
  EXPECT_GT(goodness_power(uniform_probabilities(162), lost, 5000, all_alone).confirmed, 0.99);
}

}  // namespace
}  // namespace assay::validation::transfer_entropy
