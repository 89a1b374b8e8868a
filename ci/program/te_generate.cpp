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

/// The exact transfer entropy of an edge at its own lag, histories 1, where the system is linear and
/// Gaussian.
std::optional<double> true_value(const analysis::GeneratedSystem& system, const analysis::TrueEdge& edge) {
  if (!system.linear) return std::nullopt;
  analysis::TeSpec spec;
  spec.sources = {edge.source};
  spec.targets = {edge.target};
  spec.delay = edge.lag;
  const auto layout = analysis::layout_of(system.table, spec);
  if (!layout) return std::nullopt;
  return analysis::gaussian_information(*system.linear, layout.value());
}

nlohmann::ordered_json edges_json(const analysis::GeneratedSystem& system) {
  nlohmann::ordered_json edges = nlohmann::ordered_json::array();
  for (const analysis::TrueEdge& edge : system.edges) {
    nlohmann::ordered_json item;
    item["source"] = system.table.names.at(static_cast<std::size_t>(edge.source));
    item["target"] = system.table.names.at(static_cast<std::size_t>(edge.target));
    item["lag"] = edge.lag;
    if (const auto value = true_value(system, edge)) item["te_nats"] = *value;
    edges.push_back(std::move(item));
  }
  return edges;
}

std::string edges_text(const analysis::GeneratedSystem& system) {
  std::string out;
  for (const analysis::TrueEdge& edge : system.edges) {
    out += fmt::format("  {} -> {} at lag {}", system.table.names.at(static_cast<std::size_t>(edge.source)),
                       system.table.names.at(static_cast<std::size_t>(edge.target)), edge.lag);
    if (const auto value = true_value(system, edge)) {
      out += fmt::format(": {} nats for histories of 1 (exact for Gaussian noise)", number_text(*value));
    }
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
  const std::int64_t variables = invocation.integer("variables", 2, 1000);
  if (static_cast<double>(rows) * static_cast<double>(variables) > 0x1p30 && name == "network") {
    invocation.refuse("rows", fmt::format("{} rows of {} variables are too large, expected at most 8 GiB",
                                          rows, variables));
  }
  const auto out = output_path(invocation);
  if (invocation.json() && !out)
    invocation.refuse("json", "describes what is written: --out FILE is required");
  const analysis::GeneratedSystem system =
      value_or_fail(analysis::generate(name, rows, invocation.seed(), variables));

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
  assay te generate --system network --variables 20 --rows 5000 --seed 7 --out network.npy)";
  command.options = {{"system", "NAME", "which system"},
                     {"rows", "N", "time steps", "1000"},
                     {"variables", "N", "columns of the system 'network'", "10"},
                     {"out", "FILE", ".csv or .npy; by default CSV to standard output"}};
  command.run = run_generate;
  return command;
}

}  // namespace assay::program
