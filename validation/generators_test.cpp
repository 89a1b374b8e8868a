#include "validation/generators.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace assay::validation {
namespace {

TEST(Clouds, AreFiniteAndRepeatable) {
  for (int filling = 0; filling < filling_count; ++filling) {
    Cloud cloud;
    cloud.rows = 33;
    cloud.columns = 3;
    cloud.filling = static_cast<Filling>(filling);
    cloud.seed = 5;
    cloud.exponent = -300;
    const auto values = cloud.values();
    EXPECT_EQ(values.size(), 99u);
    EXPECT_TRUE(std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }))
        << filling;
    EXPECT_EQ(values, cloud.values());
  }
}

TEST(Clouds, DuplicatesAndTiesAreThere) {
  Cloud cloud;
  cloud.rows = 60;
  cloud.columns = 2;
  cloud.filling = Filling::duplicates;
  const auto values = cloud.values();
  EXPECT_EQ(values[0], values[2]);
  EXPECT_EQ(values[1], values[5]);
  EXPECT_NE(values[0], values[6]);
  cloud.filling = Filling::quantised;
  for (const double value : cloud.values()) EXPECT_EQ(value * 4, std::round(value * 4));
}

TEST(Clouds, EveryShrinkIsSimplerAndWithinTheLimits) {
  CloudLimits limits;
  limits.min_rows = 2;
  Cloud cloud;
  cloud.rows = 100;
  cloud.columns = 4;
  cloud.filling = Filling::mixed;
  cloud.seed = 77;
  cloud.exponent = 12;
  const auto weight = [](const Cloud& c) {
    const double kept = c.kept.only ? static_cast<double>(c.kept.only->size()) : 1e3;
    return static_cast<double>(c.rows) * 1e12 + static_cast<double>(c.columns) * 1e9 +
           std::abs(c.exponent) * 1e6 + kept * 1e2 + static_cast<double>(c.filling) +
           static_cast<double>(c.seed) * 1e-3 - (c.rounded ? 50 : 0);
  };
  const auto candidates = simpler(cloud, limits);
  EXPECT_GE(candidates.size(), 8u);
  for (const Cloud& candidate : candidates) {
    EXPECT_LT(weight(candidate), weight(cloud));
    EXPECT_GE(candidate.rows, 2);
  }
}

TEST(Clouds, WhatIsNotKeptIsZero) {
  Cloud cloud;
  cloud.rows = 10;
  cloud.filling = Filling::gaussian;
  cloud.kept.only = {{2, 7}};
  EXPECT_EQ(held_by(cloud.values()), (std::vector<std::int64_t>{2, 7}));
}

// Elements stay where they are when rows or columns go.
TEST(Clouds, FewerColumnsKeepTheElementsThatAreLeft) {
  Cloud cloud{.rows = 4, .columns = 3, .filling = Filling::gaussian};
  cloud.kept.only = {{0, 5, 7, 10}};  // (0, 0), (1, 2), (2, 1), (3, 1)
  bool seen = false;
  for (const Cloud& candidate : simpler(cloud, {.min_columns = 2, .max_columns = 3})) {
    if (candidate.columns != 2) continue;
    seen = true;
    EXPECT_EQ(*candidate.kept.only, (std::vector<std::int64_t>{0, 5, 7}));
  }
  EXPECT_TRUE(seen);
}

TEST(Clouds, ShrinkBelowTheRowsThatAreDrawnWhereThatIsLegal) {
  const Cloud cloud{.rows = 80};
  std::int64_t fewest = cloud.rows, above = cloud.rows;
  for (const Cloud& candidate : simpler(cloud, {.min_rows = 60, .least_rows = 3}))
    fewest = std::min(fewest, candidate.rows);
  for (const Cloud& candidate : simpler(cloud, {.min_rows = 60})) above = std::min(above, candidate.rows);
  EXPECT_EQ(fewest, 3);
  EXPECT_EQ(above, 60);
}

TEST(Trials, SumToTheRows) {
  for (std::int64_t rows : {1, 2, 17, 100}) {
    for (std::int64_t count : {1, 3, 8}) {
      const auto lengths = split_trials(rows, count, 9);
      EXPECT_EQ(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}), rows);
      EXPECT_EQ(static_cast<std::int64_t>(lengths.size()), std::min(rows, count));
      EXPECT_GE(*std::min_element(lengths.begin(), lengths.end()), 1);
    }
  }
}

TEST(Permutation, HoldsEveryRowOnce) {
  const auto order = permutation(50, 3);
  EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), 50u);
  EXPECT_NE(order, permutation(50, 4));
}

}  // namespace
}  // namespace assay::validation
