#include "engine/te/knn.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/runtime/error.hpp"
#include "engine/runtime/philox.hpp"

namespace assay::te {
namespace {

enum class Kind { smooth, tied, constant, heavy };

Tensor points(Kind kind, std::int64_t n, std::int64_t d, std::uint64_t seed) {
  Philox random(seed);
  std::vector<double> values(static_cast<std::size_t>(n * d));
  for (double& value : values) {
    const double u = random.uniform();
    switch (kind) {
      case Kind::smooth:
        value = u;
        break;
      case Kind::tied:
        value = std::floor(6 * u);
        break;
      case Kind::constant:
        value = -1.5;
        break;
      case Kind::heavy:
        value = (random.uniform() < 0.5 ? -1 : 1) / (u * u * u + 1e-12);
    }
  }
  return Tensor::from(values, {n, d});
}

using Neighbour = std::pair<double, std::int64_t>;

std::vector<Neighbour> literal(const Tensor& points, const std::vector<std::int64_t>& trials, std::int64_t k,
                               std::int64_t window) {
  const std::int64_t n = points.shape()[0], d = points.shape()[1];
  const auto values = points.as<double>();
  std::vector<std::int64_t> trial_of;
  for (std::size_t trial = 0; trial < trials.size(); ++trial)
    trial_of.insert(trial_of.end(), static_cast<std::size_t>(trials[trial]),
                    static_cast<std::int64_t>(trial));
  trial_of.resize(static_cast<std::size_t>(n));
  std::vector<Neighbour> all;
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<Neighbour> near;
    for (std::int64_t j = 0; j < n; ++j) {
      const bool same = trial_of[static_cast<std::size_t>(i)] == trial_of[static_cast<std::size_t>(j)];
      if (i == j || (same && std::abs(i - j) <= window)) continue;
      double distance = 0;
      for (std::int64_t c = 0; c < d; ++c)
        distance = std::max(distance, std::fabs(values[static_cast<std::size_t>(i * d + c)] -
                                                values[static_cast<std::size_t>(j * d + c)]));
      near.emplace_back(distance, j);
    }
    std::sort(near.begin(), near.end());
    all.insert(all.end(), near.begin(), near.begin() + k);
  }
  return all;
}

TEST(Knn, EqualsTheDefinition) {
  Context context = Context::cpu(2);
  std::uint64_t seed = 1;
  for (const Kind kind : {Kind::smooth, Kind::tied, Kind::constant, Kind::heavy})
    for (const std::int64_t d : {1, 2, 3, 5, 11, 64})
      for (const std::int64_t n : {2, 7, 33, 190})
        for (const std::int64_t window : {0, 3}) {
          const Tensor made = points(kind, n, d, ++seed);
          const std::vector<std::int64_t> trials =
              n > 33 ? std::vector<std::int64_t>{1, 30, n - 31} : std::vector<std::int64_t>{};
          if (n <= 2 * window + 1) continue;
          const std::int64_t most = n - 1 - 2 * window;
          for (const std::int64_t k : {std::int64_t{1}, std::min<std::int64_t>(4, most), most}) {
            const auto expected = literal(made, trials, k, window);
            for (const Search search : {Search::automatic, Search::sorted, Search::tree}) {
              Tensor distances(DType::f64, {n, k}), indices(DType::i64, {n, k});
              knn(context, made.view(), trials, k, window, distances.view(), indices.view(), search);
              const auto found = distances.as<double>();
              const auto neighbours = indices.as<std::int64_t>();
              for (std::size_t i = 0; i < expected.size(); ++i) {
                ASSERT_EQ(found[i], expected[i].first)
                    << "n " << n << " d " << d << " k " << k << " window " << window << " at " << i;
                ASSERT_EQ(neighbours[i], expected[i].second)
                    << "n " << n << " d " << d << " k " << k << " window " << window << " at " << i;
              }
            }
          }
        }
}

TEST(Knn, SearchesAgreeOnManyPoints) {
  for (const Kind kind : {Kind::smooth, Kind::tied, Kind::heavy}) {
    const std::int64_t n = 6'011, k = 5;
    const Tensor made = points(kind, n, 4, 99);
    std::vector<Tensor> found;
    for (const Search search : {Search::sorted, Search::tree}) {
      Context context = Context::cpu(search == Search::tree ? 2 : 1);
      Tensor distances(DType::f64, {n, k}), indices(DType::i64, {n, k});
      knn(context, made.view(), {}, k, 2, distances.view(), indices.view(), search);
      found.push_back(std::move(distances));
      found.push_back(std::move(indices));
    }
    EXPECT_TRUE(std::ranges::equal(found[0].as<double>(), found[2].as<double>()));
    EXPECT_TRUE(std::ranges::equal(found[1].as<std::int64_t>(), found[3].as<std::int64_t>()));
  }
}

std::string refusal(std::int64_t k, std::int64_t window, const std::vector<std::int64_t>& trials) {
  Context context = Context::cpu(1);
  const Tensor made = points(Kind::smooth, 10, 2, 1);
  Tensor distances(DType::f64, {10, std::max<std::int64_t>(k, 1)}),
      indices(DType::i64, {10, std::max<std::int64_t>(k, 1)});
  try {
    knn(context, made.view(), trials, k, window, distances.view(), indices.view());
  } catch (const ContractError& error) {
    return error.what();
  }
  return "";
}

TEST(Knn, RefusesTooFewNeighbours) {
  EXPECT_EQ(refusal(9, 0, {}), "");
  EXPECT_EQ(refusal(0, 0, {}), "te.knn: k: is 0; expected at least 1");
  EXPECT_EQ(refusal(10, 0, {}),
            "te.knn: k: is 10, but point 0 has only 9 admissible neighbours (n = 10, theiler_window = 0); "
            "expected k of "
            "at most that");
  EXPECT_EQ(refusal(7, 2, {}),
            "te.knn: k: is 7, but point 1 has only 6 admissible neighbours (n = 10, theiler_window = 2); "
            "expected k of "
            "at most that");
  EXPECT_EQ(refusal(7, 2, {5, 5}),
            "te.knn: k: is 7, but point 1 has only 6 admissible neighbours (n = 10, "
            "theiler_window = 2); expected k of at most that");
  EXPECT_EQ(refusal(5, 4, {5, 5}), "");
  EXPECT_EQ(refusal(5, INT64_MAX, {5, 5}), "");
  EXPECT_EQ(refusal(1, 0, {5, 6}), "te.knn: trial_lengths: sum to more than the 10 rows; expected that sum");
  EXPECT_EQ(refusal(1, 0, {5, 0, 5}), "te.knn: trial_lengths: entry 1 is 0; expected at least 1");
}

}  // namespace
}  // namespace assay::te
