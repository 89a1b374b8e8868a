// Published numbers of data that the generators make anew: nothing is read from a file.

#include <array>

#include <fmt/format.h>

#include "engine/analysis/splitmix.hpp"
#include "engine/analysis/systems.hpp"
#include "validation/transfer_entropy/properties.hpp"

namespace assay::validation::transfer_entropy {

namespace {

using analysis::MeasureOptions;

// The numbers are given to nine decimals.
constexpr double given = 0.5e-9 + 1e-12;

MeasureOptions raw(std::int64_t k, int algorithm, std::int64_t window = 0) {
  MeasureOptions options;
  options.estimation.k = k;
  options.estimation.algorithm = algorithm;
  options.estimation.theiler_window = window;
  options.estimation.normalise = analysis::Normalise::none;
  return options;
}

analysis::SeriesTable data_a(std::int64_t rows) {
  return analysis::coupled_ar1(rows, 0.6, 0.5, 0.4, 42).table;
}

double te(Probe& probe, const analysis::SeriesTable& table, std::int64_t source, std::int64_t history,
          const MeasureOptions& options) {
  return estimate_of(
             probe, table,
             {.sources = {source}, .targets = {1 - source}, .k_history = history, .l_history = history},
             options)
      .value;
}

void generator(Probe& probe) {
  analysis::SplitMix64 one(1);
  probe.expect(one.next() == 0x910a2dec89025cc1u && one.next() == 0xbeeb8da1658eec67u &&
                   one.next() == 0xf893a2eefb32555eu,
               "the first outputs of seed 1");
  analysis::SplitMix64 uniform(42), normal(42);
  for (const double expected : {0.7415648787718233, 0.1599103928769201, 0.27860113025513866}) {
    probe.expect(uniform.uniform() == expected, "the first uniforms of seed 42");
  }
  for (const double expected : {-0.8941334431933914, -0.4665347967936784, 1.592539553909754}) {
    probe.expect(normal.irwin_hall() == expected, "the first normals of seed 42");
  }
  const auto table = data_a(1000);
  double sum_x = 0, sum_y = 0;
  for (std::size_t row = 0; row < 1000; ++row) {
    sum_x += table.values.as<double>()[2 * row];
    sum_y += table.values.as<double>()[2 * row + 1];
  }
  probe.expect_within("sum of x of data A", sum_x - 32.82341004085363, 1e-11);
  probe.expect_within("sum of y of data A", sum_y - 57.2728502943166, 1e-11);
}

struct Row {
  std::int64_t rows;
  int algorithm;
  double forward, backward, forward_2, backward_2, forward_window_10;
};
constexpr std::array<Row, 5> table_a = {
    {{200, 1, 0.110257587, 0.047172532, 0.050937404, 0.012682157, 0.109964665},
     {1000, 1, 0.094446488, 0.005293625, 0.103367245, -0.000533997, 0.101357634},
     {4000, 1, 0.096469986, 0.010224578, 0.093774081, 0.004796894, 0.096870199},
     {200, 2, 0.120781291, 0.122001372, 0.073636966, 0.008357061, 0.111362847},
     {1000, 2, 0.124300036, 0.028112428, 0.135913141, 0.017872361, 0.124966054}}};

void transfer_entropy_of_data_a(Probe& probe, double offset) {
  for (const Row& row : table_a) {
    const auto table = data_a(row.rows);
    const auto hold = [&](const char* what, double value, double expected) {
      probe.expect_within(fmt::format("{}, n = {}, algorithm {}", what, row.rows, row.algorithm),
                          value - expected - offset, given);
    };
    const auto options = raw(4, row.algorithm);
    hold("X to Y", te(probe, table, 0, 1, options), row.forward);
    hold("Y to X", te(probe, table, 1, 1, options), row.backward);
    hold("X to Y, histories of 2", te(probe, table, 0, 2, options), row.forward_2);
    hold("Y to X, histories of 2", te(probe, table, 1, 2, options), row.backward_2);
    hold("X to Y, window 10", te(probe, table, 0, 1, raw(4, row.algorithm, 10)), row.forward_window_10);
  }
  probe.expect_within("X to Y, n = 1000, k = 10",
                      te(probe, data_a(1000), 0, 1, raw(10, 1)) - 0.108888498 - offset, given);
  probe.expect_within("X to Y, n = 4000, k = 10",
                      te(probe, data_a(4000), 0, 1, raw(10, 1)) - 0.097862535 - offset, given);
}

void mutual_information_of_data_b(Probe& probe, double offset) {
  const auto system = analysis::generate("data-b", 2000, 7);
  probe.expect(static_cast<bool>(system), "data B is known");
  const auto hold = [&](const char* what, std::vector<std::int64_t> y, int algorithm, double expected) {
    const auto estimate = estimate_of(probe, system.value().table,
                                      analysis::CmiSpec{.x = {0}, .y = std::move(y)}, raw(4, algorithm));
    probe.expect_within(fmt::format("{}, algorithm {}", what, algorithm), estimate.value - expected - offset,
                        given);
  };
  hold("I(A; B)", {1}, 1, 0.233573922);
  hold("I(A; C)", {2}, 1, 0.157962034);
  hold("I(A; (B, C))", {1, 2}, 1, 0.265626772);
  hold("I(A; B)", {1}, 2, 0.232553428);
  hold("I(A; C)", {2}, 2, 0.152310756);
  hold("I(A; (B, C))", {1, 2}, 2, 0.249721464);
}

void first_point_of_data_a(Probe& probe, std::int64_t expected_z) {
  const auto table = data_a(1000);
  const auto layout = analysis::layout_of(table, analysis::TeSpec{.sources = {0}, .targets = {1}});
  const auto points = analysis::prepare(table, layout.value(), raw(4, 1).estimation);
  HostArguments arguments;
  arguments.inputs.emplace("x", points.value().x.clone());
  arguments.inputs.emplace("y", points.value().y.clone());
  arguments.inputs.emplace("z", points.value().z.clone());
  const auto outputs = probe.run("te.ksg", arguments);
  const auto counts = outputs.at("counts").as<std::int64_t>();
  probe.expect_within("radius", outputs.at("radii").as<double>()[0] - 0.20325438, 0.5e-8);
  probe.expect(counts[2] == expected_z, "n_z = 122");
  probe.expect(counts[1] == 19, "n_yz = 19");
  probe.expect(counts[0] == 15, "n_xz = 15");
}

}  // namespace

void add_golden_numbers(Suite& suite) {
  const std::vector<Backend> both = {Backend::cpu, Backend::reference};
  suite.property({.name = "golden_generator",
                  .summary = "The deterministic generator gives its published outputs, and data A its sums.",
                  .body = generator,
                  .cases = 1,
                  .backends = {Backend::cpu},
                  .negative_control = [](Probe& probe) {
                    probe.expect(analysis::SplitMix64(2).next() == 0x910a2dec89025cc1u,
                                 "seed 2 in place of 1");
                  }});
  suite.property({.name = "golden_transfer_entropy",
                  .summary = "Transfer entropies of data A to all their nine decimals, both algorithms.",
                  .body = [](Probe& probe) { transfer_entropy_of_data_a(probe, 0); },
                  .cases = 1,
                  .backends = both,
                  .negative_control = [](Probe& probe) { transfer_entropy_of_data_a(probe, 1e-8); }});
  suite.property({.name = "golden_mutual_information",
                  .summary = "Mutual informations of data B to all their nine decimals, both algorithms.",
                  .body = [](Probe& probe) { mutual_information_of_data_b(probe, 0); },
                  .cases = 1,
                  .backends = both,
                  .negative_control = [](Probe& probe) { mutual_information_of_data_b(probe, 1e-8); }});
  suite.property({.name = "golden_first_point",
                  .summary = "Radius and counts of the first point of data A.",
                  .body = [](Probe& probe) { first_point_of_data_a(probe, 122); },
                  .cases = 1,
                  .backends = both,
                  .negative_control = [](Probe& probe) { first_point_of_data_a(probe, 123); }});
}

}  // namespace assay::validation::transfer_entropy
