#include "engine/analysis/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/analysis/delay_scan.hpp"
#include "engine/analysis/network_schedule.hpp"
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

/// The same cells, bit for bit; NaN equals NaN.
template <typename T>
void expect_same(const PairMatrix<T>& a, const PairMatrix<T>& b, const char* name) {
  ASSERT_EQ(a.sources(), b.sources()) << name;
  ASSERT_EQ(a.targets(), b.targets()) << name;
  for (std::size_t i = 0; i < a.cells().size(); ++i)
    EXPECT_TRUE(a.cells()[i] == b.cells()[i] ||
                (a.cells()[i] != a.cells()[i] && b.cells()[i] != b.cells()[i]))
        << name << " " << i << ": " << +a.cells()[i] << " and " << +b.cells()[i];
}

void expect_same(const Network& a, const Network& b) {
  expect_same(a.te, b.te, "te");
  expect_same(a.hits, b.hits, "hits");
  expect_same(a.surrogate_mean, b.surrogate_mean, "surrogate mean");
  expect_same(a.surrogate_std, b.surrogate_std, "surrogate deviation");
  expect_same(a.ci_low, b.ci_low, "ci low");
  expect_same(a.ci_high, b.ci_high, "ci high");
  expect_same(a.delay, b.delay, "delay");
  expect_same(a.significant, b.significant, "significant");
  EXPECT_EQ(a.least_samples, b.least_samples);
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
  /// By te.network, on so many contexts.
  Network run(const NetworkOptions& how, unsigned threads, const Progress& progress = {},
              std::size_t contexts = 1) {
    std::vector<Context> held;
    std::vector<Context*> all;
    for (std::size_t i = 0; i < contexts; ++i) held.push_back(Context::cpu(threads));
    for (Context& context : held) all.push_back(&context);
    Result<Network> found = network(made.table, how, all, progress);
    EXPECT_TRUE(found) << found.error().message;
    return std::move(found).value();
  }
  Network run_pairs(const NetworkOptions& how, unsigned threads, const Progress& progress = {}) {
    Context context = Context::cpu(threads);
    Result<Network> found = network(made.table, how, engine_estimator(context), context.pool(), progress);
    EXPECT_TRUE(found) << found.error().message;
    return std::move(found).value();
  }
  Estimate alone(TeSpec spec, std::int64_t source, std::int64_t target, const EstimationOptions& how = {}) {
    Context context = Context::cpu(1);
    spec.sources = {source};
    spec.targets = {target};
    return estimate(made.table, spec, {how, {}, false}, engine_estimator(context), context.pool()).value();
  }
};

TEST_F(NetworkOf, FindsEveryTrueEdge) {
  const Network found = run(options, 2);
  ASSERT_EQ(found.width(), 5U);
  ASSERT_FALSE(made.edges.empty());
  for (const TrueEdge& edge : made.edges)
    EXPECT_EQ(
        found.significant.at(static_cast<std::size_t>(edge.source), static_cast<std::size_t>(edge.target)), 1)
        << edge.source << " -> " << edge.target;
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(std::isnan(found.te(i, i)));
    EXPECT_EQ(found.significant(i, i), 0);
  }
}

TEST_F(NetworkOf, SignificanceIsThatOfTheProcedureOnAllPairs) {
  options.surrogates.count = 30;
  for (const double fdr : {0.05, 0.5}) {
    options.fdr = fdr;
    const Network found = run(options, 2);
    std::vector<double> p_values;
    std::vector<bool> significant;
    for (std::size_t source = 0; source < 5; ++source)
      for (std::size_t target = 0; target < 5; ++target)
        if (source != target) {
          p_values.push_back(found.p_value(source, target));
          significant.push_back(found.significant(source, target) != 0);
        }
    EXPECT_EQ(significant, benjamini_hochberg(p_values, fdr)) << fdr;
  }
}

TEST_F(NetworkOf, IsTheSameOnAnyNumberOfThreadsAndForAnyOtherColumns) {
  options.surrogates.count = 19;
  const Network one = run(options, 1);
  expect_same(one, run(options, 3));
  expect_same(one, run(options, 30));
  options.columns = {3, 1};
  const Network part = run(options, 2);
  EXPECT_EQ(part.surrogate_mean(0, 1), one.surrogate_mean(3, 1));
  EXPECT_EQ(part.te(1, 0), one.te(1, 3));
}

TEST_F(NetworkOf, IsTheSameHoweverItIsCutAndSharedOut) {
  options.surrogates.count = 4;
  options.interval.confidence = 0.9;
  const Network whole = run(options, 2);
  for (const std::int64_t batch : {1, 3}) {
    options.batch_targets = batch;
    expect_same(whole, run(options, 2));
    expect_same(whole, run(options, 1, {}, 3));
  }
  // a little less memory than all sources take: blocks of sources too
  options.batch_targets = 1;
  Context context = Context::cpu(1);
  Context* const contexts[] = {&context};
  const NetworkSchedule all = forecast_network(made.table, options, contexts).value().schedule;
  ASSERT_EQ(all.tiling.source_block, 5);
  options.memory_bytes = all.host_bytes + all.result_bytes - 100;
  const NetworkSchedule blocks = forecast_network(made.table, options, contexts).value().schedule;
  ASSERT_LT(blocks.tiling.source_block, 5);
  EXPECT_LE(blocks.host_bytes + blocks.result_bytes, options.memory_bytes);
  expect_same(whole, run(options, 1));
}

