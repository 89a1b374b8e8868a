// What holds of an estimate only on average or with a probability. Each check states its false alarm rate;
// all randomness comes from the seed of the case.

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "engine/analysis/interval.hpp"
#include "engine/analysis/splitmix.hpp"
#include "engine/analysis/systems.hpp"
#include "validation/transfer_entropy/properties.hpp"

namespace assay::validation::transfer_entropy {

namespace {

using analysis::MeasureOptions;
using analysis::SeriesTable;
using analysis::TeSpec;

struct Sample {
  double mean = 0;
  double deviation = 0;  ///< standard deviation of one
  double error = 0;      ///< standard error of the mean
};

Sample summary(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Sample made;
  made.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - made.mean) * (value - made.mean);
  made.deviation = std::sqrt(squares / (n - 1));
  made.error = made.deviation / std::sqrt(n);
  return made;
}

// Three jointly Gaussian columns: x, y = a x + noise, z = b x + c y + noise.
SeriesTable gaussian_triple(std::int64_t rows, double a, double b, double c, std::uint64_t seed) {
  analysis::SplitMix64 random(seed);
  SeriesTable table;
  table.names = {"x", "y", "z"};
  table.values = Tensor(DType::f64, {rows, 3});
  const auto values = table.values.as<double>();
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    const double x = random.irwin_hall();
    const double y = a * x + random.irwin_hall();
    values[3 * row] = x;
    values[3 * row + 1] = y;
    values[3 * row + 2] = b * x + c * y + random.irwin_hall();
  }
  return table;
}

double cmi(Probe& probe, const SeriesTable& table, std::vector<std::int64_t> x, std::vector<std::int64_t> y,
           std::vector<std::int64_t> z) {
  return estimate_of(probe, table, analysis::CmiSpec{std::move(x), std::move(y), std::move(z)},
                     MeasureOptions{})
      .value;
}

// I(x; (y, z)) = I(x; z) + I(x; y | z). Over 30 systems the mean of the difference is held to 5 standard
// errors (a false alarm in 10^5 at 29 degrees of freedom) and the part of the bias that does not cancel, for
// which half the standard deviation of a single estimate is allowed: the rule holds within the error of one
// estimate.
void chain_rule(Probe& probe, bool conditioned) {
  std::vector<double> differences, wholes;
  for (std::uint64_t i = 0; i < 30; ++i) {
    const auto table = gaussian_triple(500, 0.6, 0.4, 0.5, probe.seed() + i);
    wholes.push_back(cmi(probe, table, {0}, {1, 2}, {}));
    differences.push_back(wholes.back() - cmi(probe, table, {0}, {2}, {}) -
                          cmi(probe, table, {0}, {1},
                              conditioned ? std::vector<std::int64_t>{2} : std::vector<std::int64_t>{}));
  }
  const Sample seen = summary(differences);
  const Sample whole = summary(wholes);
  probe.note(
      "chain rule",
      fmt::format("mean difference {:.5f} nats, standard error {:.5f}, one estimate's deviation {:.5f}",
                  seen.mean, seen.error, whole.deviation));
  probe.expect_within("I(x; (y, z)) - I(x; z) - I(x; y | z)", seen.mean,
                      5 * seen.error + 0.5 * whole.deviation);
}

// Uncoupled source that is exchangeable (white), so that a surrogate is as good as the data: each of 24 means
// of 40 surrogates lies within 2 standard errors of 0 with probability 0.95. Fewer than 14 within has
// probability 10^-7.
void surrogate_mean(Probe& probe, bool surrogates) {
  int within = 0;
  std::vector<double> means;
  constexpr int systems = 24;
  for (int i = 0; i < systems; ++i) {
    const auto system =
        analysis::coupled_ar1(300, 0.0, 0.5, 0.4, probe.seed() + static_cast<std::uint64_t>(i));
    MeasureOptions options;
    options.surrogates.count = 40;
    options.estimation.seed = probe.seed() + static_cast<std::uint64_t>(i);
    const auto estimate = estimate_of(probe, system.table, TeSpec{.sources = {0}, .targets = {1}}, options);
    const double mean = surrogates ? estimate.surrogates->mean : estimate.value;
    within += std::abs(mean) <= 2 * estimate.surrogates->standard_deviation / std::sqrt(40.0);
    means.push_back(mean);
  }
  const Sample seen = summary(means);
  probe.note("surrogate means", fmt::format("{} of {} within 2 standard errors of 0; their mean {:.5f} nats",
                                            within, systems, seen.mean));
  probe.expect(within >= 14, fmt::format("only {} of {} surrogate means lie within 2 standard errors of 0",
                                         within, systems));
}

