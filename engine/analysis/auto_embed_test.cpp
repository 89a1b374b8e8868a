#include "engine/analysis/auto_embed.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/analysis/measure.hpp"
#include "engine/analysis/systems.hpp"

namespace assay::analysis {
namespace {

class AutoEmbed : public testing::Test {
 protected:
  Context context = Context::cpu(2);
  Estimator estimator = engine_estimator(context);
};

TEST_F(AutoEmbed, KnowsTheNames) {
  EXPECT_EQ(embed_method_of("ragwitz"), EmbedMethod::ragwitz);
  EXPECT_EQ(embed_method_of("RAGWITZ_DEST_ONLY"), EmbedMethod::ragwitz_target);
  EXPECT_EQ(embed_method_of("ais"), EmbedMethod::ais);
  EXPECT_EQ(embed_method_of("MAX_CORR_AIS_DEST_ONLY"), EmbedMethod::ais_target);
  EXPECT_EQ(embed_method_of("ais-te"), EmbedMethod::ais_te);
  EXPECT_FALSE(embed_method_of("ragwits"));
}

TEST_F(AutoEmbed, TheRagwitzErrorIsTheOneOfThePredictionByHand) {
  // next values of the past 0, 1, 2, 10, 11: nearest one neighbour each; not normalised
  SeriesTable table;
  table.names = {"y"};
  table.values = Tensor::from(std::vector<double>{0, 1, 2.5, 10, 11.2, 5}, Shape{6, 1});
  EstimationOptions options;
  options.normalise = Normalise::none;
  const EmbedSearch search{
      .method = EmbedMethod::ragwitz, .k_search_max = 1, .tau_search_max = 1, .ragwitz_neighbours = 1};
  // pasts 0, 1, 2.5, 10, 11.2 predict by the next of 1, 0, 1, 11.2, 10: 2.5, 1, 2.5, 5,
  // 11.2 for 1, 2.5, 10, 11.2, 5
  const double expected = (1.5 * 1.5 + 1.5 * 1.5 + 7.5 * 7.5 + 6.2 * 6.2 + 6.2 * 6.2) / 5;
  const Result<Embedding> found = search_ragwitz(table, {0}, options, search);
  ASSERT_TRUE(found);
  EXPECT_NEAR(found.value().score, expected, 1e-12);
}

TEST_F(AutoEmbed, FindsTheOrderOfAProcess) {
  // y depends on its values 1 and 2 steps ago, alternating in sign: one lag alone predicts little
  const VectorAutoregression process{2, {{0.5, 0, 0, 0.1}, {0, 0, 0, -0.8}}, {1, 1}};
  const SeriesTable table = simulate(process, 2000, 5);
  for (const EmbedMethod method : {EmbedMethod::ragwitz, EmbedMethod::ais}) {
    const EmbedSearch search{.method = method, .k_search_max = 3, .tau_search_max = 2};
    const Result<Embedding> found = search_past(table, {1}, {}, search, estimator);
    ASSERT_TRUE(found);
    EXPECT_EQ(found.value().history, 2);
    EXPECT_EQ(found.value().tau, 1);
  }
}

TEST_F(AutoEmbed, TheScoreOfAStorageSearchIsTheEstimate) {
  const SeriesTable table = std::move(generate("ar1", 500, 5)).value().table;
  const EmbedSearch search{.method = EmbedMethod::ais, .k_search_max = 2, .tau_search_max = 2};
  const Result<AisSpec> chosen = auto_embed(table, AisSpec{{1}}, {}, search, estimator);
  ASSERT_TRUE(chosen);
  const Result<Estimate> answer = estimate(table, chosen.value(), {}, estimator, context.pool());
  EXPECT_EQ(answer.value().value, search_ais(table, {1}, {}, search, estimator).value().score);
}

TEST_F(AutoEmbed, TheTransferSearchFindsTheLaggedSource) {
  const SeriesTable table = std::move(generate("delayed", 2000, 5)).value().table;
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  const EmbedSearch search{.method = EmbedMethod::ais_te, .k_search_max = 3, .tau_search_max = 2};
  const Result<TeSpec> chosen = auto_embed(table, spec, {}, search, estimator);
  ASSERT_TRUE(chosen);
  EXPECT_GE((chosen.value().l_history - 1) * chosen.value().l_tau + 1, 3);  // reaches the lag of 3
  const EmbedSearch target_only{.method = EmbedMethod::ais_target, .k_search_max = 3, .tau_search_max = 2};
  const Result<TeSpec> half = auto_embed(table, spec, {}, target_only, estimator);
  EXPECT_EQ(half.value().k_history, chosen.value().k_history);
  EXPECT_EQ(half.value().l_history, 1);
}

TEST_F(AutoEmbed, PassesOverCandidatesThatDoNotFitAndRefusesWhenNoneDoes) {
  const SeriesTable table = std::move(generate("ar1", 12, 5)).value().table;
  const EmbedSearch wide{.method = EmbedMethod::ragwitz, .k_search_max = 1000000, .tau_search_max = 1000000};
  const Result<Embedding> found = search_ragwitz(table, {0}, {}, wide);
  ASSERT_TRUE(found);
  EXPECT_LE((found.value().history - 1) * found.value().tau + 1, 7);
  EstimationOptions many;
  many.k = 11;
  const Result<Embedding> refused = search_ais(table, {0}, many, wide, estimator);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("too few observations"), std::string::npos);
  EXPECT_FALSE(search_ragwitz(table, {0}, {}, {.k_search_max = 0}));
  EXPECT_FALSE(search_ragwitz(table, {0}, {}, {.tau_search_max = 0}));
  EXPECT_FALSE(search_ragwitz(table, {0}, {}, {.ragwitz_neighbours = -1}));
  EXPECT_FALSE(search_ragwitz(table, {2}, {}, {}));
}

}  // namespace
}  // namespace assay::analysis
