#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/output_file.hpp"
#include "ci/program/te_answer.hpp"
#include "ci/program/te_options.hpp"
#include "engine/analysis/series.hpp"
#include "engine/te/embed.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

constexpr double most_elements = 0x1p30;

std::int64_t entry(const std::vector<std::int64_t>& list, std::size_t i) {
  return list[list.size() == 1 ? 0 : i];
}

/// The variables of --series with a history, spacing and delay each, or those of --source and --target.
std::vector<te::EmbeddedVariable> variables_of(const Invocation& invocation, SeriesInput& input) {
  std::vector<te::EmbeddedVariable> variables;
  if (invocation.given("series")) {
    for (const char* other : {"source", "target", "conditional"}) {
      if (invocation.given(other)) invocation.refuse(other, "has no meaning beside --series");
    }
    const auto columns = input.columns(invocation, "series");
    const auto histories = invocation.integers("history", 0, most_lags);
    const auto taus = invocation.integers("tau", 1, most_lags);
    const auto delays = invocation.integers("lag", 0, most_lags);
    const std::vector<std::pair<const char*, const std::vector<std::int64_t>*>> lists{
        {"history", &histories}, {"tau", &taus}, {"lag", &delays}};
    for (const auto& [name, list] : lists) {
      if (list->size() != 1 && list->size() != columns.size()) {
        invocation.refuse(name, fmt::format("{} entries, expected one or one for each of the {} series",
                                            list->size(), columns.size()));
      }
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      variables.push_back({columns[i], entry(histories, i), entry(taus, i), entry(delays, i)});
    }
    return variables;
  }
  if (!invocation.given("target"))
    throw Failure(ExitCode::usage, "--series COL,.. or --target COL,.. is required");
  analysis::TeSpec spec = read_te_spec(invocation);
  spec.sources = input.columns(invocation, "source");
  spec.targets = input.columns(invocation, "target");
  spec.conditionals = input.columns(invocation, "conditional");
  for (const std::int64_t column : spec.targets) variables.push_back({column, 1, 1, 0});
  for (const std::int64_t column : spec.targets) variables.push_back({column, spec.k_history, spec.k_tau, 1});
  for (const std::int64_t column : spec.sources)
    variables.push_back({column, spec.l_history, spec.l_tau, spec.delay});
  const std::vector<std::pair<const char*, const std::vector<std::int64_t>*>> lists{
      {"cond-history", &spec.cond_history}, {"cond-tau", &spec.cond_tau}, {"cond-delay", &spec.cond_delay}};
  for (const auto& [name, list] : lists) {
    if (list->size() != 1 && list->size() != spec.conditionals.size()) {
      invocation.refuse(name, fmt::format("{} entries, expected one or one for each of the {} conditionals",
                                          list->size(), spec.conditionals.size()));
    }
  }
  for (std::size_t i = 0; i < spec.conditionals.size(); ++i) {
    variables.push_back({spec.conditionals[i], entry(spec.cond_history, i), entry(spec.cond_tau, i),
                         entry(spec.cond_delay, i)});
  }
  return variables;
}

std::string label(const std::string& name, std::int64_t lag) {
  return lag == 0 ? name + "[t]" : fmt::format("{}[t-{}]", name, lag);
}

int run_embed(Invocation& invocation) {
  const auto out = output_path(invocation);
  SeriesInput input(invocation);
  const std::vector<te::EmbeddedVariable> variables = variables_of(invocation, input);
  const analysis::SeriesTable table = input.read(invocation);
  ChosenBackend chosen = choose_backend(invocation, required_operation("te.embed"));

  // Sizes first: a history may be absurd, and nothing is allocated or named before it is known to fit.
  const std::vector<std::int64_t> trials = analysis::trial_lengths_of(table);
  const std::int64_t reach = te::embedding_reach(variables);
  std::int64_t count = 0;
  for (const std::int64_t length : te::embedded_trial_lengths(trials, reach)) count += length;
  double width = 0;
  for (const te::EmbeddedVariable& variable : variables) width += static_cast<double>(variable.history);
  if (width == 0) throw Failure(ExitCode::usage, "no column to embed: all histories are 0");
  if (count == 0) {
    throw Failure(ExitCode::usage,
                  fmt::format("{}: too few rows: {} leave no observation, expected more than {} in a trial",
                              input.path(), table.rows(), reach));
  }
  if (static_cast<double>(count) * width > most_elements) {
    throw Failure(
        ExitCode::usage,
        fmt::format("{} observations of {} values each are too large, expected at most 8 GiB", count, width));
  }
  std::vector<std::string> names;
  for (const te::EmbeddedVariable& variable : variables) {
    for (std::int64_t j = 0; j < variable.history; ++j) {
      names.push_back(label(table.names.at(static_cast<std::size_t>(variable.column)),
                            variable.delay + j * variable.tau));
    }
  }
  Tensor embedded(DType::f64, {count, static_cast<std::int64_t>(names.size())});
  Tensor times(DType::i64, {count});
  te::embed(chosen.context, table.values.view(), trials, variables, embedded.view(), times.view());

  if (out && out->ends_with(".npy"))
    write_array(*out, std::as_const(embedded).view());
  else if (out)
    write_text(*out, csv_text(names, std::as_const(embedded).as<double>()));
  const auto row_of = std::as_const(times).as<std::int64_t>();
  if (invocation.json()) {
    nlohmann::ordered_json document;
    document["columns"] = names;
    document["samples"] = count;
    document["dimensions"] = names.size();
    document["rows"] = row_of;
    if (out) {
      document["out"] = *out;
    } else {
      nlohmann::ordered_json rows = nlohmann::ordered_json::array();
      const auto values = std::as_const(embedded).as<double>();
      for (std::size_t i = 0; i < row_of.size(); ++i)
        rows.push_back(values.subspan(i * names.size(), names.size()));
      document["embedded"] = std::move(rows);
    }
    invocation.print_json(document);
  } else if (out) {
    invocation.console().note(fmt::format("{}: {} observations of {} values", *out, count, names.size()));
  } else {
    invocation.print(csv_text(names, std::as_const(embedded).as<double>()));
  }
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_te_embed() {
  Command command;
  command.path = "te embed";
  command.summary = "Time-delay embedding of columns, as a matrix";
  command.examples = R"(Examples:
  assay te embed --data F.csv --series x,y --history 2,3 --tau 1,2 --out embedded.csv
  assay te embed --data F.csv --source x --target y --k-history 2 --out embedded.npy
The first form takes x[t - lag - j tau] for j = 0 .. history - 1 of each series; the second the columns of a transfer
entropy: the target's next value, its past, the source's past, the conditionals'.)";
  command.options = joined({series_options(),
                            {{"series", "COL,..", "columns to embed, by name or 0-based number"},
                             {"history", "N,..", "values of each series, one for all or one each", "1"},
                             {"tau", "N,..", "spacing of each series", "1"},
                             {"lag", "N,..", "delay of the newest value of each series", "0"},
                             {"source", "COL,..", "columns of the source of a transfer entropy"},
                             {"target", "COL,..", "columns of its target"},
                             {"conditional", "COL,..", "columns that it is conditioned on"}},
                            history_options(),
                            {{"out", "FILE", ".csv or .npy; by default CSV to standard output"}}});
  command.run = run_embed;
  return command;
}

}  // namespace assay::program