// Everything that the shared way serves, against the pairs one by one.
TEST_F(NetworkOf, AgreesWithThePairsOneByOne) {
  options.surrogates.count = 7;
  std::vector<NetworkOptions> all(8, options);
  all[0].spec = {
      .sources = {}, .targets = {}, .k_history = 2, .k_tau = 3, .l_history = 3, .l_tau = 2, .delay = 4};
  all[1].estimation.normalise = Normalise::series;
  all[1].estimation.noise = 1e-3;
  all[2].estimation = {
      .k = 3, .algorithm = 2, .theiler_window = 5, .normalise = Normalise::none, .noise = 0.1};
  all[3].spec.k_history = 0;
  all[4].surrogates.method = SurrogateMethod::shift;
  all[4].interval = {.confidence = 0.9, .method = IntervalMethod::subsample};
  all[5].interval.confidence = 0.9;
  all[6].delays = {3, 1, 2};
  all[6].spec.l_history = 2;
  all[7].columns = {4, 0, 2};  // 1 is a conditional of all
  all[7].spec.conditionals = {1, 3};
  all[7].spec.cond_history = {2, 0};
  all[7].spec.cond_delay = {2, 9};
  all[7].estimation.noise = 0.2;
  made.table.trial_lengths = {300, 20, 480};
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(i);
    ASSERT_TRUE(shares_sources(all[i]));
    expect_same(run(all[i], 2), run_pairs(all[i], 2));
  }
}

TEST_F(NetworkOf, HoldsTheValuesOfThePairAlone) {
  options.surrogates.count = 0;
  options.spec.k_history = 2;
  options.estimation.noise = 0.01;
  const Network found = run(options, 2);
  for (std::size_t source = 0; source < 5; ++source)
    for (std::size_t target = 0; target < 5; ++target)
      if (source != target) {
        EXPECT_EQ(found.te(source, target), alone(options.spec, static_cast<std::int64_t>(source),
                                                  static_cast<std::int64_t>(target), options.estimation)
                                                .value);
      }
  EXPECT_TRUE(found.significant.empty());
}

TEST_F(NetworkOf, DropsAConditionalThatIsInThePair) {
  options.surrogates.count = 0;
  options.spec.k_history = 2;
  options.spec.conditionals = {0, 4};
  options.spec.cond_delay = {1, 2};
  ASSERT_FALSE(shares_sources(options));
  const Network found = run_pairs(options, 2);
  TeSpec spec = options.spec;
  spec.conditionals = {4};  // 0 is the source of this pair
  spec.cond_delay = {2};
  const Estimate pair = alone(spec, 0, 2);
  EXPECT_EQ(found.te(0, 2), pair.value);
  EXPECT_EQ(found.samples_of(0, 2), pair.samples);
}

TEST_F(NetworkOf, ReportsProgress) {
  options.surrogates.count = 0;
  std::set<std::int64_t> seen;
  const Progress progress = [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, 20);
    seen.insert(done);
  };
  run_pairs(options, 2, progress);
  EXPECT_EQ(seen.size(), 21U);  // 0 to 20
  EXPECT_EQ(*seen.rbegin(), 20);
  seen.clear();
  options.batch_targets = 2;
  run(options, 2, progress);
  EXPECT_EQ(seen, (std::set<std::int64_t>{0, 8, 16, 20}));
}

TEST_F(NetworkOf, ChoosesTheEmbeddingOfEachColumnOnce) {
  options.surrogates.count = 0;
  options.columns = {0, 1, 2};
  Context context = Context::cpu(2);
  for (const EmbedMethod method : {EmbedMethod::ragwitz, EmbedMethod::ais_target, EmbedMethod::ais_te}) {
    options.embed = EmbedSearch{.method = method, .k_search_max = 2, .tau_search_max = 2};
    const Network found = run_pairs(options, 2);
    for (std::size_t source = 0; source < 3; ++source)
      for (std::size_t target = 0; target < 3; ++target) {
        if (source == target) continue;
        TeSpec spec;
        spec.sources = {static_cast<std::int64_t>(source)};
        spec.targets = {static_cast<std::int64_t>(target)};
        const TeSpec chosen =
            auto_embed(made.table, spec, options.estimation, *options.embed, engine_estimator(context))
                .value();
        EXPECT_EQ(found.k_history(source, target), chosen.k_history);
        EXPECT_EQ(found.k_tau(source, target), chosen.k_tau);
        EXPECT_EQ(found.l_history(source, target), chosen.l_history);
        EXPECT_EQ(found.l_tau(source, target), chosen.l_tau);
      }
  }
}