// x drives y through x^2 - 1: symmetric, so that no linear measure sees it. The regression t of y(t) on
// x(t-1) uses White's standard error, because the noise of that regression depends on x; |t| > 5 has
// probability 6e-7 without a linear effect.
void nonlinear_coupling(Probe& probe, const char* name) {
  constexpr std::int64_t rows = 500;
  const auto system = analysis::generate(name, rows, probe.seed());
  probe.expect(static_cast<bool>(system), "the system is known");
  MeasureOptions options;
  options.surrogates.count = 99;
  const auto estimate =
      estimate_of(probe, system.value().table, TeSpec{.sources = {0}, .targets = {1}}, options);
  const auto values = system.value().table.values.as<double>();
  double mean_x = 0, mean_y = 0;
  for (std::size_t t = 1; t < rows; ++t) {
    mean_x += values[2 * (t - 1)];
    mean_y += values[2 * t + 1];
  }
  mean_x /= rows - 1;
  mean_y /= rows - 1;
  double cross = 0, squares = 0;
  for (std::size_t t = 1; t < rows; ++t) {
    const double product = (values[2 * (t - 1)] - mean_x) * (values[2 * t + 1] - mean_y);
    cross += product;
    squares += product * product;
  }
  const double t_value = cross / std::sqrt(squares);
  probe.note("non-linear coupling", fmt::format("TE {:.4f} nats, p = {:.3f}, linear t = {:.2f}",
                                                estimate.value, estimate.surrogates->p_value, t_value));
  probe.expect_within("robust t of the linear regression", t_value, 5);
  probe.expect(estimate.surrogates->p_value <= 0.01,
               "the transfer entropy is significant (p <= 0.01, 99 surrogates)");
}

// A white source without coupling is exchangeable: with 19 surrogates p is uniform on 1/20 .. 20/20, exactly.
// Chi-square of 400 systems against that, 19 degrees of freedom: 64.4 is exceeded with probability 10^-6.
void p_values_are_uniform(Probe& probe, double coupling) {
  constexpr int systems = 400;
  std::vector<int> found(20);
  for (int i = 0; i < systems; ++i) {
    const std::uint64_t seed = probe.seed() + 7919u * static_cast<std::uint64_t>(i);
    const auto system = analysis::coupled_ar1(60, 0.0, 0.5, coupling, seed);
    MeasureOptions options;
    options.surrogates.count = 19;
    options.estimation.seed = seed + 1;
    const auto estimate = estimate_of(probe, system.table, TeSpec{.sources = {0}, .targets = {1}}, options);
    ++found[static_cast<std::size_t>(std::lround(estimate.surrogates->p_value * 20)) - 1];
  }
  double chi_square = 0;
  for (const int count : found)
    chi_square += (count - systems / 20.0) * (count - systems / 20.0) / (systems / 20.0);
  probe.note("p-values", fmt::format("chi-square {:.1f} at 19 degrees of freedom", chi_square));
  probe.expect_within("chi-square of the p-values", chi_square, 64.4);
}

struct LinearSystem {
  double a, b, c;
};

