#include "engine/analysis/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/analysis/systems.hpp"

namespace assay::analysis {
namespace {

TEST(BenjaminiHochberg, FollowsThePaper) {
  // the 15 p-values of Benjamini and Hochberg 1995, section 4.1: four discoveries at q = 0.05
  const std::vector<double> p{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                              0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
  const std::vector<bool> found = benjamini_hochberg(p, 0.05);
  EXPECT_EQ(std::count(found.begin(), found.end(), true), 4);
  EXPECT_TRUE(found[3]);
  EXPECT_FALSE(found[4]);
}

TEST(BenjaminiHochberg, StepsUpAndTreatsEqualsAlike) {
  EXPECT_EQ(benjamini_hochberg(std::vector<double>{0.05, 0.04, 0.05}, 0.05),
            (std::vector<bool>{true, true, true}));
  EXPECT_EQ(benjamini_hochberg(std::vector<double>{0.9, 0.01, 0.2}, 0.05),
            (std::vector<bool>{false, true, false}));
  EXPECT_TRUE(benjamini_hochberg({}, 0.05).empty());
}

TEST(BenjaminiHochberg, KnowsWhatItCannotFind) {
  const std::int64_t pairs = 90, surrogates = 100;
  const std::int64_t least = least_discoveries(pairs, surrogates, 0.05);
  EXPECT_EQ(least, 18);
  for (const std::int64_t found : {least - 1, least}) {
    std::vector<double> p(90, 1.0);
    std::fill_n(p.begin(), found, 1.0 / 101);
    EXPECT_EQ(benjamini_hochberg(p, 0.05)[0], found == least);
  }
  EXPECT_EQ(least_discoveries(90, 1799, 0.05), 1);
}

class NetworkOf : public testing::Test {
 protected:
  GeneratedSystem made = std::move(generate("network", 800, 12, 5)).value();
  NetworkOptions options = [] {
    NetworkOptions all;
    all.surrogates.count = 100;
    all.fdr = 0.1;
    return all;
  }();
  Network run(const NetworkOptions& how, unsigned threads, const Progress& progress = {}) {
    Context context = Context::cpu(threads);
    Result<Network> found = network(made.table, how, engine_estimator(context), context.pool(), progress);
    EXPECT_TRUE(found) << found.error().message;
    return std::move(found).value();
  }
};

TEST_F(NetworkOf, FindsEveryTrueEdge) {
  const Network found = run(options, 2);
  ASSERT_EQ(found.edges.size(), 20U);
  ASSERT_FALSE(made.edges.empty());
  for (const TrueEdge& edge : made.edges) {
    const NetworkEdge& pair =
        found.edge(static_cast<std::size_t>(edge.source), static_cast<std::size_t>(edge.target));
    EXPECT_EQ(pair.source, edge.source);
    EXPECT_EQ(pair.target, edge.target);
    EXPECT_TRUE(pair.significant) << edge.source << " -> " << edge.target;
  }
}

TEST_F(NetworkOf, IsTheSameOnAnyNumberOfThreadsAndForAnyOtherColumns) {
  options.surrogates.count = 19;
  const Network one = run(options, 1), three = run(options, 3), many = run(options, 30);
  options.columns = {3, 1};
  const Network part = run(options, 2);
  for (std::size_t i = 0; i < one.edges.size(); ++i) {
    for (const Network* other : {&three, &many}) {
      EXPECT_EQ(one.edges[i].estimate.value, other->edges[i].estimate.value);
      EXPECT_EQ(one.edges[i].estimate.surrogates->mean, other->edges[i].estimate.surrogates->mean);
      EXPECT_EQ(one.edges[i].significant, other->edges[i].significant);
    }
  }
  EXPECT_EQ(part.edge(0, 1).estimate.surrogates->mean, one.edge(3, 1).estimate.surrogates->mean);
  EXPECT_EQ(part.edge(1, 0).estimate.value, one.edge(1, 3).estimate.value);
}

TEST_F(NetworkOf, AgreesWithThePairAlone) {
  options.surrogates.count = 0;
  options.spec.k_history = 2;
  options.spec.conditionals = {0, 4};
  options.spec.cond_delay = {1, 2};
  const Network found = run(options, 2);
  Context context = Context::cpu(1);
  TeSpec spec = options.spec;
  spec.sources = {0};
  spec.targets = {2};
  spec.conditionals = {4};  // 0 is the source of this pair
  spec.cond_delay = {2};
  const auto alone = estimate(made.table, spec, {}, engine_estimator(context), context.pool());
  EXPECT_EQ(found.edge(0, 2).estimate.value, alone.value().value);
  EXPECT_FALSE(found.edge(0, 2).significant);
}

TEST_F(NetworkOf, ReportsProgressPairByPair) {
  options.surrogates.count = 0;
  std::set<std::int64_t> seen;
  run(options, 2, [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, 20);
    seen.insert(done);
  });
  EXPECT_EQ(seen.size(), 20U);
  EXPECT_EQ(*seen.rbegin(), 20);
}

TEST_F(NetworkOf, ChoosesTheEmbeddingOfEachColumnOnce) {
  options.surrogates.count = 0;
  options.columns = {0, 1, 2};
  Context context = Context::cpu(2);
  for (const EmbedMethod method : {EmbedMethod::ragwitz, EmbedMethod::ais_target, EmbedMethod::ais_te}) {
    options.embed = EmbedSearch{.method = method, .k_search_max = 2, .tau_search_max = 2};
    const Network found = run(options, 2);
    for (const NetworkEdge& edge : found.edges) {
      TeSpec spec;
      spec.sources = {edge.source};
      spec.targets = {edge.target};
      const TeSpec chosen =
          auto_embed(made.table, spec, options.estimation, *options.embed, engine_estimator(context)).value();
      EXPECT_EQ(edge.k_history, chosen.k_history);
      EXPECT_EQ(edge.k_tau, chosen.k_tau);
      EXPECT_EQ(edge.l_history, chosen.l_history);
      EXPECT_EQ(edge.l_tau, chosen.l_tau);
    }
  }
}

TEST_F(NetworkOf, RefusesInOneLineThatNamesThePair) {
  Context context = Context::cpu(2);
  const auto message = [&](const NetworkOptions& how) {
    const Result<Network> refused = network(made.table, how, engine_estimator(context), context.pool());
    EXPECT_FALSE(refused);
    return refused ? std::string() : refused.error().message;
  };
  NetworkOptions wrong;
  wrong.spec.k_history = 900;
  EXPECT_EQ(message(wrong).rfind("pair v0 -> v1: too few observations: 800 rows make 0", 0), 0U)
      << message(wrong);
  wrong = {};
  wrong.columns = {0};
  EXPECT_EQ(message(wrong), "network: 1 column, expected at least 2");
  wrong.columns = {0, 0};
  EXPECT_EQ(message(wrong), "network: a column is given twice, expected each once");
  wrong.columns = {0, 5};
  EXPECT_EQ(message(wrong), "network: 5 is not a column of the data, expected 0 to 4");
  wrong = {};
  wrong.fdr = 0;
  EXPECT_EQ(message(wrong), "fdr: expected a number between 0 and 1");
}

TEST(Interval, StudentQuantilesAreTheTabulatedOnes) {
  EXPECT_NEAR(student_t_quantile(0.975, 1), 12.7062047364, 1e-8);
  EXPECT_NEAR(student_t_quantile(0.975, 9), 2.2621571628, 1e-9);
  EXPECT_NEAR(student_t_quantile(0.95, 30), 1.6972608866, 1e-9);
  EXPECT_NEAR(student_t_quantile(0.025, 9), -2.2621571628, 1e-9);
  EXPECT_NEAR(student_t_quantile(0.5, 4), 0, 1e-12);
}

TEST(Interval, CoversTheTruthOfAGaussianProcess) {
  Context context = Context::cpu(2);
  const Estimator estimator = engine_estimator(context);
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  int covered = 0;
  const int runs = 60;
  for (int run = 0; run < runs; ++run) {
    const GeneratedSystem made = coupled_ar1(500, 0.6, 0.5, 0.4, 1000 + static_cast<std::uint64_t>(run));
    const double truth = gaussian_information(*made.linear, layout_of(made.table, spec).value());
    const Points points = prepare(made.table, layout_of(made.table, spec).value(), {}).value();
    const double value = estimator.evaluate(view_of(points), {}, false).value;
    const Interval interval =
        jackknife_interval(points, value, {}, 0.95, 10, estimator, context.pool()).value();
    covered += interval.low <= truth && truth <= interval.high;
  }
  // 95 % asked for. Were it 88 % (the jackknife of a slightly biased estimate), fewer than 44 of
  // 60 has probability 10^-3.
  EXPECT_GE(covered, 44);
}

TEST(Interval, RefusesWhatItCannotLeaveOut) {
  Context context = Context::cpu(1);
  const Estimator estimator = engine_estimator(context);
  const GeneratedSystem made = coupled_ar1(9, 0.6, 0.5, 0.4, 1);
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  EstimationOptions options;
  options.k = 6;
  const Points points = prepare(made.table, layout_of(made.table, spec).value(), options).value();
  EXPECT_FALSE(jackknife_interval(points, 0, options, 0.95, 2, estimator, context.pool()));
  EXPECT_FALSE(jackknife_interval(points, 0, options, 1.5, 2, estimator, context.pool()));
  EXPECT_FALSE(jackknife_interval(points, 0, options, 0.95, 1, estimator, context.pool()));
}

}  // namespace
}  // namespace assay::analysis
