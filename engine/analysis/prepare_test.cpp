#include "engine/analysis/prepare.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "engine/analysis/systems.hpp"

namespace assay::analysis {
namespace {

SeriesTable table_of(const std::vector<double>& values, std::int64_t columns) {
  SeriesTable table;
  const auto rows = static_cast<std::int64_t>(values.size()) / columns;
  for (std::int64_t c = 0; c < columns; ++c) table.names.push_back("c" + std::to_string(c));
  table.values = Tensor::from(values, Shape{rows, columns});
  return table;
}

EstimationOptions options_with(Normalise normalise, std::int64_t k = 1) {
  EstimationOptions options;
  options.normalise = normalise;
  options.k = k;
  return options;
}

std::vector<double> column_of(const Tensor& matrix, std::size_t column) {
  const auto width = static_cast<std::size_t>(matrix.shape().at(1));
  const auto values = matrix.as<double>();
  std::vector<double> taken;
  for (std::size_t row = 0; row * width < values.size(); ++row) taken.push_back(values[row * width + column]);
  return taken;
}

TEST(Prepare, PutsEveryLagWhereItBelongs) {
  std::vector<double> values;
  for (int t = 0; t < 12; ++t) values.insert(values.end(), {100.0 + t, 200.0 + t, 300.0 + t});
  const SeriesTable table = table_of(values, 3);
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  spec.conditionals = {2};
  spec.k_history = 2;
  spec.k_tau = 2;
  spec.l_history = 2;
  spec.l_tau = 3;
  spec.delay = 2;
  spec.cond_history = {1};
  spec.cond_delay = {4};
  const Result<Points> points = prepare(table, layout_of(table, spec).value(), options_with(Normalise::none));
  ASSERT_TRUE(points);
  EXPECT_EQ(points.value().count(), 12 - 5);  // (l_history - 1) l_tau + delay reaches furthest
  EXPECT_EQ(points.value().times.front(), 5);
  EXPECT_EQ(column_of(points.value().x, 0).front(), 103);
  EXPECT_EQ(column_of(points.value().x, 1).front(), 100);
  EXPECT_EQ(column_of(points.value().y, 0).front(), 205);
  EXPECT_EQ(column_of(points.value().z, 0).front(), 204);
  EXPECT_EQ(column_of(points.value().z, 1).front(), 202);
  EXPECT_EQ(column_of(points.value().z, 2).front(), 301);
}

TEST(Prepare, AConditionalOfHistoryZeroStillHoldsTheStartBack) {
  std::vector<double> values(40);
  std::iota(values.begin(), values.end(), 0.0);
  const SeriesTable table = table_of(values, 2);
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  spec.conditionals = {0};
  spec.cond_history = {0};
  spec.cond_tau = {2};
  spec.cond_delay = {7};
  const Result<Points> points =
      prepare(table, layout_of(table, spec).value(), options_with(Normalise::columns));
  ASSERT_TRUE(points);
  EXPECT_EQ(points.value().count(), 20 - 5);  // (0 - 1) * 2 + 7
  EXPECT_EQ(points.value().z.shape(), (Shape{15, 1}));
}

TEST(Prepare, ColumnsAreScoredOverTheObservationsThatAreUsed) {
  const SeriesTable table = std::move(generate("ar1", 60, 2)).value().table;
  const Result<Points> points =
      prepare(table, layout_of(table, AisSpec{{0}, 2, 3}).value(), options_with(Normalise::columns));
  ASSERT_TRUE(points);
  for (const std::size_t c : {0U, 1U}) {
    const std::vector<double> column = column_of(points.value().x, c);
    const double mean =
        std::accumulate(column.begin(), column.end(), 0.0) / static_cast<double>(column.size());
    double squares = 0;
    for (const double value : column) squares += value * value;
    EXPECT_NEAR(mean, 0, 1e-15);
    EXPECT_NEAR(squares / static_cast<double>(column.size() - 1), 1, 1e-14);
  }
}

TEST(Prepare, SeriesAreScoredOverAllRowsBeforeEmbedding) {
  const SeriesTable table = table_of({1, 2, 3, 4, 5, 15}, 1);
  const Result<Points> points =
      prepare(table, layout_of(table, AisSpec{{0}, 1, 1}).value(), options_with(Normalise::series));
  ASSERT_TRUE(points);
  const double deviation = std::sqrt((16.0 + 9 + 4 + 1 + 0 + 100) / 5);  // around the mean of 5
  EXPECT_DOUBLE_EQ(column_of(points.value().x, 0)[0], -4 / deviation);
  EXPECT_DOUBLE_EQ(column_of(points.value().y, 0)[4], 10 / deviation);
}

TEST(Prepare, AConstantColumnIsOnlyCentred) {
  std::vector<double> matrix{0.1, 1, 0.1, 2, 0.1, 3};
  normalise_columns(matrix, 3, 2);
  EXPECT_EQ(matrix, (std::vector<double>{0, -1, 0, 0, 0, 1}));
}

TEST(Prepare, TrialsAreNeverCrossedAndShortOnesContributeNothing) {
  SeriesTable table = table_of({0, 1, 2, 10, 20, 21, 22, 23}, 1);
  table.trial_lengths = {3, 1, 4};
  const Result<Points> points =
      prepare(table, layout_of(table, AisSpec{{0}, 1, 1}).value(), options_with(Normalise::none));
  ASSERT_TRUE(points);
  EXPECT_EQ(points.value().trial_lengths, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(column_of(points.value().x, 0), (std::vector<double>{0, 1, 20, 21, 22}));
  EXPECT_EQ(points.value().times, (std::vector<std::int64_t>{1, 2, 5, 6, 7}));
}

TEST(Prepare, NoiseHasTheAskedDeviationAndDependsOnTheSeedAlone) {
  const SeriesTable table = table_of(std::vector<double>(20000, 3.0), 1);
  EstimationOptions options = options_with(Normalise::columns);
  options.noise = 1e-8;
  const Layout layout = layout_of(table, AisSpec{{0}, 1, 1}).value();
  const Result<Points> points = prepare(table, layout, options);
  ASSERT_TRUE(points);
  const std::vector<double> x = column_of(points.value().x, 0), y = column_of(points.value().y, 0);
  double squares = 0, product = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    squares += x[i] * x[i];
    product += x[i] * y[i];
  }
  const double count = static_cast<double>(x.size());
  EXPECT_NEAR(squares / count, 1e-16, 5 * 1e-16 * std::sqrt(2 / count));
  EXPECT_NEAR(product / count, 0, 5 * 1e-16 / std::sqrt(count));
  EXPECT_EQ(x, column_of(prepare(table, layout, options).value().x, 0));
}

TEST(Prepare, CountsTheNeighboursThatTheWindowLeaves) {
  const auto left = [](std::vector<std::int64_t> trials, std::int64_t window) {
    return admissible_neighbours(trials, window);
  };
  EXPECT_EQ(left({10}, 0), 9);
  EXPECT_EQ(left({10}, 2), 5);
  EXPECT_EQ(left({5}, 2), 0);
  EXPECT_EQ(left({6}, 2), 1);
  EXPECT_EQ(left({4, 7}, 10), 4);
  EXPECT_EQ(left({4, 7}, std::numeric_limits<std::int64_t>::max()), 4);
  EXPECT_EQ(left({}, 3), 0);
}

TEST(Prepare, RefusesNumbersThatAreNone) {
  std::vector<double> values(20, 1.0);
  values[2 * 3 + 1] = std::numeric_limits<double>::quiet_NaN();
  const SeriesTable table = table_of(values, 2);
  const Result<Points> refused =
      prepare(table, layout_of(table, CmiSpec{{0}, {1}}).value(), options_with(Normalise::none));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, InputError::Code::not_finite);
  EXPECT_EQ(refused.error().message, "column 'c1', row 3 of the data: NaN, expected a finite number");
  EXPECT_TRUE(prepare(table, layout_of(table, AisSpec{{0}}).value(), options_with(Normalise::none)));
}

TEST(Prepare, ScoresNumbersOfAnyMagnitude) {
  const std::vector<double> plain{1, -2, 4, 8, -1, 3};
  for (const int exponent : {1000, -1000, 300, -1060}) {
    std::vector<double> scaled = plain;
    for (double& value : scaled) value = std::ldexp(value, exponent);
    std::vector<double> scored = plain;
    normalise_columns(scored, 6, 1);
    normalise_columns(scaled, 6, 1);
    EXPECT_EQ(scaled, scored) << exponent;
  }
}

TEST(Prepare, RefusesOptionsThatMakeNoSense) {
  const SeriesTable huge = table_of({1, 2, 3, 4, 5, 6}, 1);
  const Layout layout = layout_of(huge, AisSpec{{0}}).value();
  EstimationOptions options = options_with(Normalise::none);
  options.noise = -1;
  EXPECT_FALSE(prepare(huge, layout, options));
  options.noise = 0;
  options.algorithm = 3;
  EXPECT_FALSE(prepare(huge, layout, options));
  options.algorithm = 1;
  options.theiler_window = -1;
  EXPECT_FALSE(prepare(huge, layout, options));
}

TEST(Series, TakesTheFirstRowsAndCutsTheLastTrial) {
  SeriesTable table = table_of({0, 1, 2, 3, 4, 5}, 1);
  table.trial_lengths = {2, 3, 1};
  const Result<SeriesTable> cut = take_first_rows(table, 4);
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut.value().rows(), 4);
  EXPECT_EQ(cut.value().trial_lengths, (std::vector<std::int64_t>{2, 2}));
  EXPECT_FALSE(take_first_rows(table, 7));
  EXPECT_FALSE(take_first_rows(table, 0));
}