// Known transfer entropies of linear-Gaussian systems against the estimates: the truth must lie within 3
// standard deviations of one estimate of their mean (a bias below the error), and the delete-block
// jackknife's 95 % interval must hold it in at least half of the 20 replicates (10^-6 at a true coverage of
// 85 %).
void known_analytic_values(Probe& probe, double wrong) {
  constexpr std::int64_t rows = 500;
  constexpr int replicates = 20;
  Table table;
  table.columns = {"a", "b", "c", "N", "truth", "mean", "bias", "deviation", "in the 95 % interval"};
  Plot plot{.title = "TE of linear-Gaussian systems, N = 500",
            .x_label = "truth (nats)",
            .y_label = "mean estimate (nats)",
            .series = {},
            .truth = {}};
  plot.series.push_back({"estimate", {}});
  plot.series.push_back({"truth", {}});
  for (const LinearSystem& system :
       {LinearSystem{0.6, 0.5, 0.0}, LinearSystem{0.6, 0.5, 0.2}, LinearSystem{0.6, 0.5, 0.4},
        LinearSystem{0.3, 0.2, 0.8}, LinearSystem{0.0, 0.9, 0.5}}) {
    std::vector<double> values;
    int covered = 0;
    double truth = 0;
    for (int i = 0; i < replicates; ++i) {
      const auto made = analysis::coupled_ar1(rows, system.a, system.b, system.c,
                                              probe.seed() + static_cast<std::uint64_t>(i));
      const TeSpec spec{.sources = {0}, .targets = {1}};
      const auto layout = analysis::layout_of(made.table, spec);
      truth = analysis::gaussian_information(*made.linear, layout.value()) + wrong;
      MeasureOptions options;
      values.push_back(estimate_of(probe, made.table, spec, options).value);
      const auto points = analysis::prepare(made.table, layout.value(), options.estimation);
      const auto interval =
          analysis::jackknife_interval(points.value(), values.back(), options.estimation, 0.95, 10,
                                       estimator_of(probe), probe.context().pool());
      probe.expect(static_cast<bool>(interval), "the interval is legal");
      covered += interval.value().low <= truth && truth <= interval.value().high;
    }
    const Sample seen = summary(values);
    table.rows.push_back({fmt::format("{:.1f}", system.a), fmt::format("{:.1f}", system.b),
                          fmt::format("{:.1f}", system.c), std::to_string(rows), fmt::format("{:.4f}", truth),
                          fmt::format("{:.4f}", seen.mean), fmt::format("{:+.4f}", seen.mean - truth),
                          fmt::format("{:.4f}", seen.deviation),
                          fmt::format("{} of {}", covered, replicates)});
    plot.series[0].points.emplace_back(truth, seen.mean);
    plot.series[1].points.emplace_back(truth, truth);
    probe.expect_within("mean estimate less the analytic value", seen.mean - truth, 3 * seen.deviation);
    probe.expect(covered >= replicates / 2,
                 fmt::format("the interval holds the truth in {} of {}", covered, replicates));
  }
  probe.show(std::move(table));
  probe.show(std::move(plot));
}

// Mutual information by counting in bins of equal width over each column's range: the plug-in estimate, nats.
double histogram_information(const SeriesTable& table, int bins) {
  const auto values = table.values.as<double>();
  const auto n = static_cast<std::size_t>(table.rows());
  double low[2] = {values[0], values[1]}, high[2] = {values[0], values[1]};
  for (std::size_t i = 0; i < 2 * n; ++i) {
    low[i % 2] = std::min(low[i % 2], values[i]);
    high[i % 2] = std::max(high[i % 2], values[i]);
  }
  const auto width = static_cast<std::size_t>(bins);
  std::vector<double> joint(width * width), first(width), second(width);
  for (std::size_t row = 0; row < n; ++row) {
    std::size_t cell[2];
    for (std::size_t c = 0; c < 2; ++c) {
      const double share = (values[2 * row + c] - low[c]) / (high[c] - low[c]);
      cell[c] = std::min(width - 1, static_cast<std::size_t>(share * bins));
    }
    joint[cell[0] * width + cell[1]] += 1;
    first[cell[0]] += 1;
    second[cell[1]] += 1;
  }
  double sum = 0;
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      const double count = joint[i * width + j];
      if (count > 0) sum += count * std::log(count * static_cast<double>(n) / (first[i] * second[j]));
    }
  }
  return sum / static_cast<double>(n);
}

SeriesTable correlated_pair(std::int64_t rows, double rho, std::uint64_t seed) {
  analysis::SplitMix64 random(seed);
  SeriesTable table;
  table.names = {"x", "y"};
  table.values = Tensor(DType::f64, {rows, 2});
  const auto values = table.values.as<double>();
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    const double x = random.irwin_hall();
    values[2 * row] = x;
    values[2 * row + 1] = rho * x + std::sqrt(1 - rho * rho) * random.irwin_hall();
  }
  return table;
}

