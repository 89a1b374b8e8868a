#include "engine/te/embed.hpp"

#include <algorithm>

#include "validation/all_of.hpp"
#include "validation/refusals.hpp"
#include "validation/transfer_entropy/points.hpp"

namespace assay::validation::te {

namespace {

using transfer_entropy::integers_tensor;
constexpr const char* operation = "te.embed";

struct Case {
  Tensor series;
  std::vector<std::int64_t> trial_lengths;
  std::vector<assay::te::EmbeddedVariable> variables;

  HostArguments arguments() const {
    HostArguments made;
    made.inputs.emplace("series", series.clone());
    if (!trial_lengths.empty()) made.inputs.emplace("trial_lengths", integers_tensor(trial_lengths));
    std::vector<std::int64_t> columns, histories, taus, delays;
    for (const auto& variable : variables) {
      columns.push_back(variable.column);
      histories.push_back(variable.history);
      taus.push_back(variable.tau);
      delays.push_back(variable.delay);
    }
    made.parameters.emplace("columns", columns);
    made.parameters.emplace("histories", histories);
    made.parameters.emplace("taus", taus);
    made.parameters.emplace("delays", delays);
    return made;
  }
};

Case draw() {
  CloudLimits limits;
  limits.max_rows = 70;
  const Cloud cloud = *clouds(limits).as("series");
  Case drawn{cloud.tensor(), {}, {}};
  const std::int64_t trials = *integers(0, 4, "trials");
  const std::int64_t cut = *integers(0, 1000, "cut");
  if (trials > 0) drawn.trial_lengths = split_trials(cloud.rows, trials, static_cast<std::uint64_t>(cut));
  const std::int64_t count = *integers(1, 4, "variables");
  for (std::int64_t i = 0; i < count; ++i) {
    drawn.variables.push_back({.column = *integers(0, cloud.columns - 1, "column"),
                               .history = *integers(i == 0 ? 1 : 0, 4, "history"),
                               .tau = *integers(1, 3, "tau"),
                               .delay = *integers(0, 4, "delay")});
  }
  return drawn;
}

void matches_reference(Probe& probe) {
  probe.expect_reference(operation, draw().arguments());
}

// More rows than a tile of any body holds, and more columns; lags beyond some of the trials.
struct TiledCase {
  Cloud series;
  std::vector<std::int64_t> trial_lengths;
  std::vector<assay::te::EmbeddedVariable> variables;
};
std::ostream& operator<<(std::ostream& out, const TiledCase& tiled) {
  return out << tiled.series << "; " << tiled.trial_lengths.size() << " trials, " << tiled.variables.size()
             << " variables";
}

void matches_reference_over_many_tiles(Probe& probe) {
  std::vector<TiledCase> list;
  const auto add = [&](std::int64_t rows, std::vector<std::int64_t> trial_lengths,
                       std::vector<assay::te::EmbeddedVariable> variables) {
    const Cloud cloud{.rows = rows, .columns = 2, .filling = Filling::ladder, .seed = probe.seed()};
    list.push_back({cloud, std::move(trial_lengths), std::move(variables)});
  };
  for (const std::int64_t rows : {255, 256, 257, 1025, 4099})
    for (const std::int64_t history : {1, 3, 9})
      add(rows, {}, {{.column = 1, .history = history}, {.column = 0, .history = 1, .tau = 1, .delay = 2}});
  for (const std::uint64_t cut : {1, 2, 3})
    add(3001, split_trials(3001, 40, cut), {{.column = 0, .history = 4, .tau = 5, .delay = 1}});
  add(3000, std::vector<std::int64_t>(1500, 2), {{.column = 1, .history = 2}, {.column = 0, .history = 1}});
  add(4000, {2600, 1400}, {{.column = 0, .history = 2100}, {.column = 1, .history = 1}});
  const auto shrinks = [](const TiledCase& tiled) {
    // The trials sum to the rows, and the variables name both columns.
    const std::int64_t least = tiled.trial_lengths.empty() ? 1 : tiled.series.rows;
    return simpler_by(tiled, &TiledCase::series, {.min_rows = least, .min_columns = 2, .max_columns = 2});
  };
  for (const TiledCase& each : *all_of(list, shrinks).as("case"))
    probe.expect_reference(operation,
                           Case{each.series.tensor(), each.trial_lengths, each.variables}.arguments());
}

// The definition, read off the outputs: each element is the series at its time less its lag, times rise, and
// no lag reaches into the trial before. And the count of observations is what the trials allow.
void holds_the_definition(Probe& probe) {
  const Case drawn = draw();
  const auto outputs = probe.run(operation, drawn.arguments());
  const auto embedded = outputs.at("embedded").as<double>();
  const auto times = outputs.at("times").as<std::int64_t>();
  const auto series = drawn.series.as<double>();
  const std::int64_t width = drawn.series.shape()[1];
  std::int64_t reach = 0, d = 0;
  for (const auto& variable : drawn.variables) {
    if (variable.history > 0) reach = std::max(reach, (variable.history - 1) * variable.tau + variable.delay);
    d += variable.history;
  }
  std::vector<std::int64_t> expected_times;
  std::int64_t start = 0;
  const auto lengths =
      drawn.trial_lengths.empty() ? std::vector<std::int64_t>{drawn.series.shape()[0]} : drawn.trial_lengths;
  for (const std::int64_t length : lengths) {
    for (std::int64_t t = start + reach; t < start + length; ++t) expected_times.push_back(t);
    start += length;
  }
  probe.expect(std::equal(times.begin(), times.end(), expected_times.begin(), expected_times.end()),
               "the times are those that the trials and the reach allow");
  bool right = true;
  for (std::size_t i = 0; i < times.size(); ++i) {
    std::int64_t column = 0;
    for (const auto& variable : drawn.variables) {
      for (std::int64_t lag = 0; lag < variable.history; ++lag, ++column) {
        const std::int64_t row = times[i] - variable.delay - lag * variable.tau;
        right = right && embedded[i * static_cast<std::size_t>(d) + static_cast<std::size_t>(column)] ==
                             series[static_cast<std::size_t>(row * width + variable.column)];
      }
    }
  }
  probe.expect(right, "every element is the series at its time less its lag");
}

// A history of 1 without delay gives the series back; a history of m gives it back from each of its columns.
void round_trip(Probe& probe) {
  CloudLimits limits;
  limits.max_rows = 70;
  limits.max_columns = 1;
  const Cloud cloud = *clouds(limits).as("series");
  const std::int64_t tau = *integers(1, 3, "tau");
  const std::int64_t history = *integers(1, 4, "history");
  const std::int64_t reach = (history - 1) * tau;
  if (cloud.rows <= reach) return probe.expect(true, "too short for an observation");
  const Case drawn{cloud.tensor(), {}, {{.column = 0, .history = history, .tau = tau, .delay = 0}}};
  const auto outputs = probe.run(operation, drawn.arguments());
  const auto embedded = outputs.at("embedded").as<double>();
  const auto series = drawn.series.as<double>();
  std::vector<double> back(series.size());
  for (std::int64_t lag = 0; lag < history; ++lag) {
    for (std::int64_t i = 0; i < cloud.rows - reach; ++i) {
      back[static_cast<std::size_t>(i + reach - lag * tau)] =
          embedded[static_cast<std::size_t>(i * history + lag)];
    }
  }
  // With spacing above 1 some of the early rows are in no column; they are not asked for.
  std::vector<bool> covered(series.size());
  for (std::int64_t lag = 0; lag < history; ++lag) {
    for (std::int64_t i = 0; i < cloud.rows - reach; ++i)
      covered[static_cast<std::size_t>(i + reach - lag * tau)] = true;
  }
  bool same = true;
  for (std::size_t i = 0; i < back.size(); ++i) same = same && (!covered[i] || back[i] == series[i]);
  probe.expect(same, "the columns of the embedding give the series back");
}

// Trials are embedded one by one: together they are the concatenation of what each gives alone.
void trials_are_independent(Probe& probe) {
  const Case drawn = draw();
  const auto together = probe.run(operation, drawn.arguments());
  const auto lengths =
      drawn.trial_lengths.empty() ? std::vector<std::int64_t>{drawn.series.shape()[0]} : drawn.trial_lengths;
  const std::int64_t width = drawn.series.shape()[1];
  std::vector<double> embedded;
  std::vector<std::int64_t> times;
  std::int64_t start = 0;
  for (const std::int64_t length : lengths) {
    const auto rows = drawn.series.as<double>().subspan(static_cast<std::size_t>(start * width),
                                                        static_cast<std::size_t>(length * width));
    const Case alone{Tensor::from(rows, {length, width}), {}, drawn.variables};
    const auto outputs = probe.run(operation, alone.arguments());
    for (const double value : outputs.at("embedded").as<double>()) embedded.push_back(value);
    for (const std::int64_t time : outputs.at("times").as<std::int64_t>()) times.push_back(time + start);
    start += length;
  }
  probe.expect_equal("embedded", together.at("embedded"),
                     Tensor::from(embedded, together.at("embedded").shape()));
  probe.expect_equal("times", together.at("times"), integers_tensor(times));
}

void refusals(Probe& probe) {
  Cloud cloud;
  cloud.rows = 6;
  cloud.columns = 2;
  const Case legal{cloud.tensor(), {2, 4}, {{.column = 1, .history = 1, .tau = 1, .delay = 0}}};
  const auto refused = [&](auto&& change, std::string_view argument, std::string_view why) {
    Case bad{legal.series.clone(), legal.trial_lengths, legal.variables};
    change(bad);
    expect_refused(probe, operation, bad.arguments(), argument, why);
  };
  refused([](Case& c) { c.variables[0].column = 2; }, "columns", "a column beyond the series");
  refused([](Case& c) { c.variables[0].column = -1; }, "columns", "a negative column");
  refused([](Case& c) { c.variables[0].tau = 0; }, "taus", "a spacing of 0");
  refused([](Case& c) { c.variables[0].delay = -1; }, "delays", "a negative delay");
  refused([](Case& c) { c.variables[0].history = 0; }, "histories", "no embedded column");
  refused([](Case& c) { c.trial_lengths = {2, 3}; }, "trial_lengths", "trials that do not sum to the rows");
  refused([](Case& c) { c.trial_lengths = {0, 6}; }, "trial_lengths", "a trial without rows");
}

}  // namespace

void describe_embed(Suite& suite) {
  suite.calls([] { return draw().arguments(); });
  suite.property(
      {.name = "matches_reference",
       .summary = "Values and times equal the reference's, with trials, histories of 0 and short trials.",
       .body = matches_reference,
       .cases = 2000});
  suite.property({.name = "matches_reference_over_many_tiles",
                  .summary = "The same around and beyond the rows and columns that a body is cut at.",
                  .body = matches_reference_over_many_tiles,
                  .cases = 1});
  suite.property(
      {.name = "holds_the_definition",
       .summary = "Each element is the series at its time less its lag; no lag crosses a trial's boundary.",
       .body = holds_the_definition,
       .cases = 1000});
  suite.property({.name = "round_trip",
                  .summary = "The columns of an embedding give the series back.",
                  .body = round_trip,
                  .cases = 1000});
  suite.property({.name = "trials_are_independent",
                  .summary = "Trials together give the concatenation of what each gives alone.",
                  .body = trials_are_independent,
                  .cases = 1000});
  suite.property(
      {.name = "refuses_bad_arguments",
       .summary = "Columns, lags and trials that do not fit are refused by name.",
       .body = refusals,
       .cases = 1,
       .negative_control = [](Probe& probe) {
         Cloud cloud;
         cloud.rows = 6;
         const Case legal{cloud.tensor(), {2, 4}, {{.column = 0, .history = 1, .tau = 1, .delay = 0}}};
         expect_refused(probe, operation, legal.arguments(), "columns", "a legal call");
       }});
  suite.mutant({"te.embed.delay_ignored", "wrong index", "the delay of a variable is taken as 0"});
  suite.mutant({"te.embed.tau_ignored", "wrong index", "the lags are spaced by 1 whatever tau is"});
  suite.mutant(
      {"te.embed.crosses_trial", "boundary", "observations of later trials reach into the trial before"});
  suite.mutant({"te.embed.lags_reversed", "wrong order", "the oldest lag comes first"});
  suite.mutant({"te.embed.times_within_trial", "wrong index", "times count from the start of the trial"});
  suite.mutant({"te.embed.delay_of_first_lag_only", "wrong index",
                "lags after a variable's first leave its delay out"});
  suite.mutant(
      {"te.embed.last_lag_repeated", "off by one", "the last lag of a history is the one before again"});
  suite.mutant({"te.embed.chunk_restarts", "wrong index",
                "a later chunk of a trial's observations starts at its first again"});
  suite.mutant({"te.embed.stride_ignored", "ignored stride", "the series is read as if it had one column"});
  suite.mutant({"te.embed.float32_copy", "precision", "values pass through float"});
  suite.mutant({"te.embed.short_trial_not_passed", "stale state",
                "a trial too short for an observation does not move the start of the next"});
  suite.mutant(
      {"te.embed.cuda_delay_ignored", "wrong index", "the delay of a variable is taken as 0", Backend::cuda});
  suite.mutant({"te.embed.cuda_segment_off_by_one", "off by one",
                "the first observation of a trial is taken for one of the trial before", Backend::cuda});
  suite.mutant(
      {"te.embed.cuda_lost_tile", "lost tile", "the last of several tiles is not written", Backend::cuda});
  suite.mutant({"te.embed.cuda_shift_of_first_trial", "boundary",
                "observations of later trials reach into the trial before", Backend::cuda});
  suite.mutant({"te.embed.cuda_columns_reversed", "wrong order",
                "the columns of an observation come in reverse", Backend::cuda});
}

}  // namespace assay::validation::te
