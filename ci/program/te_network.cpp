#include <algorithm>
#include <cstdio>
#include <set>

#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/network_answer_page.hpp"
#include "ci/program/network_output.hpp"
#include "ci/program/network_plan_text.hpp"
#include "ci/program/output_file.hpp"
#include "ci/program/te_answer.hpp"
#include "ci/program/te_options.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "fmt/format.h"
#include "reference/estimator.hpp"

namespace assay::program {
namespace {

constexpr std::int64_t most_columns = 100'000;

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

analysis::IntervalOptions read_interval(const Invocation& invocation) {
  analysis::IntervalOptions interval;
  const std::string method = invocation.choice("ci-method", {"jackknife", "subsample", "bootstrap"});
  if (method == "bootstrap") {
    invocation.refuse("ci-method",
                      "bootstrap draws observations with replacement; the duplicates are ties, which put a "
                      "nearest-neighbour estimate off by about half a nat; expected jackknife or subsample");
  }
  if (method == "subsample") interval.method = analysis::IntervalMethod::subsample;
  if (!invocation.given("ci")) {
    if (invocation.given("ci-method")) invocation.refuse("ci-method", "has a meaning only with --ci");
    return interval;
  }
  interval.confidence = invocation.real("ci", 0, 1);
  if (interval.confidence <= 0 || interval.confidence >= 1) {
    invocation.refuse("ci", "expected a confidence between 0 and 1, such as 0.95");
  }
  return interval;
}

/// All options but the columns.
analysis::NetworkOptions read_options(const Invocation& invocation) {
  analysis::NetworkOptions options;
  options.estimation = read_estimation(invocation);
  options.surrogates = read_surrogates(invocation, false);
  DelayedSpec delayed = read_delayed_spec(invocation);
  options.spec = std::move(delayed.spec);
  options.delays = std::move(delayed.delays);
  options.embed = read_auto_embed(invocation);
  options.fdr = invocation.real("fdr", 0, 1);
  options.interval = read_interval(invocation);
  if (options.scans() && options.embed) {
    invocation.refuse("auto-embed", "looks at a single --delay, expected one");
  }
  if (options.scans() && options.interval.confidence > 0) {
    invocation.refuse("ci", "no interval is known for the largest of several delays, expected one --delay");
  }
  constexpr std::int64_t most_mebibytes = std::int64_t{1} << 40;
  if (invocation.given("memory"))
    options.memory_bytes = invocation.integer("memory", 1, most_mebibytes) << 20;
  if (invocation.given("batch")) options.batch_targets = invocation.integer("batch", 1, most_columns);
  if (const auto path = output_path(invocation, "checkpoint")) options.checkpoint = *path;
  return options;
}

/// Where the network is computed: one backend, and for CUDA one or several devices of it.
struct Devices {
  Backend backend = Backend::cpu;
  std::vector<Context> contexts;
  std::vector<std::string> names;