TEST_F(NetworkOf, RefusesInOneLineThatNamesThePair) {
  Context context = Context::cpu(2);
  Context* const contexts[] = {&context};
  const auto message = [&](const NetworkOptions& how) {
    const Result<Network> refused = network(made.table, how, engine_estimator(context), context.pool());
    const Result<Network> shared = network(made.table, how, contexts);
    EXPECT_FALSE(refused);
    EXPECT_FALSE(shared);
    if (refused || shared) return std::string();
    EXPECT_EQ(refused.error().message, shared.error().message);
    return refused.error().message;
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
  wrong = {};
  wrong.delays = {1, 2};
  wrong.interval.confidence = 0.9;
  EXPECT_EQ(message(wrong),
            "network: no interval is known for the largest of several delays, expected a single delay");
  wrong.delays = {1, 1};
  EXPECT_EQ(message(wrong), "delay: one is given twice, expected each once");
}

TEST_F(NetworkOf, RefusesWhatIsNotFiniteAndWhatDoesNotFit) {
  Context context = Context::cpu(1);
  Context* const contexts[] = {&context};
  options.memory_bytes = 500;
  const Result<Network> large = network(made.table, options, contexts);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, InputError::Code::too_large);
  EXPECT_NE(large.error().message.find("the result of 5 columns needs"), std::string::npos)
      << large.error().message;
  options.memory_bytes = 0;
  made.table.values.as<double>()[7 * 5 + 3] = std::nan("");
  const Result<Network> refused = network(made.table, options, contexts);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "column 'v3', row 7 of the data: NaN, expected a finite number");
  options.columns = {0, 1, 2, 4};
  EXPECT_TRUE(network(made.table, options, contexts));
}

TEST_F(NetworkOf, ForecastsWithoutComputing) {
  Context context = Context::cpu(2);
  Context* const contexts[] = {&context};
  options.delays = {1, 2, 3};
  options.batch_targets = 2;
  const NetworkForecast planned = forecast_network(made.table, options, contexts).value();
  EXPECT_TRUE(planned.shared);
  EXPECT_EQ(planned.schedule.pairs, 20);
  EXPECT_EQ(planned.schedule.samples, 797);
  EXPECT_EQ(planned.schedule.evaluations, 20 * 3 * 101);
  EXPECT_EQ(planned.schedule.tiling.count(), 3);
  EXPECT_GT(planned.seconds, 0);
  EXPECT_EQ(planned.schedule.result_bytes, 25 * (8 + 4 + 8 + 8 + 4 + 1));
}

TEST(DelayScan, FindsTheDelayOfTheCoupling) {
  // y follows x three steps later
  GeneratedSystem made = coupled_ar1(600, 0.0, 0.3, 0.0, 4);
  const auto values = made.table.values.as<double>();
  for (std::size_t row = 3; row < 600; ++row) values[2 * row + 1] += 0.8 * values[2 * (row - 3)];
  Context context = Context::cpu(2);
  const Estimator estimator = engine_estimator(context);
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  MeasureOptions how;
  how.surrogates.count = 50;
  const DelayScan scan =
      scan_delays(made.table, spec, {1, 2, 3, 4, 5}, how, estimator, context.pool()).value();
  EXPECT_EQ(scan.delay, 3);
  EXPECT_EQ(scan.estimate.value, scan.values[2]);
  EXPECT_EQ(scan.estimate.samples, 595);
  EXPECT_EQ(scan.estimate.surrogates->hits, 0);
  // the surrogates are maxima: each at least what it is at any one of the delays, on the same observations
  Layout layout = layout_of(made.table, spec).value();
  layout.least_reach = 5;
  const auto single = estimate(made.table, layout, how, estimator, context.pool()).value();
  EXPECT_EQ(single.value, scan.values[0]);
  bool larger = false;
  for (std::size_t s = 0; s < 50; ++s) {
    EXPECT_GE(scan.estimate.surrogates->values[s], single.surrogates->values[s]);
    larger |= scan.estimate.surrogates->values[s] > single.surrogates->values[s];
  }
  EXPECT_TRUE(larger);
}

TEST(DelayScan, KeepsItsLevelWithoutAnyInfluence) {
  // 120 independent pairs, 8 delays: p <= 0.1 in about 12 of them. Uncorrected (the p-value of the best delay
  // by its own surrogates) it would be about 1 - 0.9^8 = 57 %. More than 28 has probability 10^-5.
  Context context = Context::cpu(2);
  const Estimator estimator = engine_estimator(context);
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  MeasureOptions how;
  how.surrogates.count = 19;
  int found = 0;
  for (std::uint64_t run = 0; run < 120; ++run) {
    const GeneratedSystem made = coupled_ar1(80, 0.0, 0.4, 0.0, 900 + run);
    how.estimation.seed = run;
    const DelayScan scan =
        scan_delays(made.table, spec, {1, 2, 3, 4, 5, 6, 7, 8}, how, estimator, context.pool()).value();
    ASSERT_TRUE(scan.estimate.surrogates.has_value());
    found += scan.estimate.surrogates->p_value <= 0.1;
  }
  EXPECT_LE(found, 28);
  EXPECT_GE(found, 2);
}

}  // namespace
}  // namespace assay::analysis
