#include "engine/te/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/analysis/splitmix.hpp"
#include "engine/runtime/error.hpp"

namespace assay::te {
namespace {

/// Columns of a chain: each drives the next; the first 100 rows are left out. Two of them are the pair of the
/// golden numbers of te.ksg: x' = 0.6 x + e1, y' = 0.5 y + 0.4 x + e2.
std::vector<std::vector<double>> chain(std::int64_t rows, std::int64_t columns) {
  analysis::SplitMix64 random(42);
  std::vector<double> now(static_cast<std::size_t>(columns), 0.0);
  std::vector<std::vector<double>> made(now.size());
  for (std::int64_t t = 0; t < rows + 100; ++t) {
    const std::vector<double> before = now;
    for (std::size_t c = 0; c < now.size(); ++c)
      now[c] = (c == 0 ? 0.6 * before[c] : 0.5 * before[c] + 0.4 * before[c - 1]) + random.irwin_hall();
    for (std::size_t c = 0; t >= 100 && c < now.size(); ++c) made[c].push_back(now[c]);
  }
  return made;
}

struct Problem {
  Tensor sources, y, z;
};

/// The past of every column (`copies` times), and the next value and the past of each as a target.
Problem transfer(const std::vector<std::vector<double>>& columns, std::int64_t copies = 1) {
  const auto n = static_cast<std::int64_t>(columns[0].size()) - 1;
  std::vector<double> past, next, sources;
  for (const auto& column : columns) {
    past.insert(past.end(), column.begin(), column.end() - 1);
    next.insert(next.end(), column.begin() + 1, column.end());
  }
  for (std::int64_t copy = 0; copy < copies; ++copy) sources.insert(sources.end(), past.begin(), past.end());
  const auto t = static_cast<std::int64_t>(columns.size());
  return {Tensor::from(sources, {copies * t, n, 1}), Tensor::from(next, {t, n, 1}),
          Tensor::from(past, {t, n, 1})};
}

struct Answer {
  Tensor values, surrogates, counts;
};

Answer evaluate(const Problem& problem, const KsgParameters& parameters, const NetworkSurrogates& draws = {},
                std::span<const std::int64_t> skip = {}, unsigned threads = 2,
                std::span<const std::int64_t> trials = {}) {
  Context context = Context::cpu(threads);
  const std::int64_t m = problem.sources.shape()[0], n = problem.sources.shape()[1], t = problem.y.shape()[0];
  std::vector<NetworkPair> pairs;
  for (std::int64_t source = 0; source < m; ++source)
    for (std::int64_t target = 0; target < t; ++target) pairs.push_back({source, target});
  Answer made{Tensor(DType::f64, {m, t}), Tensor(DType::f64, {m, t, std::max<std::int64_t>(draws.count, 0)}),
              Tensor(DType::i64, {m * t, n, 3})};
  NetworkPlan plan(context, problem.sources.view(), trials, parameters, draws);
  plan.evaluate(context, problem.y.view(), problem.z.view(), skip,
                {.values = made.values.view(),
                 .surrogates = draws.count > 0 ? made.surrogates.view() : TensorView{},
                 .counts = made.counts.view(),
                 .counted = pairs});
  return made;
}

void expect_same_bits(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.shape(), b.shape());
  for (std::size_t i = 0; i < a.as<double>().size(); ++i)
    ASSERT_EQ(std::bit_cast<std::uint64_t>(a.as<double>()[i]),
              std::bit_cast<std::uint64_t>(b.as<double>()[i]))
        << i;
}

void expect_same_counts(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.shape(), b.shape());
  EXPECT_TRUE(std::ranges::equal(a.as<std::int64_t>(), b.as<std::int64_t>()));
}

TEST(Network, GoldenTransferEntropy) {
  const Answer answer = evaluate(transfer(chain(1000, 2), 4), {});
  for (std::int64_t copy = 0; copy < 4; ++copy) {
    const auto values = answer.values.as<double>().subspan(static_cast<std::size_t>(4 * copy), 4);
    EXPECT_NEAR(values[1], 0.094446488, 5.1e-10);
    EXPECT_NEAR(values[2], 0.005293625, 5.1e-10);
  }
}

TEST(Network, EntriesHaveTheBitsOfThePairsOnTheirOwn) {
  for (const std::int64_t k : {1, 4, 7, 32})
    for (const std::int64_t window : {0, 12}) {
      const Problem problem = transfer(chain(700, 5));
      const NetworkSurrogates draws{.count = 2, .method = Resampling::shift, .seeds = {1, 2, 3, 4, 5}};
      const std::vector<std::int64_t> trials{300, 399};
      KsgParameters parameters{.k = k, .theiler_window = window};
      const Answer shared = evaluate(problem, parameters, draws, {}, 3, trials);
      parameters.search = Search::sorted;
      const Answer pairs = evaluate(problem, parameters, draws, {}, 1, trials);
      expect_same_bits(shared.values, pairs.values);
      expect_same_bits(shared.surrogates, pairs.surrogates);
      expect_same_counts(shared.counts, pairs.counts);
    }
}

