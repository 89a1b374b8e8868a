#include "reference/te/ksg.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "engine/analysis/golden_values.hpp"
#include "engine/analysis/measure.hpp"
#include "engine/analysis/systems.hpp"
#include "reference/estimator.hpp"

namespace assay::reference::te {
namespace {

using analysis::golden_tolerance;

struct Answer {
  double value = 0;
  std::vector<double> local, radii;
  std::vector<std::int64_t> counts;
};

Answer ksg(const std::vector<double>& x, const std::vector<double>& y, const std::vector<double>& z,
           std::int64_t k, int algorithm, std::int64_t window = 0, std::vector<std::int64_t> trials = {}) {
  const auto n = static_cast<std::int64_t>(x.size());
  Arguments arguments;
  arguments.inputs = {{"x", view_of(x.data(), {n, 1})}, {"y", view_of(y.data(), {n, 1})}};
  if (!z.empty()) arguments.inputs.emplace("z", view_of(z.data(), {n, 1}));
  if (!trials.empty())
    arguments.inputs.emplace(
        "trial_lengths", view_of(std::as_const(trials).data(), {static_cast<std::int64_t>(trials.size())}));
  arguments.parameters = {{"k", k}, {"algorithm", std::int64_t{algorithm}}, {"theiler_window", window}};
  Answer answer;
  answer.local.resize(x.size());
  answer.radii.resize(3 * x.size());
  answer.counts.resize(3 * x.size());
  run_ksg(arguments, {{"value", view_of(&answer.value, {1})},
                      {"local", view_of(answer.local.data(), {n})},
                      {"radii", view_of(answer.radii.data(), {n, 3})},
                      {"counts", view_of(answer.counts.data(), {n, 3})}});
  return answer;
}

analysis::TeSpec spec_of(std::int64_t source, std::int64_t target, std::int64_t histories) {
  analysis::TeSpec spec;
  spec.sources = {source};
  spec.targets = {target};
  spec.k_history = spec.l_history = histories;
  return spec;
}

double transfer(std::int64_t rows, std::int64_t source, std::int64_t histories, std::int64_t k, int algorithm,
                std::int64_t window = 0) {
  const analysis::SeriesTable table = std::move(analysis::generate("data-a", rows, 42)).value().table;
  analysis::MeasureOptions options;
  options.estimation = {k, algorithm, window, analysis::Normalise::none, 0, 1};
  ThreadPool pool(2);
  return analysis::estimate(table, spec_of(source, 1 - source, histories), options, estimator(), pool)
      .value()
      .value;
}

TEST(ReferenceKsg, GivesTheKnownTransferEntropies) {
  for (const analysis::TransferRow& row : analysis::data_a_transfer) {
    SCOPED_TRACE(std::to_string(row.rows) + " rows, algorithm " + std::to_string(row.algorithm));
    EXPECT_NEAR(transfer(row.rows, 0, 1, row.k, row.algorithm), row.forward, golden_tolerance);
    EXPECT_NEAR(transfer(row.rows, 1, 1, row.k, row.algorithm), row.backward, golden_tolerance);
    EXPECT_NEAR(transfer(row.rows, 0, 2, row.k, row.algorithm), row.forward_2, golden_tolerance);
    EXPECT_NEAR(transfer(row.rows, 1, 2, row.k, row.algorithm), row.backward_2, golden_tolerance);
    EXPECT_NEAR(transfer(row.rows, 0, 1, row.k, row.algorithm, 10), row.forward_theiler, golden_tolerance);
  }
  EXPECT_NEAR(transfer(1000, 0, 1, 10, 1), analysis::data_a_k10_n1000, golden_tolerance);
  EXPECT_NEAR(transfer(4000, 0, 1, 10, 1), analysis::data_a_k10_n4000, golden_tolerance);
}

TEST(ReferenceKsg, GivesTheKnownRadiusAndCountsOfTheFirstPoint) {
  const analysis::SeriesTable table = std::move(analysis::generate("data-a", 1000, 42)).value().table;
  analysis::EstimationOptions options;
  options.normalise = analysis::Normalise::none;
  const analysis::Points points =
      analysis::prepare(table, analysis::layout_of(table, spec_of(0, 1, 1)).value(), options).value();
  const auto column = [](const Tensor& part) {
    return std::vector<double>(part.as<double>().begin(), part.as<double>().end());
  };
  const Answer answer = ksg(column(points.x), column(points.y), column(points.z), 4, 1);
  EXPECT_NEAR(answer.radii[0], analysis::data_a_first_radius, 5e-9);
  EXPECT_EQ(answer.counts[0], analysis::data_a_first_n_xz);
  EXPECT_EQ(answer.counts[1], analysis::data_a_first_n_yz);
  EXPECT_EQ(answer.counts[2], analysis::data_a_first_n_z);
}

TEST(ReferenceKsg, GivesTheKnownMutualInformation) {
  const analysis::SeriesTable table = std::move(analysis::generate("data-b", 2000, 7)).value().table;
  ThreadPool pool(2);
  for (const analysis::InformationRow& row : analysis::data_b_information) {
    if (row.algorithm == 0) continue;
    analysis::MeasureOptions options;
    options.estimation = {4, row.algorithm, 0, analysis::Normalise::none, 0, 1};
    const auto information = [&](std::vector<std::int64_t> y) {
      return analysis::estimate(table, analysis::CmiSpec{{0}, std::move(y)}, options, estimator(), pool)
          .value()
          .value;
    };
    EXPECT_NEAR(information({1}), row.a_b, golden_tolerance);
    EXPECT_NEAR(information({2}), row.a_c, golden_tolerance);
    EXPECT_NEAR(information({1, 2}), row.a_bc, golden_tolerance);
  }
}

TEST(ReferenceKsg, CountsByHandWithoutACondition) {
  // point 0 sees the others at (1, 0.5), (3, 0.25) and (4, 2.25): joint distances 1, 3 and 4
  const std::vector<double> x{0, 1, 3, 4}, y{0, 0.5, 0.25, 2.25};
  const Answer one = ksg(x, y, {}, 2, 1);
  EXPECT_EQ(one.radii[0], 3);
  EXPECT_EQ(std::vector<std::int64_t>(one.counts.begin(), one.counts.begin() + 3),
            (std::vector<std::int64_t>{1, 3, 3}));
  const Answer two = ksg(x, y, {}, 2, 2);
  EXPECT_EQ(std::vector<double>(two.radii.begin(), two.radii.begin() + 3), (std::vector<double>{3, 0.5, 0}));
  EXPECT_EQ(std::vector<std::int64_t>(two.counts.begin(), two.counts.begin() + 3),
            (std::vector<std::int64_t>{2, 2, 3}));
}

TEST(ReferenceKsg, AZeroRadiusGivesZeroCounts) {
  const std::vector<double> same(6, 1.5);
  const Answer answer = ksg(same, same, same, 4, 1);
  for (const double local : answer.local) EXPECT_NEAR(local, digamma(4) - digamma(1), 1e-15);
  const Answer pair = ksg(same, same, {}, 4, 1);
  EXPECT_NEAR(pair.value, digamma(4) + digamma(6) - 2 * digamma(1), 1e-14);
}

TEST(ReferenceKsg, AlgorithmTwoTakesTheNearerOfTiedNeighboursWhateverTheirOrder) {
  // from point 0: (1, 1), (1, 0.5) and (1, 0.5) the other way round are tied at 1 in the joint space
  const std::vector<double> x{0, 1, 1, 0.5, 7}, y{0, 1, 0.5, 1, 7};
  const Answer one = ksg(x, y, {}, 1, 2);
  EXPECT_EQ(one.radii[0], 1);  // (1, 0.5) and (0.5, 1) share the first place: both are taken
  EXPECT_EQ(one.radii[1], 1);
  const std::vector<double> u{0, 1, 1, 7}, v{0, 1, 0.5, 7};
  const Answer nearer = ksg(u, v, {}, 1, 2);
  EXPECT_EQ(nearer.radii[0], 1);
  EXPECT_EQ(nearer.radii[1], 0.5);
  const std::vector<double> back_u{7, 1, 1, 0}, back_v{7, 0.5, 1, 0};
  const Answer reversed = ksg(back_u, back_v, {}, 1, 2);
  EXPECT_EQ(reversed.radii[9], 1);
  EXPECT_EQ(reversed.radii[10], 0.5);
}

TEST(ReferenceKsg, TheWindowActsWithinATrialOnly) {
  const std::vector<double> x{0, 0.1, 0.2, 0.3, 0.4, 0.5}, y{0, 1, 2, 3, 4, 5};
  EXPECT_EQ(ksg(x, y, {}, 1, 1, 2).radii[0], 3);
  EXPECT_EQ(ksg(x, y, {}, 1, 1, 2, {2, 4}).radii[0], 2);
  EXPECT_EQ(ksg(x, y, {}, 1, 1, 2, {2, 4}).radii[3 * 2], 1);
}

TEST(ReferenceKsg, AnInfiniteRadiusCountsNoPointInTheWindow) {
  const double huge = std::numeric_limits<double>::max();
  const std::vector<double> far{-huge, huge, -huge, huge, -huge, huge}, near{0, 1, 2, 3, 4, 5};
  // point 0 sees points 2 to 5: joint distances 2, infinity (and 3), 4, infinity (and 5)
  const Answer answer = ksg(far, near, near, 3, 2, 1);
  EXPECT_EQ(std::vector<double>(answer.radii.begin(), answer.radii.begin() + 3),
            (std::vector<double>{std::numeric_limits<double>::infinity(), 4, 4}));
  EXPECT_EQ(std::vector<std::int64_t>(answer.counts.begin(), answer.counts.begin() + 3),
            (std::vector<std::int64_t>{3, 3, 3}));
}

TEST(ReferenceKsg, RefusesAPointThatSeesTooFew) {
  const std::vector<double> values{0, 1, 2, 3, 4};
  EXPECT_THROW(ksg(values, values, values, 4, 1, 1), std::invalid_argument);
}

}  // namespace
}  // namespace assay::reference::te