TEST(Series, ReadsTrialsFromAColumn) {
  const SeriesTable table = table_of({5, 0.1, 5, 0.2, 7, 0.3, 6, 0.4, 6, 0.5}, 2);
  EXPECT_EQ(with_trials(table, 0).value().trial_lengths, (std::vector<std::int64_t>{2, 1, 2}));
  EXPECT_FALSE(with_trials(table, 2));
  const Result<SeriesTable> torn = with_trials(table_of({1, 2, 1}, 1), 0);
  ASSERT_FALSE(torn);
  EXPECT_NE(torn.error().message.find("row 2 returns to a trial"), std::string::npos);
  EXPECT_TRUE(constant_column(table_of({4, 4, 4}, 1), 0));
  EXPECT_FALSE(constant_column(table, 1));
}

TEST(Specification, SpreadsOneEntryOverAllConditionals) {
  const SeriesTable table = table_of(std::vector<double>(40, 1.0), 4);
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  spec.conditionals = {2, 3};
  spec.cond_history = {2};
  const Result<Layout> layout = layout_of(table, spec);
  ASSERT_TRUE(layout);
  ASSERT_EQ(layout.value().z.size(), 3U);
  EXPECT_EQ(layout.value().z[1].history, 2);
  EXPECT_EQ(layout.value().z[2].history, 2);
  EXPECT_EQ(layout.value().z[2].delay, 1);
  spec.cond_delay = {1, 2, 3};
  const Result<Layout> refused = layout_of(table, spec);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "cond-delay: 3 entries, expected one for each of the 2 conditionals");
}

TEST(Specification, RefusesColumnsAndNumbersOutOfRange) {
  const SeriesTable table = table_of(std::vector<double>(40, 1.0), 4);
  EXPECT_FALSE(layout_of(table, CmiSpec{{0}, {4}}));
  EXPECT_FALSE(layout_of(table, CmiSpec{{}, {1}}));
  EXPECT_FALSE(layout_of(table, CmiSpec{{0}, {1}, {-1}}));
  EXPECT_FALSE(layout_of(table, AisSpec{{0}, 0, 1}));
  EXPECT_FALSE(layout_of(table, AisSpec{{0}, 1, 0}));
  TeSpec spec;
  spec.sources = {0};
  spec.targets = {1};
  spec.l_history = 0;
  EXPECT_EQ(layout_of(table, spec).error().message, "l-history: 0 is out of range, expected 1 to 1000000000");
}

}  // namespace
}  // namespace assay::analysis