TEST(Network, TiesScalesAndOutliersAreCountedAsInThePairs) {
  const auto mapped = [](auto&& map) {
    auto columns = chain(600, 5);
    for (auto& column : columns)
      for (std::size_t i = 0; i < column.size(); ++i) column[i] = map(column[i], i);
    return transfer(columns);
  };
  const Problem problems[] = {
      mapped([](double value, std::size_t) { return std::round(10 * value) / 10; }),
      mapped([](double value, std::size_t) { return value > 0 ? 1.0 : 0.0; }),
      mapped([](double, std::size_t) { return 1.5; }),
      mapped([](double value, std::size_t) { return 1e307 * value; }),
      mapped([](double value, std::size_t) { return 5e-324 * std::round(value * 4); }),
      mapped([](double value, std::size_t) { return 1e9 + std::round(10 * value) * 0.1; }),
      mapped([](double value, std::size_t i) { return i % 50 == 0 ? 1e6 * value : value; }),
  };
  for (const Problem& problem : problems) {
    const Answer shared = evaluate(problem, {});
    const Answer pairs = evaluate(problem, {.search = Search::sorted});
    expect_same_bits(shared.values, pairs.values);
    expect_same_counts(shared.counts, pairs.counts);
  }
}

TEST(Network, SkippedEntriesAreNotANumberAndCountNothing) {
  const std::vector<std::int64_t> skip{0, -1, 2, 3, 4};
  const Answer answer = evaluate(transfer(chain(200, 5)), {}, {.count = 1, .seeds = {1, 2, 3, 4, 5}}, skip);
  for (std::size_t cell = 0; cell < 25; ++cell) {
    const bool skipped = cell / 5 == cell % 5 && cell != 6;
    EXPECT_EQ(std::isnan(answer.values.as<double>()[cell]), skipped) << cell;
    EXPECT_EQ(std::isnan(answer.surrogates.as<double>()[cell]), skipped) << cell;
    const auto counts = answer.counts.as<std::int64_t>().subspan(cell * 199 * 3, 199 * 3);
    EXPECT_EQ(std::ranges::all_of(counts, [](std::int64_t count) { return count == 0; }), skipped) << cell;
  }
}

std::string refusal(const Problem& problem, const KsgParameters& parameters,
                    const NetworkSurrogates& draws = {}, std::vector<std::int64_t> skip = {},
                    std::vector<std::int64_t> trials = {}) {
  try {
    evaluate(problem, parameters, draws, skip, 1, trials);
  } catch (const ContractError& error) {
    return error.what();
  }
  return "";
}

TEST(Network, RefusesBrokenContracts) {
  const auto good = [] { return transfer(chain(11, 2)); };
  EXPECT_EQ(refusal(good(), {}), "");
  EXPECT_EQ(refusal(good(), {.k = 0}), "te.network: k: is 0; expected at least 1");
  EXPECT_EQ(refusal(good(), {.algorithm = 3}), "te.network: algorithm: is 3; expected 1 or 2");
  EXPECT_EQ(refusal(good(), {.theiler_window = -1}),
            "te.network: theiler_window: is -1; expected at least 0");
  EXPECT_EQ(refusal(good(), {.k = 10}),
            "te.network: k: is 10, but point 0 has only 9 admissible neighbours (n = 10, theiler_window = "
            "0); expected k of at most that");
  EXPECT_EQ(refusal(good(), {}, {.count = -1}), "te.network: surrogates: is -1; expected at least 0");
  EXPECT_EQ(refusal(good(), {}, {.count = 1, .seeds = {1}}),
            "te.network: seeds: has 1 entries; expected one for each of the 2 sources");
  EXPECT_EQ(refusal(good(), {}, {}, {0}),
            "te.network: skip: has 1 entries; expected one for each of the 2 targets");
  EXPECT_EQ(refusal(good(), {}, {}, {}, {4, 5}), "te.network: trial_lengths: sum to 9; expected the 10 rows");
  Problem fewer = good();
  fewer.y = Tensor::from(std::vector<double>(18, 1.0), {2, 9, 1});
  EXPECT_EQ(refusal(fewer, {}), "te.network: y: has 9 rows; expected the 10 of the sources");
  Problem targets = good();
  targets.z = Tensor::from(std::vector<double>(10, 1.0), {1, 10, 1});
  EXPECT_EQ(refusal(targets, {}), "te.network: z: holds 1 targets; expected the 2 of y");
  Problem bad = good();
  bad.sources.as<double>()[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refusal(bad, {}), "te.network: sources: element 3 is nan; expected finite numbers");
}

}  // namespace
}  // namespace assay::te
