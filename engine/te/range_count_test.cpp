#include "engine/te/range_count.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/runtime/error.hpp"
#include "engine/runtime/philox.hpp"

namespace assay::te {
namespace {

/// Every third value lies on a grid, so that ties and exact hits of a radius happen.
Tensor points(std::int64_t n, std::int64_t d, bool grid_only, std::uint64_t seed) {
  Philox random(seed);
  std::vector<double> values(static_cast<std::size_t>(n * d));
  for (double& value : values) {
    value = 8 * random.uniform();
    if (grid_only || random.uniform() < 0.33) value = std::floor(value);
  }
  return Tensor::from(values, {n, d});
}

/// 0, grid distances, anything, infinity.
Tensor radii(std::int64_t n, std::uint64_t seed) {
  Philox random(seed);
  std::vector<double> values(static_cast<std::size_t>(n));
  for (double& value : values) {
    const double u = random.uniform();
    value = 5 * random.uniform();
    if (u < 0.1) value = 0;
    if (u > 0.5) value = std::floor(value);
    if (u > 0.95) value = std::numeric_limits<double>::infinity();
  }
  return Tensor::from(values, {n});
}

std::vector<std::int64_t> literal(const Tensor& points, const Tensor& radii,
                                  const std::vector<std::int64_t>& trials, bool strict, std::int64_t window) {
  const std::int64_t n = points.shape()[0], d = points.shape()[1];
  const auto values = points.as<double>();
  std::vector<std::int64_t> trial_of;
  for (std::size_t trial = 0; trial < trials.size(); ++trial)
    trial_of.insert(trial_of.end(), static_cast<std::size_t>(trials[trial]),
                    static_cast<std::int64_t>(trial));
  trial_of.resize(static_cast<std::size_t>(n));
  std::vector<std::int64_t> counts(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      const bool same = trial_of[static_cast<std::size_t>(i)] == trial_of[static_cast<std::size_t>(j)];
      if (i == j || (same && std::abs(i - j) <= window)) continue;
      double distance = 0;
      for (std::int64_t c = 0; c < d; ++c)
        distance = std::max(distance, std::fabs(values[static_cast<std::size_t>(i * d + c)] -
                                                values[static_cast<std::size_t>(j * d + c)]));
      const double radius = radii.as<double>()[static_cast<std::size_t>(i)];
      counts[static_cast<std::size_t>(i)] += strict ? distance < radius : distance <= radius;
    }
  return counts;
}

TEST(RangeCount, EqualsTheDefinition) {
  Context context = Context::cpu(2);
  std::uint64_t seed = 7;
  for (const bool grid_only : {false, true})
    for (const std::int64_t d : {1, 2, 3, 4, 9, 64})
      for (const std::int64_t n : {1, 2, 31, 65, 300})
        for (const std::int64_t window : {0, 1, 40})
          for (const bool strict : {true, false}) {
            const Tensor made = points(n, d, grid_only, ++seed);
            const Tensor within = radii(n, ++seed);
            const std::vector<std::int64_t> trials =
                n > 31 ? std::vector<std::int64_t>{25, n - 27, 2} : std::vector<std::int64_t>{};
            const auto expected = literal(made, within, trials, strict, window);
            for (const Search search : {Search::automatic, Search::sorted, Search::tree}) {
              Tensor counts(DType::i64, {n});
              range_count(context, made.view(), within.view(), trials, strict, window, counts.view(), search);
              EXPECT_TRUE(std::ranges::equal(expected, counts.as<std::int64_t>()))
                  << "n " << n << " d " << d << " window " << window << " strict " << strict;
            }
          }
}

TEST(RangeCount, SearchesAgreeOnManyPoints) {
  for (const std::int64_t d : {1, 2, 5}) {
    const std::int64_t n = 6'001;
    const Tensor made = points(n, d, false, 3);
    Tensor within = radii(n, 4);
    for (double& radius : within.as<double>()) radius = std::min(radius, 0.4);
    std::vector<Tensor> found;
    for (const Search search : {Search::automatic, Search::sorted, Search::tree}) {
      Context context = Context::cpu(search == Search::tree ? 2 : 1);
      Tensor counts(DType::i64, {n});
      range_count(context, made.view(), assay::as_const(within.view()), {}, false, 0, counts.view(), search);
      found.push_back(std::move(counts));
    }
    EXPECT_TRUE(std::ranges::equal(found[0].as<std::int64_t>(), found[1].as<std::int64_t>()));
    EXPECT_TRUE(std::ranges::equal(found[0].as<std::int64_t>(), found[2].as<std::int64_t>()));
  }
}

TEST(RangeCount, RefusesBadRadii) {
  Context context = Context::cpu(1);
  const Tensor made = points(4, 2, false, 3);
  Tensor counts(DType::i64, {4});
  const auto refusal = [&](const std::vector<double>& values) -> std::string {
    try {
      const Tensor within = Tensor::from(values, {static_cast<std::int64_t>(values.size())});
      range_count(context, made.view(), within.view(), {}, true, 0, counts.view());
    } catch (const ContractError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal({1, 2, 3}),
            "te.range_count: radii: has 3 elements; expected one for each of the 4 points");
  EXPECT_EQ(refusal({1, -2, 3, 4}),
            "te.range_count: radii: element 1 is -2.000000; expected 0 or more (infinity is legal)");
  EXPECT_EQ(refusal({1, 2, 3, std::nan("")}),
            "te.range_count: radii: element 3 is nan; expected 0 or more (infinity is legal)");
}

}  // namespace
}  // namespace assay::te
