#include "ci/program/measuring.hpp"

#include <algorithm>
#include <cstdlib>

#include "benchmarks/runner.hpp"
#include "ci/program/backend_choice.hpp"
#include "ci/program/checking.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/load_meter.hpp"
#include "ci/program/translate.hpp"
#include "engine/runtime/device.hpp"
#include "fmt/format.h"
#include "validation/runner.hpp"

namespace assay::program {
namespace {

/// Share of the CPUs that other programs used while the cases of a backend were measured.
const std::string telemetry_of_others = "cpu_used_by_others";

std::string time_text(double nanoseconds) {
  if (nanoseconds <= 0) return "-";
  if (nanoseconds < 1e3) return fmt::format("{:.1f} ns", nanoseconds);
  if (nanoseconds < 1e6) return fmt::format("{:.2f} us", nanoseconds / 1e3);
  if (nanoseconds < 1e9) return fmt::format("{:.2f} ms", nanoseconds / 1e6);
  return fmt::format("{:.2f} s", nanoseconds / 1e9);
}

}  // namespace

std::vector<reports::Benchmark> run_benchmarks(const Invocation& invocation, const MeasuringPlan& plan) {
  benchmarks::Options options;
  if (!plan.pattern.empty()) {
    options.wanted = [&plan](const std::string& operation) {
      return validation::matches(operation, plan.pattern);
    };
  }
  options.named = plan.case_name;
  options.quick = plan.quick;
  options.peers = plan.peers;
  options.seconds = plan.seconds;
  options.seed = invocation.seed();
  ProgressLine line(invocation.console(), "benchmarks");
  options.progress = [&](int done, int total, const std::string& name) { line.update(done, total, name); };

  const unsigned threads = threads_of(invocation);
  const auto device = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  const std::string asked = invocation.text("backend");
  std::vector<reports::Benchmark> measured;
  std::size_t listed = 0;
  for (const Backend backend : wanted_backends(invocation)) {
    if (backend == Backend::reference) {
      if (asked == "reference")
        invocation.refuse("backend", "the reference is never measured, expected auto, cpu or cuda");
      continue;
    }
    const std::size_t count = benchmarks::names(options, backend).size();
    listed += count;
    if (count == 0) continue;
    if (backend == Backend::cuda && asked != "cuda" && !cuda_available()) {
      invocation.console().note(
          fmt::format("{} sizes on CUDA not executed: {}", count, cuda_available().reason));
      continue;
    }
    Context context = backend == Backend::cuda ? Context::cuda(device, threads) : Context::cpu(threads);
    const LoadMeter load;
    const auto found = benchmarks::run(context, options);
    const double others = load.others();
    for (const auto& measurement : found) {
      measured.push_back(benchmark_of(measurement, options.seed));
      measured.back().telemetry[telemetry_of_others] = fmt::format("{:.3f}", others);
    }
  }
  if (listed == 0)
    throw Failure(ExitCode::vacuous,
                  plan.case_name.empty()
                      ? "no size of an operation matches '" + plan.pattern + "' (assay list)"
                      : "no case is called '" + plan.case_name + "' on this backend (assay list)");
  return measured;
}

double load_of_others(const reports::Benchmark& benchmark) {
  const auto share = benchmark.telemetry.find(telemetry_of_others);
  return share == benchmark.telemetry.end() ? 0 : std::strtod(share->second.c_str(), nullptr);
}

int exit_code_of(const std::vector<reports::Benchmark>& benchmarks) {
  const auto any = [&](auto&& what) { return std::any_of(benchmarks.begin(), benchmarks.end(), what); };
  const auto invalid = [](const reports::Benchmark& item) {
    return item.peer.empty() && item.validity == reports::Validity::invalid &&
           item.check_verdict != reports::Verdict::fail;
  };
  if (any(invalid)) return code_of(ExitCode::invalid);
  if (any([](const reports::Benchmark& item) { return item.check_verdict == reports::Verdict::fail; })) {
    return code_of(ExitCode::incorrect);
  }
  return code_of(benchmarks.empty() ? ExitCode::vacuous : ExitCode::ok);
}

std::string table_of(const std::vector<reports::Benchmark>& benchmarks) {
  std::string out =
      fmt::format("{:<46} {:>10}  {:>23}  {:>9}\n", "case", "median", "95 % of the median", "roofline");
  for (const reports::Benchmark& item : benchmarks) {
    out += fmt::format("{:<46} {:>10}", reports::benchmark_key(item), time_text(item.median_ns));
    if (item.low_ns > 0)
      out += fmt::format("  {:>10} - {:>10}", time_text(item.low_ns), time_text(item.high_ns));
    else
      out += fmt::format("  {:>23}", "");
    if (item.roofline_share) out += fmt::format("  {:>7.1f} %", 100 * *item.roofline_share);
    if (!item.invalid_reason.empty()) out += "  " + item.invalid_reason;
    out += '\n';
  }
  for (const reports::Benchmark& item : benchmarks) {
    if (item.ceilings.empty()) continue;
    out += "roofline:";
    for (const auto& ceiling : item.ceilings)
      out += fmt::format(" {} {:.1f} {};", ceiling.name, ceiling.value, ceiling.unit);
    out += fmt::format(" {} threads\n", item.threads);
    break;
  }
  return out;
}

}  // namespace assay::program