// The two estimators on the same data: root mean square error over 10 replicates, by rho, N and the number of
// bins. KSG has to be at least as good, over all of it, as the histogram with its best number of bins chosen
// afterwards.
void beside_a_histogram(Probe& probe, bool exchanged) {
  constexpr int replicates = 10;
  const std::vector<int> all_bins = {4, 8, 16, 32};
  Table table;
  table.columns = {"rho", "N", "truth (nats)", "KSG error"};
  for (const int bins : all_bins) table.columns.push_back(fmt::format("histogram, {} bins", bins));
  Plot plot{.title = "Error of mutual information, rho = 0.6",
            .x_label = "N",
            .y_label = "root mean square error (nats)",
            .series = {},
            .truth = {}};
  plot.series.push_back({"KSG, k = 4", {}});
  for (const int bins : all_bins) plot.series.push_back({fmt::format("histogram, {} bins", bins), {}});
  std::vector<double> total(all_bins.size() + 1);
  for (const double rho : {0.0, 0.3, 0.6, 0.9}) {
    for (const std::int64_t rows : {100, 300, 1000}) {
      const double truth = -0.5 * std::log(1 - rho * rho);
      std::vector<double> squares(all_bins.size() + 1);
      for (int i = 0; i < replicates; ++i) {
        const auto data = correlated_pair(rows, rho, probe.seed() + 31u * static_cast<std::uint64_t>(i));
        std::vector<double> values = {cmi(probe, data, {0}, {1}, {})};
        for (const int bins : all_bins) values.push_back(histogram_information(data, bins));
        for (std::size_t j = 0; j < values.size(); ++j)
          squares[j] += (values[j] - truth) * (values[j] - truth) / replicates;
      }
      std::vector<std::string> line = {fmt::format("{:.1f}", rho), std::to_string(rows),
                                       fmt::format("{:.4f}", truth)};
      for (std::size_t j = 0; j < squares.size(); ++j) {
        line.push_back(fmt::format("{:.4f}", std::sqrt(squares[j])));
        total[j] += squares[j];
        if (rho == 0.6) plot.series[j].points.emplace_back(static_cast<double>(rows), std::sqrt(squares[j]));
      }
      table.rows.push_back(std::move(line));
    }
  }
  const double best = *std::min_element(total.begin() + 1, total.end());
  probe.show(std::move(table));
  probe.show(std::move(plot));
  if (exchanged) return probe.expect(best <= total[0], "the histogram is at least as good as KSG");
  probe.expect_within("summed square error of KSG, beside that of the best histogram", total[0], best);
}

}  // namespace

void add_statistical_properties(Suite& suite) {
  suite.property({.name = "chain_rule",
                  .summary = "I(x; (y, z)) = I(x; z) + I(x; y | z) within the statistical error.",
                  .body = [](Probe& probe) { chain_rule(probe, true); },
                  .cases = 1,
                  .negative_control = [](Probe& probe) { chain_rule(probe, false); }});
  suite.property({.name = "surrogate_mean_is_zero",
                  .summary = "The mean over surrogates of the source lies within 2 standard errors of 0.",
                  .body = [](Probe& probe) { surrogate_mean(probe, true); },
                  .cases = 1,
                  .negative_control = [](Probe& probe) { surrogate_mean(probe, false); }});
  suite.property({.name = "finds_nonlinear_coupling",
                  .summary = "A coupling through x^2 - 1 without linear correlation is found significant.",
                  .body = [](Probe& probe) { nonlinear_coupling(probe, "quadratic"); },
                  .cases = 1,
                  .negative_control = [](Probe& probe) { nonlinear_coupling(probe, "ar1"); }});
  suite.property(
      {.name = "p_values_are_uniform",
       .summary = "Without coupling the surrogates' p-values are uniform (chi-square, alpha 1e-6).",
       .body = [](Probe& probe) { p_values_are_uniform(probe, 0.0); },
       .cases = 1,
       .negative_control = [](Probe& probe) { p_values_are_uniform(probe, 0.6); }});
  suite.property(
      {.name = "covers_known_analytic_values",
       .summary = "Estimates and their intervals hold the analytic values of linear-Gaussian systems.",
       .body = [](Probe& probe) { known_analytic_values(probe, 0); },
       .cases = 1,
       .negative_control = [](Probe& probe) { known_analytic_values(probe, 0.2); }});
  suite.property(
      {.name = "accuracy_beside_a_histogram",
       .summary = "On the same Gaussian data KSG is at least as accurate as a histogram with the best bins.",
       .body = [](Probe& probe) { beside_a_histogram(probe, false); },
       .cases = 1,
       .negative_control = [](Probe& probe) { beside_a_histogram(probe, true); }});
}

}  // namespace assay::validation::transfer_entropy
