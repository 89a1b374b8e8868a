// Properties of estimates made from time series: engine/analysis on top of te.ksg.

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/analysis/network.hpp"
#include "engine/analysis/systems.hpp"
#include "validation/estimators.hpp"
#include "validation/transfer_entropy/points.hpp"
#include "validation/transfer_entropy/properties.hpp"

namespace assay::validation::transfer_entropy {

namespace {

using analysis::MeasureOptions;
using analysis::Normalise;
using analysis::SeriesTable;
using analysis::TeSpec;

std::vector<double> column(const SeriesTable& table, std::int64_t index) {
  std::vector<double> values;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    values.push_back(table.values.as<double>()[static_cast<std::size_t>(row * table.columns() + index)]);
  }
  return values;
}

// Columns 0 and 1 coupled, 2 and 3 independent of both and coupled themselves.
std::vector<std::vector<double>> draw_columns(std::int64_t max_rows = 250) {
  const std::int64_t rows = *integers(30, max_rows, "rows");
  const auto seed = static_cast<std::uint64_t>(*integers(0, 100000, "data seed"));
  const SeriesTable first = analysis::coupled_ar1(rows, 0.6, 0.5, 0.4, seed).table;
  const SeriesTable second = analysis::coupled_ar1(rows, 0.3, 0.2, 0.6, seed + 1000003).table;
  return {column(first, 0), column(first, 1), column(second, 0), column(second, 1)};
}

MeasureOptions draw_options() {
  MeasureOptions options;
  options.estimation.k = *integers(1, 6, "k");
  options.estimation.algorithm = static_cast<int>(*integers(1, 2, "algorithm"));
  options.estimation.theiler_window = *integers(0, 3, "theiler_window");
  options.local = true;
  return options;
}

TeSpec pair(std::int64_t source = 0, std::int64_t target = 1) {
  return {.sources = {source}, .targets = {target}};
}

TeSpec draw_spec() {
  TeSpec spec = pair();
  spec.k_history = *integers(0, 3, "k_history");
  spec.k_tau = *integers(1, 2, "k_tau");
  spec.l_history = *integers(1, 3, "l_history");
  spec.l_tau = *integers(1, 2, "l_tau");
  spec.delay = *integers(1, 3, "delay");
  return spec;
}

void expect_same(Probe& probe, const std::string& when, const analysis::Estimate& one,
                 const analysis::Estimate& other) {
  probe.expect_equal("local values " + when, Tensor::from(one.local, {one.samples}),
                     Tensor::from(other.local, {other.samples}));
  probe.expect(one.value == other.value, "the value " + when);
}

void affine_rescaling(Probe& probe, Normalise normalise) {
  auto columns = draw_columns();
  const TeSpec spec = draw_spec();
  MeasureOptions options = draw_options();
  options.estimation.normalise = normalise;
  const auto before = estimate_of(probe, table_of(columns), spec, options);
  const int power = static_cast<int>(*integers(1, 40, "power"));
  auto scaled = columns;
  for (double& value : scaled[0]) value = std::ldexp(value, power);
  for (double& value : scaled[1]) value = std::ldexp(value, -power);
  expect_same(probe, "after scaling by powers of two", before,
              estimate_of(probe, table_of(scaled), spec, options));
  // Any other affine map moves the normalised values by a few roundings. The data have no ties and no
  // comparison comes that close, so the counts stay, and with them all but the rounding of the sum.
  for (double& value : columns[0]) value = -2.7 * value + 1000;
  for (double& value : columns[1]) value = 0.3 * value - 7;
  const auto after = estimate_of(probe, table_of(columns), spec, options);
  probe.expect_within("value after affine maps", after.value - before.value,
                      value_bound(before.samples, options.estimation.k));
}

void adding_constants_to_series(Probe& probe) {
  auto columns = draw_columns();
  for (auto& values : columns) {
    for (double& value : values) value = std::round(value * 0x1p20) * 0x1p-20;
  }
  const TeSpec spec = draw_spec();
  MeasureOptions options = draw_options();
  options.estimation.normalise = Normalise::none;
  const auto before = estimate_of(probe, table_of(columns), spec, options);
  for (auto& values : columns) {
    const double shift = static_cast<double>(*integers(-1000, 1000, "shift"));
    for (double& value : values) value += shift;
  }
  expect_same(probe, "after adding constants", before, estimate_of(probe, table_of(columns), spec, options));
}

// Columns that the question does not name, and a network around the pair, change nothing.
void unrelated_variables(Probe& probe) {
  const auto columns = draw_columns(120);
  MeasureOptions options = draw_options();
  const auto alone = estimate_of(probe, table_of({columns[0], columns[1]}), pair(), options);
  expect_same(
      probe, "beside other columns", alone,
      estimate_of(probe, table_of({columns[2], columns[0], columns[3], columns[1]}), pair(1, 3), options));
  analysis::NetworkOptions all;
  all.estimation = options.estimation;
  const auto network = analysis::network(table_of(columns), all, estimator_of(probe), probe.context().pool());
  probe.expect(static_cast<bool>(network), "the network is legal");
  probe.expect(network.value().te.at(0, 1) == alone.value, "the pair's value inside a network");
}

void matches_reference_estimates(Probe& probe) {
  const auto columns = draw_columns(160);
  SeriesTable table = table_of(columns);
  const std::int64_t trials = *integers(0, 3, "trials");
  if (trials > 0) table.trial_lengths = split_trials(table.rows(), trials, probe.seed());
  TeSpec spec = draw_spec();
  if (*integers(0, 1, "conditional") == 1) {
    spec.conditionals = {2, 3};
    spec.cond_history = {1, *integers(1, 2, "cond_history")};
    spec.cond_delay = {*integers(1, 2, "cond_delay"), 1};
  }
  if (*integers(0, 1, "multivariate") == 1) spec.sources = {0, 3};
  MeasureOptions options = draw_options();
  constexpr Normalise ways[] = {Normalise::columns, Normalise::series, Normalise::none};
  options.estimation.normalise = ways[*integers(0, 2, "normalise")];
  const auto ours = analysis::estimate(table, spec, options, estimator_of(probe), probe.context().pool());
  const auto theirs = analysis::estimate(table, spec, options, reference_estimator(), probe.context().pool());
  probe.expect(static_cast<bool>(ours) == static_cast<bool>(theirs), "both are refused or neither is");
  if (!ours) return;
  const std::int64_t k = options.estimation.k;
  probe.expect_within("value less the reference's", ours.value().value - theirs.value().value,
                      value_bound(ours.value().samples, k));
  for (std::size_t i = 0; i < ours.value().local.size(); ++i) {
    probe.expect_within("local value less the reference's", ours.value().local[i] - theirs.value().local[i],
                        local_bound(ours.value().samples, k));
  }
}

// A condition given as a conditional is the same as one given as a longer history.
void history_as_conditional(Probe& probe) {
  const auto table = table_of(draw_columns());
  const MeasureOptions options = draw_options();
  TeSpec longer = pair();
  longer.k_history = 2;
  TeSpec conditioned = pair();
  conditioned.conditionals = {1};
  conditioned.cond_history = {1};
  conditioned.cond_delay = {2};
  expect_same(probe, "with the second lag as a conditional", estimate_of(probe, table, longer, options),
              estimate_of(probe, table, conditioned, options));
}

// Active information storage is the mutual information of the series with itself one step on.
void storage_is_mutual_information(Probe& probe) {
  const auto columns = draw_columns();
  const MeasureOptions options = draw_options();
  const std::vector<double> past(columns[1].begin(), columns[1].end() - 1);
  const std::vector<double> next(columns[1].begin() + 1, columns[1].end());
  expect_same(probe, "as mutual information",
              estimate_of(probe, table_of(columns), analysis::AisSpec{.series = {1}}, options),
              estimate_of(probe, table_of({past, next}), analysis::CmiSpec{.x = {0}, .y = {1}}, options));
}

// Surrogates: the identity gives the value itself, the summary is what it says, threads do not matter.
void surrogates_are_what_they_say(Probe& probe, bool identity) {
  const auto table = table_of(draw_columns(100));
  MeasureOptions options = draw_options();
  options.local = false;
  const auto plain = estimate_of(probe, table, pair(), options);
  std::vector<std::int64_t> order = permutation(plain.samples, probe.seed());
  if (identity) std::sort(order.begin(), order.end());
  options.surrogates.permutations = {order};
  const auto given = estimate_of(probe, table, pair(), options);
  probe.expect(given.surrogates.has_value() && given.surrogates->values.size() == 1 &&
                   given.surrogates->values[0] == plain.value,
               "the identity as a surrogate gives the value itself");
  options.surrogates.permutations.clear();
  options.surrogates.count = 7;
  options.surrogates.method =
      *integers(0, 1, "shift") == 0 ? analysis::SurrogateMethod::permute : analysis::SurrogateMethod::shift;
  options.estimation.seed = probe.seed();
  const auto drawn = estimate_of(probe, table, pair(), options);
  const analysis::SurrogateSummary& summary = *drawn.surrogates;
  double sum = 0;
  std::int64_t hits = 0;
  for (const double value : summary.values) {
    sum += value;
    hits += value >= drawn.value;
  }
  probe.expect(drawn.value == plain.value, "surrogates do not change the value");
  probe.expect(summary.values.size() == 7 && summary.hits == hits,
               "as many surrogates as asked for, hits counted");
  probe.expect(summary.p_value == (1.0 + static_cast<double>(hits)) / 8, "p = (1 + hits)/(1 + N)");
  probe.expect_within("mean of the surrogates", summary.mean - sum / 7, 16 * 0x1p-53 * (std::abs(sum) + 1));
  probe.expect_within("effective value", summary.effective - (drawn.value - summary.mean),
                      4 * 0x1p-53 * (std::abs(drawn.value) + std::abs(summary.mean)) + 0x1p-1022);
  if (probe.backend() == Backend::cuda) return;
  for (const unsigned threads : {1u, 3u}) {
    Context context = Context::cpu(threads);
    const auto again =
        analysis::estimate(table, pair(), options, estimator_for(context, probe.backend()), context.pool());
    probe.expect(again && again.value().surrogates->values == summary.values,
                 "surrogates on " + std::to_string(threads) + " threads");
  }
}

// Noise of 1e-8 on quantised data: seeded, and no two observations stay in one place.
void noise_breaks_ties(Probe& probe, double noise) {
  const std::int64_t rows = *integers(60, 200, "rows");
  const auto seed = static_cast<std::uint64_t>(*integers(0, 100000, "data seed"));
  const auto system = analysis::generate("quantised", rows, seed);
  probe.expect(static_cast<bool>(system), "the system is known");
  analysis::EstimationOptions options;
  options.noise = noise;
  options.seed = probe.seed();
  const auto layout = analysis::layout_of(system.value().table, pair());
  const auto points = analysis::prepare(system.value().table, layout.value(), options);
  const auto again = analysis::prepare(system.value().table, layout.value(), options);
  probe.expect(points && again, "the points are legal");
  probe.expect_equal("x with the same seed", points.value().x, again.value().x);
  for (const Tensor* part : {&points.value().x, &points.value().y, &points.value().z}) {
    const auto values = part->as<double>();
    const std::set<double> distinct(values.begin(), values.end());
    probe.expect(distinct.size() == values.size(), "no two values are equal once noise is added");
  }
}

}  // namespace

