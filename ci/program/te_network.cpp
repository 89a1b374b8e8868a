#include <algorithm>
#include <limits>

#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/network_answer_page.hpp"
#include "ci/program/network_output.hpp"
#include "ci/program/output_file.hpp"
#include "ci/program/te_answer.hpp"
#include "ci/program/te_options.hpp"
#include "engine/runtime/error.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

constexpr std::int64_t most_pairs = 4'000'000;

/// What --format says or, where it was not given, what the name of the output file says.
std::string format_of(const Invocation& invocation, const std::optional<std::string>& out) {
  const std::vector<std::string> formats{"json", "csv", "graphml", "npy", "html"};
  if (invocation.given("format")) {
    const std::string format = invocation.choice("format", formats);
    if (format == "npy" && !out) invocation.refuse("format", "npy needs --out FILE");
    if (invocation.json() && format != "json" && !out) {
      invocation.refuse("format", format + " beside --json needs --out FILE");
    }
    return format;
  }
  if (!out) return invocation.json() ? "json" : "text";
  for (const std::string& format : formats) {
    if (out->ends_with("." + format)) return format;
  }
  invocation.refuse(
      "out", *out + ": expected a name that ends with .json, .csv, .graphml, .npy or .html, or --format");
}

int run_network(Invocation& invocation) {
  analysis::NetworkOptions options;
  options.estimation = read_estimation(invocation);
  options.surrogates = read_surrogates(invocation, false);
  options.spec = read_te_spec(invocation);
  options.embed = read_auto_embed(invocation);
  options.fdr = invocation.real("fdr", 0, 1);
  if (invocation.given("ci")) {
    options.confidence = invocation.real("ci", 0, 1);
    if (options.confidence <= 0 || options.confidence >= 1) {
      invocation.refuse("ci", "expected a confidence between 0 and 1, such as 0.95");
    }
  }
  const auto out = output_path(invocation);
  const std::string format = format_of(invocation, out);
  const Operation& operation = required_operation("te.ksg");
  if (invocation.given("devices")) {
    invocation.integers("devices", 0, 1 << 20);
    if (!operation.has(Backend::cuda)) {
      throw BackendUnavailable(invocation.source("devices") +
                               ": te.ksg has no CUDA body in this build, expected the CPU");
    }
  }
  ChosenBackend chosen = choose_backend(invocation, operation);

  SeriesInput input(invocation);
  options.columns =
      invocation.given("columns") ? input.columns(invocation, "columns") : input.all_columns(invocation);
  options.spec.conditionals = input.columns(invocation, "conditional");
  const auto count = static_cast<std::int64_t>(options.columns.size());
  if (count < 2) {
    throw Failure(ExitCode::usage, fmt::format("{}: {} column, expected at least two", input.path(), count));
  }
  if (count > most_pairs / count) {
    throw Failure(ExitCode::usage,
                  fmt::format("{}: {} columns make more than {} pairs, expected fewer (--columns)",
                              input.path(), count, most_pairs));
  }
  const analysis::SeriesTable table = input.read(invocation);
  note_seed(invocation, {options.estimation, options.surrogates, false});

  ProgressLine progress(invocation.console(), "pairs");
  const auto start = std::chrono::steady_clock::now();
  NetworkAnswer answer{table,
                       options,
                       value_or_fail(analysis::network(
                           table, options, estimator_on(chosen), chosen.context.pool(),
                           [&](std::int64_t done, std::int64_t total) { progress.update(done, total); })),
                       std::string(name_of(chosen.backend)),
                       chosen.device,
                       0};
  answer.elapsed_ms = milliseconds_since(start);

  const auto rendered = [&] {
    if (format == "json") return network_json(answer).dump() + "\n";
    if (format == "html") return network_html(answer, input.path());
    return format == "csv" ? network_csv(answer) : network_graphml(answer);
  };
  if (out && format == "npy") {
    const Tensor matrix = network_matrix(answer);
    write_array(*out, matrix.view());
  } else if (out) {
    write_text(*out, rendered());
  }
  if (invocation.json())
    invocation.print_json(network_json(answer));
  else if (!out && format != "text")
    invocation.print(rendered());
  else if (out || !invocation.console().quiet())
    invocation.print(network_text(answer));
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_te_network() {
  Command command;
  command.path = "te network";
  command.summary =
      "Transfer entropy of all ordered pairs of columns, and which survive a false discovery rate";
  command.examples = R"(Examples:
  assay te network --data F.csv --surrogates 200 --fdr 0.05
  assay te network --data F.csv --surrogates 200 --out network.graphml
  assay te network --data F.csv --surrogates 200 --out network.html
  assay te network --data F.csv --columns a,b,c --json)";
  command.options = joined({series_options(),
                            {{"columns", "COL,..", "the columns, by name or 0-based number; by default all"},
                             {"conditional", "COL,..", "columns that every pair is conditioned on"}},
                            estimation_options(),
                            history_options(),
                            auto_embed_options(),
                            {{"surrogates", "N", "test each pair against N surrogates", "0"},
                             {"surrogate-method", "HOW", "permute or shift (circular)", "permute"},
                             {"fdr", "Q", "level of the false discovery rate (Benjamini, Hochberg)", "0.05"},
                             {"ci", "C", "confidence of jackknife intervals, such as 0.95"},
                             {"format", "NAME", "json, csv, graphml, npy or html; by default as --out ends"},
                             {"out", "FILE", "write the network there"},
                             {"devices", "N,..", "CUDA devices that share the work"}}});
  command.run = run_network;
  return command;
}

}  // namespace assay::program