  std::vector<Context*> pointers() {
    std::vector<Context*> all;
    for (Context& context : contexts) all.push_back(&context);
    return all;
  }
};

Devices choose_devices(const Invocation& invocation, const Operation& operation, bool shared) {
  Devices devices;
  if (!invocation.given("devices")) {
    ChosenBackend chosen = choose_backend(invocation, operation);
    devices.backend = chosen.backend;
    devices.contexts.push_back(std::move(chosen.context));
    devices.names.push_back(chosen.device);
    return devices;
  }
  const std::vector<std::int64_t> ordinals = invocation.integers("devices", 0, 1 << 20);
  if (!operation.has(Backend::cuda)) {
    throw BackendUnavailable(invocation.source("devices") + ": " + operation.name +
                             " has no CUDA body in this build, expected the CPU");
  }
  if (ordinals.empty()) invocation.refuse("devices", "none given, expected numbers of CUDA devices");
  if (std::set<std::int64_t>(ordinals.begin(), ordinals.end()).size() != ordinals.size())
    invocation.refuse("devices", "a device is given twice, expected each once");
  if (invocation.given("device")) invocation.refuse("devices", "and --device say both where, expected one");
  const std::string backend = invocation.choice("backend", {"auto", "cpu", "cuda", "reference"});
  if (backend == "cpu" || backend == "reference")
    invocation.refuse("devices", "are CUDA's, expected --backend cuda or auto");
  if (ordinals.size() > 1 && !shared)
    invocation.refuse("devices",
                      "pairs whose observations differ (--auto-embed, --conditional among the columns) are "
                      "not shared out, expected a single device");
  devices.backend = Backend::cuda;
  for (const std::int64_t ordinal : ordinals) {
    devices.contexts.push_back(Context::cuda(static_cast<int>(ordinal), threads_of(invocation)));
    devices.names.push_back(cuda_devices().at(static_cast<std::size_t>(ordinal)).name);
  }
  return devices;
}

analysis::Estimator estimator_of(Devices& devices) {
  if (devices.backend == Backend::reference) return reference::estimator();
  return analysis::engine_estimator(devices.contexts[0]);
}

void write_answer(Invocation& invocation, const NetworkAnswer& answer, const std::string& format,
                  const std::optional<std::string>& out, const std::string& data) {
  const auto render = [&](const io::Sink& put) {
    if (format == "json")
      write_network_json(answer, put);
    else if (format == "csv")
      write_network_csv(answer, put);
    else if (format == "html")
      put(network_html(answer, data));
    else
      write_network_graphml(answer, put);
  };
  if (out && format == "npy")
    write_array(*out, network_matrix(answer));
  else if (out)
    write_pieces(*out, render);
  const io::Sink print = [&](std::string_view piece) { invocation.print(piece); };
  if (invocation.json())
    write_network_json(answer, print);
  else if (!out && format != "text")
    render(print);
  else if (out || !invocation.console().quiet())
    invocation.print(network_text(answer));
}

int run_network(Invocation& invocation) {
  analysis::NetworkOptions options = read_options(invocation);
  const auto out = output_path(invocation);
  const std::string format = format_of(invocation, out);
  invocation.choice("backend", {"auto", "cpu", "cuda", "reference"});
  SeriesInput input(invocation);
  options.columns =
      invocation.given("columns") ? input.columns(invocation, "columns") : input.all_columns(invocation);
  options.spec.conditionals = input.columns(invocation, "conditional");
  const auto count = static_cast<std::int64_t>(options.columns.size());
  if (count < 2) {
    throw Failure(ExitCode::usage, fmt::format("{}: {} column, expected at least two", input.path(), count));
  }
  if (count > most_columns) {
    throw Failure(ExitCode::usage, fmt::format("{}: {} columns, expected at most {} (--columns)",
                                               input.path(), count, most_columns));
  }
  const bool reference = invocation.text("backend") == "reference";
  const bool shared = !reference && analysis::shares_sources(options);
  Devices devices = choose_devices(invocation, required_operation(shared ? "te.network" : "te.ksg"), shared);
  const analysis::SeriesTable table = input.read(invocation);
  const std::vector<Context*> contexts = devices.pointers();
  ThreadPool& pool = devices.contexts[0].pool();
  const std::string backend(name_of(devices.backend));

  if (invocation.flag("dry-run")) {
    auto forecast = shared ? analysis::forecast_network(table, options, contexts)
                           : analysis::forecast_network(table, options, estimator_of(devices), pool);
    const PlannedNetwork plan{options, value_or_fail(std::move(forecast)), backend, devices.names};
    if (invocation.json())
      invocation.print_json(plan_json(plan));
    else
      invocation.print(plan_text(plan));
    return code_of(ExitCode::ok);
  }

  note_seed(invocation, {options.estimation, options.surrogates, false});
  NetworkAnswer answer{table, options, {}, backend, fmt::format("{}", fmt::join(devices.names, ", ")), 0};
  {
    ProgressLine progress(invocation.console(), "pairs");
    const analysis::Progress update = [&](std::int64_t done, std::int64_t total) {
      progress.update(done, total);
    };
    const auto start = std::chrono::steady_clock::now();
    answer.network =
        value_or_fail(shared ? analysis::network(table, options, contexts, update)
                             : analysis::network(table, options, estimator_of(devices), pool, update));
    answer.elapsed_ms = milliseconds_since(start);
  }
  if (answer.network.resumed_pairs > 0) {
    invocation.console().note(
        fmt::format("{}: {} pairs were there already", options.checkpoint, answer.network.resumed_pairs));
  }
  write_answer(invocation, answer, format, out, input.path());
  // The answer holds what the checkpoint held, and more; until it was written the checkpoint was worth
  // keeping.
  if (!options.checkpoint.empty()) std::remove(options.checkpoint.c_str());
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
  assay te network --data F.csv --delay 1..20 --surrogates 100 --dry-run
  assay te network --data F.csv --surrogates 1000 --checkpoint run.part --out network.csv
  assay te network --data F.csv --columns a,b,c --json)";
  command.options = joined(
      {series_options(),
       {{"columns", "COL,..", "the columns, by name or 0-based number; by default all"},
        {"conditional", "COL,..", "columns that every pair is conditioned on"}},
       estimation_options(),
       history_options(true),
       auto_embed_options(),
       {{"surrogates", "N", "test each pair against N surrogates", "0"},
        {"surrogate-method", "HOW", "permute or shift (circular)", "permute"},
        {"fdr", "Q", "level of the false discovery rate (Benjamini, Hochberg)", "0.05"},
        {"ci", "C", "confidence of intervals, such as 0.95"},
        {"ci-method", "HOW", "jackknife (ten blocks, one left out at a time) or subsample", "jackknife"},
        {"format", "NAME", "json, csv, graphml, npy or html; by default as --out ends"},
        {"out", "FILE", "write the network there"},
        {"devices", "N,..", "CUDA devices that share the work"},
        {"dry-run", "", "print the plan with memory and time, and compute nothing"},
        {"memory", "MIB", "use no more memory than this; by default four fifths of what is available"},
        {"batch", "N", "targets evaluated at a time; by default some seconds of work"},
        {"checkpoint", "FILE",
         "keep finished batches there, and go on from them; removed once the answer is written"}}});
  command.run = run_network;
  return command;
}

}  // namespace assay::program
