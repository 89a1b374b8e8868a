#include "engine/te/ksg.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/analysis/splitmix.hpp"
#include "engine/runtime/error.hpp"

namespace assay::te {
namespace {

struct Pair {
  std::vector<double> x, y;
};

/// x drives y: x' = 0.6 x + e1, y' = 0.5 y + 0.4 x + e2; the first 100 rows are left out.
Pair coupled_pair(std::int64_t n) {
  analysis::SplitMix64 random(42);
  Pair pair;
  double x = 0, y = 0;
  for (std::int64_t t = 0; t < n + 100; ++t) {
    const double e1 = random.irwin_hall();
    const double e2 = random.irwin_hall();
    const double next_x = 0.6 * x + e1;
    y = 0.5 * y + 0.4 * x + e2;
    x = next_x;
    if (t >= 100) {
      pair.x.push_back(x);
      pair.y.push_back(y);
    }
  }
  return pair;
}

struct Problem {
  Tensor x, y, z;
};

/// I(source past; target next | target past) with `history` lags each.
Problem transfer(const std::vector<double>& source, const std::vector<double>& target, std::int64_t history) {
  const auto rows = static_cast<std::int64_t>(source.size());
  const std::int64_t n = rows - history;
  std::vector<double> x, y, z;
  for (std::int64_t t = history; t < rows; ++t) {
    y.push_back(target[static_cast<std::size_t>(t)]);
    for (std::int64_t j = 1; j <= history; ++j) {
      x.push_back(source[static_cast<std::size_t>(t - j)]);
      z.push_back(target[static_cast<std::size_t>(t - j)]);
    }
  }
  return {Tensor::from(x, {n, history}), Tensor::from(y, {n, 1}), Tensor::from(z, {n, history})};
}

struct Estimate {
  double value = 0;
  Tensor local, radii, counts;
};

Estimate estimate(const Problem& problem, const KsgParameters& parameters,
                  const std::vector<std::int64_t>& trials = {}, unsigned threads = 2) {
  Context context = Context::cpu(threads);
  const std::int64_t n = problem.y.shape()[0];
  Tensor value(DType::f64, {1});
  Estimate made{0, Tensor(DType::f64, {n}), Tensor(DType::f64, {n, 3}), Tensor(DType::i64, {n, 3})};
  const ConstTensorView z = problem.z.shape().size() == 2 ? problem.z.view() : ConstTensorView{};
  ksg(context, problem.x.view(), problem.y.view(), z, trials, parameters,
      {.value = value.view(),
       .local = made.local.view(),
       .radii = made.radii.view(),
       .counts = made.counts.view()});
  made.value = value.as<double>()[0];
  return made;
}

constexpr Search kSearches[] = {Search::automatic, Search::sorted, Search::tree};

struct Golden {
  std::int64_t n;
  int algorithm;
  std::int64_t k;
  double forward, backward, forward2, backward2, forward_theiler;
};

TEST(Ksg, GoldenTransferEntropy) {
  const Golden cases[] = {
      {200, 1, 4, 0.110257587, 0.047172532, 0.050937404, 0.012682157, 0.109964665},
      {1000, 1, 4, 0.094446488, 0.005293625, 0.103367245, -0.000533997, 0.101357634},
      {4000, 1, 4, 0.096469986, 0.010224578, 0.093774081, 0.004796894, 0.096870199},
      {200, 2, 4, 0.120781291, 0.122001372, 0.073636966, 0.008357061, 0.111362847},
      {1000, 2, 4, 0.124300036, 0.028112428, 0.135913141, 0.017872361, 0.124966054},
  };
  for (const Golden& golden : cases) {
    const Pair pair = coupled_pair(golden.n);
    for (const Search search : kSearches) {
      KsgParameters parameters{.k = golden.k, .algorithm = golden.algorithm, .search = search};
      EXPECT_NEAR(estimate(transfer(pair.x, pair.y, 1), parameters).value, golden.forward, 5.1e-10);
      EXPECT_NEAR(estimate(transfer(pair.y, pair.x, 1), parameters).value, golden.backward, 5.1e-10);
      EXPECT_NEAR(estimate(transfer(pair.x, pair.y, 2), parameters).value, golden.forward2, 5.1e-10);
      EXPECT_NEAR(estimate(transfer(pair.y, pair.x, 2), parameters).value, golden.backward2, 5.1e-10);
      parameters.theiler_window = 10;
      EXPECT_NEAR(estimate(transfer(pair.x, pair.y, 1), parameters).value, golden.forward_theiler, 5.1e-10);
    }
  }
}

TEST(Ksg, GoldenTenNeighbours) {
  for (const Search search : kSearches) {
    const KsgParameters parameters{.k = 10, .search = search};
    const Pair thousand = coupled_pair(1000);
    EXPECT_NEAR(estimate(transfer(thousand.x, thousand.y, 1), parameters).value, 0.108888498, 5.1e-10);
    const Pair four = coupled_pair(4000);
    EXPECT_NEAR(estimate(transfer(four.x, four.y, 1), parameters).value, 0.097862535, 5.1e-10);
  }
}

TEST(Ksg, GoldenFirstPoint) {
  const Pair pair = coupled_pair(1000);
  EXPECT_NEAR(pair.x[0], 0.56017502, 5e-9);
  for (const Search search : kSearches) {
    const Estimate made = estimate(transfer(pair.x, pair.y, 1), {.search = search});
    EXPECT_NEAR(made.radii.as<double>()[0], 0.20325438, 5e-9);
    const auto counts = made.counts.as<std::int64_t>();
    EXPECT_EQ(counts[0], 15);
    EXPECT_EQ(counts[1], 19);
    EXPECT_EQ(counts[2], 122);
  }
}

TEST(Ksg, GoldenMutualInformation) {
  analysis::SplitMix64 random(7);
  std::vector<double> a, b, c, bc;
  for (int i = 0; i < 2000; ++i) {
    const double g1 = random.irwin_hall(), g2 = random.irwin_hall(), g3 = random.irwin_hall();
    a.push_back(g1);
    b.push_back(0.6 * g1 + 0.8 * g2);
    c.push_back(0.5 * g1 + 0.5 * g2 + std::sqrt(0.5) * g3);
    bc.push_back(b.back());
    bc.push_back(c.back());
  }
  const double expected[2][3] = {{0.233573922, 0.157962034, 0.265626772},
                                 {0.232553428, 0.152310756, 0.249721464}};
  for (const Search search : kSearches)
    for (const int algorithm : {1, 2}) {
      const KsgParameters parameters{.algorithm = algorithm, .search = search};
      const auto information = [&](const std::vector<double>& other, std::int64_t d) {
        return estimate({Tensor::from(a, {2000, 1}), Tensor::from(other, {2000, d}), Tensor()}, parameters)
            .value;
      };
      EXPECT_NEAR(information(b, 1), expected[algorithm - 1][0], 5.1e-10);
      EXPECT_NEAR(information(c, 1), expected[algorithm - 1][1], 5.1e-10);
      EXPECT_NEAR(information(bc, 2), expected[algorithm - 1][2], 5.1e-10);
    }
}

double distance(const Tensor& points, std::int64_t i, std::int64_t j) {
  double largest = 0;
  if (points.shape().size() != 2) return largest;
  const std::int64_t d = points.shape()[1];
  const auto values = points.as<double>();
  for (std::int64_t c = 0; c < d; ++c)
    largest = std::max(largest, std::fabs(values[static_cast<std::size_t>(i * d + c)] -
                                          values[static_cast<std::size_t>(j * d + c)]));
  return largest;
}

struct Literal {
  std::vector<double> radii;
  std::vector<std::int64_t> counts;
};

/// Radii and counts as the definitions have them, point by point.
Literal literal(const Problem& problem, const KsgParameters& parameters,
                const std::vector<std::int64_t>& trials) {
  const std::int64_t n = problem.y.shape()[0];
  std::vector<std::int64_t> trial_of(static_cast<std::size_t>(n), 0);
  for (std::size_t trial = 0, row = 0; trial < trials.size(); ++trial)
    for (std::int64_t t = 0; t < trials[trial]; ++t) trial_of[row++] = static_cast<std::int64_t>(trial);
  const bool closed = parameters.algorithm == 2;
  const bool conditional = problem.z.shape().size() == 2;
  Literal made;
  for (std::int64_t i = 0; i < n; ++i) {
    struct Other {
      double x, y, z;
      std::array<double, 3> falling() const {
        std::array<double, 3> parts{x, y, z};
        std::sort(parts.rbegin(), parts.rend());
        return parts;
      }
    };
    std::vector<Other> others;
    for (std::int64_t j = 0; j < n; ++j) {
      const bool same = trial_of[static_cast<std::size_t>(i)] == trial_of[static_cast<std::size_t>(j)];
      if (i == j || (same && std::abs(i - j) <= parameters.theiler_window)) continue;
      others.push_back({distance(problem.x, i, j), distance(problem.y, i, j), distance(problem.z, i, j)});
    }
    std::sort(others.begin(), others.end(),
              [](const Other& a, const Other& b) { return a.falling() < b.falling(); });
    const Other kth = others[static_cast<std::size_t>(parameters.k - 1)];
    const double eps = kth.falling()[0];
    Other radii{eps, eps, eps};
    if (closed) {
      radii = {0, 0, 0};
      for (const Other& other : others)
        if (other.falling() <= kth.falling())
          radii = {std::max(radii.x, other.x), std::max(radii.y, other.y), std::max(radii.z, other.z)};
    }
    const auto inside = [closed](double d, double radius) { return closed ? d <= radius : d < radius; };
    std::int64_t n_xz = 0, n_yz = 0, n_z = 0;
    for (const Other& other : others) {
      const bool in_z = !conditional || inside(other.z, radii.z);
      n_xz += in_z && inside(other.x, radii.x);
      n_yz += in_z && inside(other.y, radii.y);
      n_z += in_z;
    }
    made.radii.insert(made.radii.end(), {radii.x, radii.y, radii.z});
    made.counts.insert(made.counts.end(), {n_xz, n_yz, conditional ? n_z : n - 1});
  }
  return made;
}

void expect_literal(const Literal& expected, const Estimate& made) {
  const auto radii = made.radii.as<double>();
  const auto counts = made.counts.as<std::int64_t>();
  ASSERT_EQ(radii.size(), expected.radii.size());
  for (std::size_t i = 0; i < radii.size(); ++i) {
    ASSERT_EQ(radii[i], expected.radii[i]) << "point " << i / 3 << " part " << i % 3;
    ASSERT_EQ(counts[i], expected.counts[i]) << "point " << i / 3 << " part " << i % 3;
  }
}

enum class Kind { gaussian, tied, constant, heavy, grid_and_noise };

Tensor points(analysis::SplitMix64& random, Kind kind, std::int64_t n, std::int64_t d) {
  std::vector<double> values(static_cast<std::size_t>(n * d));
  for (double& value : values) {
    const double g = random.irwin_hall();
    if (kind == Kind::gaussian) value = g;
    if (kind == Kind::tied) value = std::round(g * 2.0) / 2.0;
    if (kind == Kind::constant) value = 0.25;
    if (kind == Kind::heavy) value = g / (std::fabs(random.irwin_hall()) * random.uniform() + 1e-9);
    if (kind == Kind::grid_and_noise) value = random.uniform() < 0.5 ? std::round(g) : g;
  }
  return Tensor::from(values, {n, d});
}

TEST(Ksg, RadiiAndCountsAreLiteral) {
  analysis::SplitMix64 random(5);
  const std::int64_t shapes[][3] = {{1, 1, 1}, {2, 1, 2}, {1, 1, 0}, {2, 2, 0}, {3, 1, 5}, {1, 4, 1}};
  for (const Kind kind : {Kind::gaussian, Kind::tied, Kind::constant, Kind::heavy, Kind::grid_and_noise})
    for (const auto& d : shapes)
      for (const std::int64_t n : {9, 67}) {
        const Problem problem{points(random, kind, n, d[0]), points(random, kind, n, d[1]),
                              d[2] > 0 ? points(random, kind, n, d[2]) : Tensor()};
        const std::vector<std::int64_t> trials =
            n > 9 ? std::vector<std::int64_t>{20, 1, n - 40, 19} : std::vector<std::int64_t>{};
        for (const int algorithm : {1, 2})
          for (const std::int64_t window : {0, 2})
            for (const std::int64_t k : {std::int64_t{1}, std::int64_t{4}, n - 5}) {
              KsgParameters parameters{.k = k, .algorithm = algorithm, .theiler_window = window};
              const Literal expected = literal(problem, parameters, trials);
              for (const Search search : kSearches) {
                parameters.search = search;
                SCOPED_TRACE(testing::Message()
                             << "kind " << static_cast<int>(kind) << " dims " << d[0] << d[1] << d[2] << " n "
                             << n << " algorithm " << algorithm << " window " << window << " k " << k
                             << " search " << static_cast<int>(search));
                expect_literal(expected, estimate(problem, parameters, trials));
                if (HasFatalFailure()) return;
              }
            }
      }
}

TEST(Ksg, LargeCasesAgreeBetweenSearchesAndThreads) {
  analysis::SplitMix64 random(11);
  for (const Kind kind : {Kind::gaussian, Kind::grid_and_noise, Kind::heavy})
    for (const std::int64_t dz : {0, 1, 2})
      for (const int algorithm : {1, 2}) {
        const std::int64_t n = 6011;
        const Problem problem{points(random, kind, n, 1), points(random, kind, n, 1),
                              dz > 0 ? points(random, kind, n, dz) : Tensor()};
        const std::vector<std::int64_t> trials{1000, 5011};
        const KsgParameters parameters{.algorithm = algorithm, .theiler_window = 3};
        const Estimate first = estimate(problem, parameters, trials, 1);
        for (const Search search : kSearches) {
          KsgParameters other = parameters;
          other.search = search;
          const Estimate second = estimate(problem, other, trials, 2);
          EXPECT_EQ(first.value, second.value);
          EXPECT_TRUE(std::ranges::equal(first.counts.as<std::int64_t>(), second.counts.as<std::int64_t>()));
          EXPECT_TRUE(std::ranges::equal(first.radii.as<double>(), second.radii.as<double>()));
          EXPECT_TRUE(std::ranges::equal(first.local.as<double>(), second.local.as<double>()));
        }
      }
}

TEST(Ksg, ZeroRadiusGivesPsiDifference) {
  const Problem problem{Tensor::from(std::vector<double>(20, 1.0), {20, 1}),
                        Tensor::from(std::vector<double>(20, 2.0), {20, 1}),
                        Tensor::from(std::vector<double>(20, 3.0), {20, 1})};
  EXPECT_NEAR(estimate(problem, {.k = 1}).value, 0.0, 1e-15);
  EXPECT_NEAR(estimate(problem, {.k = 4}).value, 11.0 / 6.0, 1e-14);
}

TEST(Ksg, ExtremeValuesOverflowToInfiniteDistances) {
  const double huge = std::numeric_limits<double>::max();
  std::vector<double> values{-huge, huge, 0, 1, -1, huge / 2, -huge, 3};
  const Problem problem{Tensor::from(values, {8, 1}), Tensor::from(values, {8, 1}),
                        Tensor::from(values, {8, 1})};
  for (const int algorithm : {1, 2})
    for (const Search search : kSearches) {
      const KsgParameters parameters{.k = 6, .algorithm = algorithm, .search = search};
      expect_literal(literal(problem, parameters, {}), estimate(problem, parameters));
    }
}

TEST(KsgPlan, SurrogatesEqualSingleCalls) {
  analysis::SplitMix64 random(3);
  const std::int64_t n = 500;
  const Tensor y = points(random, Kind::gaussian, n, 1), z = points(random, Kind::tied, n, 1);
  Context context = Context::cpu(2);
  for (const int algorithm : {1, 2}) {
    const KsgParameters parameters{.algorithm = algorithm, .theiler_window = 1};
    KsgPlan plan(context, y.view(), z.view(), {}, parameters);
    for (int surrogate = 0; surrogate < 4; ++surrogate) {
      Problem problem{points(random, Kind::gaussian, n, 1 + surrogate % 2), y.clone(), z.clone()};
      Tensor value(DType::f64, {1});
      plan.evaluate(context, assay::as_const(problem.x.view()),
                    {.value = value.view(), .local = {}, .radii = {}, .counts = {}});
      EXPECT_EQ(value.as<double>()[0], estimate(problem, parameters).value);
    }
  }
}

std::string refusal(const Problem& problem, const KsgParameters& parameters,
                    const std::vector<std::int64_t>& trials = {}) {
  try {
    estimate(problem, parameters, trials);
  } catch (const ContractError& error) {
    return error.what();
  }
  return "";
}

TEST(Ksg, RefusesBrokenContracts) {
  const auto column = [](std::int64_t n) {
    std::vector<double> values(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) values[static_cast<std::size_t>(i)] = static_cast<double>(i * i % 7);
    return Tensor::from(values, {n, 1});
  };
  const Problem good{column(10), column(10), column(10)};
  EXPECT_EQ(refusal(good, {}), "");
  EXPECT_EQ(refusal(good, {.k = 10}),
            "te.ksg: k: is 10, but point 0 has only 9 admissible neighbours (n = 10, theiler_window = 0); "
            "expected k of "
            "at most that");
  EXPECT_EQ(refusal(good, {.k = 0}), "te.ksg: k: is 0; expected at least 1");
  EXPECT_EQ(refusal(good, {.algorithm = 3}), "te.ksg: algorithm: is 3; expected 1 or 2");
  EXPECT_EQ(refusal(good, {.theiler_window = -1}), "te.ksg: theiler_window: is -1; expected at least 0");
  EXPECT_EQ(refusal(good, {}, {4, 5}), "te.ksg: trial_lengths: sum to 9; expected the 10 rows");
  EXPECT_EQ(refusal({column(9), column(10), column(10)}, {}), "te.ksg: x: has 9 rows; expected the 10 of y");
  EXPECT_EQ(refusal({column(10), column(10), column(11)}, {}),
            "te.ksg: z: has 11 rows; expected the 10 of y");
  Problem bad{column(10), column(10), column(10)};
  bad.x.as<double>()[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refusal(bad, {}), "te.ksg: x: element 3 is nan; expected finite numbers");
}

}  // namespace
}  // namespace assay::te