void add_analysis_properties(Suite& suite) {
  suite.property(
      {.name = "invariant_under_affine_rescaling",
       .summary = "With normalisation, powers of two change no bit and other affine maps only the rounding.",
       .body = [](Probe& probe) { affine_rescaling(probe, Normalise::columns); },
       .cases = 300,
       .negative_control = [](Probe& probe) { affine_rescaling(probe, Normalise::none); }});
  suite.property(
      {.name = "invariant_under_adding_constants_to_series",
       .summary = "Exactly representable shifts of every series change no bit, without normalisation.",
       .body = adding_constants_to_series,
       .cases = 300,
       .negative_control = [](Probe& probe) {
         auto columns = draw_columns();
         const auto before = estimate_of(probe, table_of(columns), pair(), draw_options());
         for (std::size_t i = 0; i < columns[0].size() / 2; ++i) columns[0][i] += 3;
         expect_same(probe, "after shifting half of a series", before,
                     estimate_of(probe, table_of(columns), pair(), draw_options()));
       }});
  suite.property({.name = "independent_of_unrelated_variables",
                  .summary = "Other columns of the table, and a network around the pair, change no bit.",
                  .body = unrelated_variables,
                  .cases = 150,
                  .negative_control = [](Probe& probe) {
                    const auto columns = draw_columns();
                    const auto options = draw_options();
                    TeSpec conditioned = pair();
                    conditioned.conditionals = {2};
                    expect_same(probe, "with another condition",
                                estimate_of(probe, table_of(columns), pair(), options),
                                estimate_of(probe, table_of(columns), conditioned, options));
                  }});
  suite.property(
      {.name = "estimates_match_the_reference",
       .summary = "Values and local values equal the reference's for any histories, conditionals, trials, "
                  "windows and normalisation.",
       .body = matches_reference_estimates,
       .cases = 500,
       .negative_control = [](Probe& probe) {
         const auto table = table_of(draw_columns());
         MeasureOptions options = draw_options();
         const double value = estimate_of(probe, table, pair(), options).value;
         options.estimation.k += 1;
         probe.expect_within("value for another k", estimate_of(probe, table, pair(), options).value - value,
                             value_bound(table.rows(), options.estimation.k));
       }});
  suite.property(
      {.name = "history_as_conditional",
       .summary = "A lag of the target as a conditional is the same as a longer history, bit for bit.",
       .body = history_as_conditional,
       .cases = 200,
       .negative_control = [](Probe& probe) {
         const auto table = table_of(draw_columns());
         const auto options = draw_options();
         TeSpec longer = pair();
         longer.k_history = 2;
         expect_same(probe, "with and without the second lag", estimate_of(probe, table, longer, options),
                     estimate_of(probe, table, pair(), options));
       }});
  suite.property({.name = "storage_is_mutual_information",
                  .summary = "Active information storage equals the mutual information of past and next.",
                  .body = storage_is_mutual_information,
                  .cases = 200,
                  .negative_control = [](Probe& probe) {
                    const auto table = table_of(draw_columns());
                    const auto options = draw_options();
                    expect_same(probe, "of another series",
                                estimate_of(probe, table, analysis::AisSpec{.series = {1}}, options),
                                estimate_of(probe, table, analysis::AisSpec{.series = {0}}, options));
                  }});
  suite.property(
      {.name = "surrogates_are_what_they_say",
       .summary = "The identity gives the value itself; p-value, mean and effective value are those of the "
                  "surrogates; threads do not matter.",
       .body = [](Probe& probe) { surrogates_are_what_they_say(probe, true); },
       .cases = 150,
       .negative_control = [](Probe& probe) { surrogates_are_what_they_say(probe, false); }});
  suite.property({.name = "noise_breaks_ties",
                  .summary = "Noise of 1e-8 on quantised data is seeded and leaves no two values equal.",
                  .body = [](Probe& probe) { noise_breaks_ties(probe, 1e-8); },
                  .cases = 150,
                  .negative_control = [](Probe& probe) { noise_breaks_ties(probe, 0); }});
}

}  // namespace assay::validation::transfer_entropy
