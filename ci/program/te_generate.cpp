#include <algorithm>

#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/output_file.hpp"
#include "ci/program/suggestion.hpp"
#include "ci/program/te_answer.hpp"
#include "engine/analysis/gaussian_truth.hpp"
#include "engine/analysis/systems.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

constexpr std::int64_t most_rows = 100'000'000;

/// The exact transfer entropy of every edge at its own lag, histories 1, where the system is linear and
/// Gaussian; empty elsewhere, and for so many variables that it would take minutes.
std::vector<double> true_values(const analysis::GeneratedSystem& system) {
  constexpr std::int64_t most = 200;
  if (!system.linear || system.linear->variables > most) return {};
  std::int64_t reach = 1;
  for (const analysis::TrueEdge& edge : system.edges) reach = std::max(reach, edge.lag);
  const auto lags = analysis::lagged_covariances(*system.linear, reach);
  std::vector<double> values;
  for (const analysis::TrueEdge& edge : system.edges) {
    analysis::TeSpec spec;
    spec.sources = {edge.source};
    spec.targets = {edge.target};
    spec.delay = edge.lag;
    const auto layout = value_or_fail(analysis::layout_of(system.table, spec));
    values.push_back(analysis::gaussian_information(system.linear->variables, lags, layout));
  }
  return values;
}

nlohmann::ordered_json edges_json(const analysis::GeneratedSystem& system) {
  const std::vector<double> values = true_values(system);
  nlohmann::ordered_json edges = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < system.edges.size(); ++i) {
    const analysis::TrueEdge& edge = system.edges[i];
    nlohmann::ordered_json item;
    item["source"] = system.table.names.at(static_cast<std::size_t>(edge.source));
    item["target"] = system.table.names.at(static_cast<std::size_t>(edge.target));
    item["lag"] = edge.lag;
    if (!values.empty()) item["te_nats"] = values[i];
    edges.push_back(std::move(item));
  }
  return edges;
}

std::string edges_text(const analysis::GeneratedSystem& system) {
  const std::vector<double> values = true_values(system);
  std::string out;
  for (std::size_t i = 0; i < system.edges.size(); ++i) {
    const analysis::TrueEdge& edge = system.edges[i];
    out += fmt::format("  {} -> {} at lag {}", system.table.names.at(static_cast<std::size_t>(edge.source)),
                       system.table.names.at(static_cast<std::size_t>(edge.target)), edge.lag);
    if (!values.empty())
      out += fmt::format(": {} nats for histories of 1 (exact for Gaussian noise)", number_text(values[i]));
    out += '\n';
  }
  return out.empty() ? "  nothing drives anything\n" : out;
}

int list_systems(const Invocation& invocation) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::string text = "systems (--system NAME), with what drives what:\n";
  for (const analysis::SystemInfo& info : analysis::known_systems()) {
    const auto system = value_or_fail(analysis::generate(info.name, 16, invocation.seed(), 10));
    nlohmann::ordered_json item;
    item["name"] = info.name;
    item["summary"] = info.summary;
    item["equations"] = system.description;
    item["columns"] = system.table.names;
    item["edges"] = edges_json(system);
    all.push_back(std::move(item));
    text += fmt::format("{}: {}\n  {}\n{}", info.name, info.summary, system.description, edges_text(system));
  }
  if (invocation.json())
    invocation.print_json(nlohmann::ordered_json{{"systems", all}});
  else
    invocation.print(text);
  return code_of(ExitCode::ok);
}

/// --variables for a system that takes it; refused where the system has columns of its own.
std::int64_t variables_of(const Invocation& invocation, const std::string& name) {
  constexpr std::int64_t most = 10'000;
  const auto known = analysis::known_systems();
  const auto info = std::find_if(known.begin(), known.end(),
                                 [&](const analysis::SystemInfo& item) { return item.name == name; });
  if (info != known.end() && info->least_variables > 0)
    return invocation.integer("variables", info->least_variables, most);
  if (invocation.given("variables")) {
    std::string sized;
    for (const analysis::SystemInfo& item : known)
      if (item.least_variables > 0) sized += (sized.empty() ? "" : ", ") + std::string(item.name);
    invocation.refuse("variables", fmt::format("the system '{}' has columns of its own, expected none or one "
                                               "of the systems {}",
                                               name, sized));
  }
  return invocation.integer("variables", 2, most);
}

int run_generate(Invocation& invocation) {
  if (!invocation.given("system")) {
    if (invocation.given("out")) invocation.text("system");
    return list_systems(invocation);
  }
  const std::string name = invocation.text("system");
  std::vector<std::string> known;
  for (const analysis::SystemInfo& info : analysis::known_systems()) known.emplace_back(info.name);
  invocation.choice("system", known);
  const std::int64_t rows = invocation.integer("rows", 1, most_rows);
  const std::int64_t variables = variables_of(invocation, name);
  const double noise = invocation.real("observation-noise", 0, 1e6);
  if (static_cast<double>(rows) * static_cast<double>(variables) > 0x1p30) {
    invocation.refuse("rows", fmt::format("{} rows of {} variables are too large, expected at most 8 GiB",
                                          rows, variables));
  }
  const auto out = output_path(invocation);
  if (invocation.json() && !out)
    invocation.refuse("json", "describes what is written: --out FILE is required");
  const analysis::GeneratedSystem system =
      value_or_fail(analysis::generate(name, rows, invocation.seed(), variables, noise));

  const auto values = system.table.values.as<double>();
  if (out && out->ends_with(".npy"))
    write_array(*out, system.table.values.view());
  else if (out)
    write_text(*out, csv_text(system.table.names, values));
  else
    invocation.print(csv_text(system.table.names, values));
  if (invocation.json()) {
    nlohmann::ordered_json document;
    document["system"] = name;
    document["equations"] = system.description;
    document["rows"] = rows;
    document["seed"] = invocation.seed();
    document["columns"] = system.table.names;
    document["edges"] = edges_json(system);
    document["out"] = *out;
    invocation.print_json(document);
  } else {
    const std::string told =
        fmt::format("{}: {} (seed {})\n{}", name, system.description, invocation.seed(), edges_text(system));
    if (out)
      invocation.print(
          fmt::format("{}: {} rows of {} columns\n{}", *out, rows, system.table.names.size(), told));
    else if (!invocation.console().quiet())
      fmt::print(stderr, "{}", told);
  }
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_te_generate() {
  Command command;
  command.path = "te generate";
  command.summary = "Write an example system with known coupling; without --system, list them";
  command.examples = R"(Examples:
  assay te generate
  assay te generate --system ar1 --rows 2000 --out ar1.csv
  assay te generate --system network --variables 20 --rows 5000 --seed 7 --out network.npy
  assay te generate --system lorenz96 --variables 100 --rows 1000 --observation-noise 0.05 --out ring.csv)";
  command.options = {
      {"system", "NAME", "which system"},
      {"rows", "N", "time steps", "1000"},
      {"variables", "N", "columns of a system of any size: network, logistic-network, henon-chain, lorenz96",
       "10"},
      {"observation-noise", "SHARE", "noise added to every column, as a share of its standard deviation",
       "0"},
      {"out", "FILE", ".csv or .npy; by default CSV to standard output"}};
  command.run = run_generate;
  return command;
}

}  // namespace assay::program
