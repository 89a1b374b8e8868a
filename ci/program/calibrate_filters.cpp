#include <memory>
#include <mutex>

#include "ci/program/backend_choice.hpp"
#include "ci/program/calibrating.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/suggestion.hpp"
#include "fmt/format.h"
#include "validation/filters/cases.hpp"
#include "validation/runner.hpp"

namespace assay::program {
namespace {

using validation::filters::Counts;
using validation::filters::FilterCounts;

struct Counted {
  std::string operation;
  std::string backend;
  FilterCounts counts;
};

/// Calls on the chosen backend. A device is one, and takes one call after the other; on the CPU each thread
/// has a context of its own.
validation::filters::RunCall runner_on(ChosenBackend& chosen, std::mutex& guard) {
  if (chosen.backend == Backend::cuda)
    return [&](const std::string& operation, const HostArguments& arguments) {
      const std::lock_guard lock(guard);
      return run_on_host(chosen.context, required_operation(operation), arguments.view());
    };
  return [](const std::string& operation, const HostArguments& arguments) {
    thread_local Context context = Context::cpu(1);
    return run_on_host(context, required_operation(operation), arguments.view());
  };
}

nlohmann::ordered_json json_of(const Counts& counts) {
  return {{"cases", counts.cases},
          {"differing", counts.differing},
          {"close_calls", counts.close_calls},
          {"differing_among_close", counts.differing_among_close}};
}

reports::Calibration record_of(const Counted& item, std::uint64_t seed, double elapsed_ms) {
  const Counts all = item.counts.all();
  reports::Calibration record;
  record.subject = reports::CalibrationSubject::filters;
  record.operation = item.operation;
  record.name = "survivors";
  record.backend = item.backend;
  record.trials = all.cases;
  record.failures = all.failures();
  record.seed = seed;
  record.message = item.counts.first;
  record.elapsed_ms = elapsed_ms;
  const auto note = [&](const std::string& name, std::int64_t count) {
    record.notes[name] = std::to_string(count);
  };
  note("close_calls", all.close_calls);
  note("differing_among_close", all.differing_among_close);
  note("drawn_close_calls", item.counts.drawn.close_calls);
  note("drawn_differing", item.counts.drawn.differing);
  return record;
}

std::string line_of(const Counted& item) {
  const Counts all = item.counts.all();
  std::string text = fmt::format(
      "{:<17} {:<5} {} cases: {} differ; {} close calls, of which {} differ (of {} not put there: {})\n",
      item.operation, item.backend, with_commas(all.cases), with_commas(all.failures()),
      with_commas(all.close_calls), with_commas(all.differing_among_close),
      with_commas(item.counts.drawn.close_calls), with_commas(item.counts.drawn.differing_among_close));
  if (all.failures() > 0) text += "  the first: " + item.counts.first + "\n";
  return text;
}

int run_filters(Invocation& invocation) {
  const auto all = validation::filters::counted_operations();
  const std::string pattern = invocation.maybe_text("op").value_or("");
  std::vector<std::string> operations;
  for (const std::string& name : all)
    if (pattern.empty() || validation::matches(name, pattern)) operations.push_back(name);
  if (operations.empty())
    throw Failure(ExitCode::vacuous, fmt::format("--op '{}' matches no filter, expected some of {}{}",
                                                 pattern, fmt::join(all, ", "), suggestion(pattern, all)));
  const std::int64_t cases = invocation.integer("cases", 1, 1'000'000'000);
  if (invocation.choice("backend", {"auto", "cpu", "cuda", "reference"}) == "reference")
    invocation.refuse("backend",
                      "'reference', expected auto, cpu or cuda: it is what they are compared with");
  ChosenBackend chosen = choose_backend(invocation, required_operation(operations.front()));
  std::mutex guard;
  const auto run_call = runner_on(chosen, guard);
  CalibrationRun run(invocation);
  std::vector<reports::Calibration> made;
  auto documents = nlohmann::ordered_json::array();
  std::string text;
  bool failed = false;
  for (const std::string& operation : operations) {
    ProgressLine line(invocation.console(), operation);
    std::int64_t last = 0;
    const auto start = std::chrono::steady_clock::now();
    const Counted item{
        operation, std::string(assay::name_of(chosen.backend)),
        validation::filters::count_filter_cases(run_call, operation, cases, invocation.seed(),
                                                threads_of(invocation), [&](std::int64_t done) {
                                                  if (done - last < 10'000 && done < cases) return;
                                                  last = done;
                                                  line.update(done, cases);
                                                })};
    const auto elapsed = std::chrono::steady_clock::now() - start;
    made.push_back(
        record_of(item, invocation.seed(), std::chrono::duration<double, std::milli>(elapsed).count()));
    run.append(made.back());
    nlohmann::ordered_json document{{"operation", operation}, {"backend", item.backend}};
    document.update(json_of(item.counts.all()));
    document["at_threshold"] = json_of(item.counts.at_threshold);
    document["first"] = item.counts.first;
    documents.push_back(std::move(document));
    text += line_of(item);
    failed = failed || item.counts.all().failures() > 0;
  }
  const int code = run.finish(failed ? ExitCode::incorrect : ExitCode::ok);
  if (invocation.json()) {
    auto document = calibration_document(run.run(), code, made);
    document["filters"] = documents;
    invocation.print_json(document);
  } else {
    invocation.print(text);
  }
  return code;
}

}  // namespace

Command describe_calibrate_filters() {
  Command command;
  command.path = "calibrate filters";
  command.summary =
      "Whether filters keep the reference's tokens, over many random rows, and how many were close calls";
  command.examples = R"(Examples:
  assay calibrate filters                             a million rows of each filter
  assay calibrate filters --op sampling.top_p --cases 10000 --backend cpu --json
Each case is one row: 2 to 400 tokens mostly, everything that rows may hold, a random parameter. A decision within 1e-9 of
its threshold is a close call, where integer weights and doubles may differ: it is counted and no failure. In one row
of eight the parameter is put at such a threshold on purpose.
Exit codes: 0 no other difference, 3 one, 6 no filter matches, 7 the backend is missing.)";
  command.options = {{"op", "GLOB", "only filters whose name matches; commas separate several"},
                     {"cases", "N", "random rows of each", "1000000"},
                     store_option()};
  command.run = run_filters;
  return command;
}

}  // namespace assay::program
