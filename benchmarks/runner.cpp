#include "benchmarks/runner.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>

#include "benchmarks/ceilings.hpp"
#include "benchmarks/hygiene.hpp"
#include "benchmarks/prepared_call.hpp"
#include "engine/comparison.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/profile_range.hpp"
#include "reference/operations.hpp"

namespace assay::benchmarks {

namespace {

struct Selected {
  const Operation* operation;
  const Case* item;
  std::vector<const Peer*> peers;
};

bool stands_beside(const Peer& peer, Backend backend) {
  return std::find(peer.beside.begin(), peer.beside.end(), backend) != peer.beside.end();
}

std::vector<Selected> select(const std::vector<Suite>& suites, const Options& options, Backend backend) {
  std::vector<Selected> selected;
  for (const Suite& suite : suites) {
    const Operation* operation = find_operation(suite.operation());
    if (operation == nullptr || (options.wanted && !options.wanted(suite.operation()))) continue;
    for (const Case& item : suite.cases()) {
      const bool chosen = options.named.empty() ? !options.quick || item.quick
                                                : options.named == suite.operation() + "/" + item.label;
      if (!chosen || !runs_on(*operation, item, backend)) continue;
      Selected one{operation, &item, {}};
      if (options.peers)
        for (const Peer& peer : suite.peers())
          if (peer.label == item.label && stands_beside(peer, backend)) one.peers.push_back(&peer);
      selected.push_back(std::move(one));
    }
  }
  return selected;
}

/// Empty where the answer is right; else why not.
std::string check(Context& context, const Operation& operation, const HostArguments& arguments) {
  const Arguments host = arguments.view();
  const auto outputs = run_on_host(context, operation, host);
  const Comparison comparison =
      compare_outputs(operation, resolve(operation, host), outputs, reference::run(operation, host));
  return comparison.pass() ? "" : comparison.reason();
}

Measurement describe(Context& context, const Selected& selected, const std::vector<Ceiling>& ceilings) {
  Measurement made;
  made.operation = selected.operation->name;
  made.label = selected.item->label;
  made.backend = context.backend();
  made.size = selected.item->size;
  made.size_name = selected.item->size > 0 ? selected.item->size_name : "";
  made.axes = axes_of(selected.item->label);
  made.threads = context.pool().threads();
  made.ceilings = ceilings;
  return made;
}

void judge_against_roofline(Context& context, Measurement& made, const std::string& kind) {
  if (made.backend == Backend::cuda && !made.samples_ns.empty()) {
    const DevicePeak peak = peak_of(cuda_devices().at(static_cast<std::size_t>(context.device())).name);
    // what the cache serves has no limit in the datasheet
    const std::string beyond =
        beyond_peak(peak, made.cache == "warm" ? 0 : made.bytes, made.flops, made.median_ns() * 1e-9);
    made.impossible = !beyond.empty();
    if (made.impossible) made.invalid_reason = "impossible: " + beyond;
  }
  const double floor = floor_ns(made.ceilings, kind, made.flops, made.bytes);
  if (floor <= 0 || made.samples_ns.empty()) return;
  made.roofline_share = floor / made.median_ns();
  // A copy that the caches hold can beat the memory's rate on a CPU; cold device buffers cannot. 15 % is what
  // the two measured rates may differ by.
  if (made.cache == "warm" || made.roofline_share <= 1.15) return;
  made.impossible = true;
  made.invalid_reason = "faster than the measured ceiling allows";
}

std::vector<Measurement> run_peers(const Selected& selected, const HostArguments& arguments,
                                   const Measurement& ours) {
  std::vector<Measurement> measured;
  for (const Peer* peer : selected.peers) {
    Measurement made = ours;
    made.peer = peer->name;
    made.samples_ns.clear();
    made.ceilings.clear();
    made.chosen.clear();
    made.roofline_share = 0;
    made.impossible = made.checked = false;
    made.cache = "warm";
    made.calls_per_sample = 1;
    made.telemetry.clear();
    made.invalid_reason.clear();
    try {
      PeerTimes times = peer->run(arguments, 15);
      made.samples_ns = std::move(times.samples_ns);
      made.cache = std::move(times.cache);
      made.calls_per_sample = times.calls_per_sample;
      made.telemetry = std::move(times.notes);
    } catch (const std::runtime_error& error) {
      made.invalid_reason = error.what();
    }
    measured.push_back(std::move(made));
  }
  return measured;
}

/// The case that is being timed, in memory: one at a time, since a case may fill the device. Google Benchmark
/// enters a case several times until it has found how often to repeat it.
struct Live {
  const Case* item = nullptr;
  std::unique_ptr<HostArguments> arguments;
  std::unique_ptr<PreparedCall> call;
  std::map<std::string, Tensor> answer;
};

/// Checks the answer, then puts everything in place to be timed. Empty, or why the answer is wrong.
std::string prepare(Context& context, const Selected& selected, std::uint64_t seed, Live& live,
                    Measurement& made) {
  if (live.item == selected.item) return made.failure;
  live = {};
  live.item = selected.item;
  live.arguments = std::make_unique<HostArguments>(selected.item->make(seed));
  const Arguments resolved = resolve(*selected.operation, live.arguments->view());
  const Work work = selected.operation->work(resolved);
  if (selected.operation->choices) made.chosen = selected.operation->choices(context.backend(), resolved);
  made.flops = work.flops;
  made.bytes = work.bytes;
  made.failure = wrong_answer(context, *selected.operation, *selected.item, *live.arguments, seed);
  if (!made.failure.empty()) return made.failure;
  live.call = std::make_unique<PreparedCall>(context, *selected.operation, *live.arguments,
                                             selected.item->warm ? CacheState::warm : CacheState::rotated);
  live.answer = live.call->outputs();
  made.calls_per_sample = live.call->calibrate();
  made.cache = live.call->cache();
  return {};
}

void time_case(Context& context, benchmark::State& state, const Selected& selected, Live& live,
               Measurement& made) {
  const auto each = static_cast<double>(made.calls_per_sample);
  std::vector<Sample> samples;
  const CpuClock cpu_before = CpuClock::now();
  for (auto _ : state) {
    samples.push_back(live.call->sample());
    state.SetIterationTime(samples.back().seconds / each);
  }
  const Sifted sifted = sift(samples);
  made.samples_ns.clear();
  for (const double seconds : sifted.seconds) made.samples_ns.push_back(seconds / each * 1e9);
  made.telemetry = sifted.telemetry;
  made.invalid_reason = sifted.invalid_reason;
  if (!live.call->unmonitored().empty()) made.telemetry["not_monitored"] = live.call->unmonitored();
  const double calls = static_cast<double>(samples.size()) * each;
  made.telemetry["cpu_ns_per_call"] =
      std::to_string((CpuClock::now().seconds - cpu_before.seconds) * 1e9 / calls);
  const std::string changed = unequal_output(live.answer, live.call->outputs());
  if (!changed.empty()) {
    made.failure = "output '" + changed + "' changed while it was timed";
    made.samples_ns.clear();
    state.SkipWithError(made.failure.c_str());
    return;
  }
  made.checked = true;
  judge_against_roofline(context, made, selected.item->ceiling);
  constexpr auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["bytes_per_second"] = benchmark::Counter(made.bytes, rate, benchmark::Counter::kIs1000);
  state.counters["flop_per_second"] = benchmark::Counter(made.flops, rate, benchmark::Counter::kIs1000);
  if (made.roofline_share > 0) state.counters["roofline"] = made.roofline_share;
}

/// Leaves the case registered with Google Benchmark; when that runs, the answer is checked and then timed
/// into `made`.
benchmark::internal::Benchmark* register_case(Context& context, const Selected& selected, std::uint64_t seed,
                                              const std::shared_ptr<Measurement>& made,
                                              const std::shared_ptr<Live>& live) {
  const std::string name = name_of(made->operation, *selected.item, made->backend);
  const auto body = [&context, &selected, seed, made, live](benchmark::State& state) {
    const std::string wrong = prepare(context, selected, seed, *live, *made);
    if (wrong.empty())
      time_case(context, state, selected, *live, *made);
    else
      state.SkipWithError(wrong.c_str());
  };
  return benchmark::RegisterBenchmark(name.c_str(), body)->UseManualTime()->Unit(benchmark::kMicrosecond);
}

/// Takes what Google Benchmark prints and keeps nothing: the samples are in the measurements.
class SilentReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

void run_registered() {
  std::string program = "assay";
  std::vector<char*> argv{program.data()};
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  SilentReporter silent;
  benchmark::RunSpecifiedBenchmarks(&silent);
  benchmark::ClearRegisteredBenchmarks();
}

}  // namespace

std::map<std::string, double> axes_of(std::string_view label) {
  std::map<std::string, double> axes;
  while (!label.empty()) {
    const std::string_view part = label.substr(0, label.find(','));
    label.remove_prefix(std::min(label.size(), part.size() + 1));
    const std::size_t equals = part.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    double value = 0;
    const char* const end = part.data() + part.size();
    const auto [last, error] = std::from_chars(part.data() + equals + 1, end, value);
    if (error == std::errc{} && last == end) axes.emplace(part.substr(0, equals), value);
  }
  return axes;
}

double Measurement::median_ns() const {
  if (samples_ns.empty()) return 0;
  std::vector<double> sorted = samples_ns;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
}

bool runs_on(const Operation& operation, const Case& item, Backend backend) {
  return operation.has(backend) &&
         std::find(item.backends.begin(), item.backends.end(), backend) != item.backends.end();
}

std::string unequal_output(const std::map<std::string, Tensor>& before,
                           const std::map<std::string, Tensor>& after) {
  for (const auto& [name, tensor] : before) {
    const Tensor& other = after.at(name);
    const auto view = tensor.view();
    if (!std::equal(view.data, view.data + tensor.bytes(), other.view().data)) return name;
  }
  return "";
}

std::string wrong_answer(Context& context, const Operation& operation, const Case& item,
                         const HostArguments& arguments, std::uint64_t seed) {
  return item.check_with ? check(context, operation, item.check_with(seed))
                         : check(context, operation, arguments);
}

std::string name_of(const std::string& operation, const Case& item, Backend backend) {
  return operation + "/" + item.label + "/" + std::string(assay::name_of(backend));
}

std::vector<std::string> names(const Options& options, Backend backend) {
  const std::vector<Suite> all = suites();
  std::vector<std::string> listed;
  for (const Selected& one : select(all, options, backend))
    listed.push_back(name_of(one.operation->name, *one.item, backend));
  return listed;
}

Measurement measure(Context& context, const Operation& operation, const Case& item,
                    const std::vector<Ceiling>& ceilings, const Options& options) {
  const Selected one{&operation, &item, {}};
  const auto made = std::make_shared<Measurement>(describe(context, one, ceilings));
  const auto live = std::make_shared<Live>();
  if (!prepare(context, one, options.seed, *live, *made).empty()) return *made;
  const double sample = std::max(live->call->sample().seconds, 1e-6);
  const double samples = std::clamp(options.seconds / sample, 30.0, 20'000.0);
  register_case(context, one, options.seed, made, live)
      ->Iterations(static_cast<benchmark::IterationCount>(samples));
  run_registered();
  return *made;
}

bool call_once(Context& context, const std::string& name, std::uint64_t seed) {
  for (const Suite& suite : suites()) {
    const Operation* operation = find_operation(suite.operation());
    if (operation == nullptr) continue;
    for (const Case& item : suite.cases()) {
      if (suite.operation() + "/" + item.label != name || !runs_on(*operation, item, context.backend()))
        continue;
      const HostArguments arguments = item.make(seed);
      PreparedCall call(context, *operation, arguments, CacheState::warm);
      (void)call.outputs();
      const ProfileRange range("assay once");
      call.run();
      context.synchronize();
      return true;
    }
  }
  return false;
}

std::vector<Measurement> run(Context& context, const Options& options) {
  const std::vector<Suite> all = suites();
  const std::vector<Selected> selected = select(all, options, context.backend());
  if (selected.empty()) return {};
  const std::vector<Ceiling> ceilings = measure_ceilings(context);
  std::vector<Measurement> measured;
  int done = 0;
  for (const Selected& one : selected) {
    if (options.progress)
      options.progress(done++, static_cast<int>(selected.size()),
                       name_of(one.operation->name, *one.item, context.backend()));
    measured.push_back(measure(context, *one.operation, *one.item, ceilings, options));
    if (one.peers.empty()) continue;
    const Measurement ours = measured.back();
    for (Measurement& peer : run_peers(one, one.item->make(options.seed), ours))
      measured.push_back(std::move(peer));
  }
  return measured;
}

std::size_t run_google_benchmark(Context& context, const Options& options, int* argc, char** argv) {
  const std::vector<Suite> all = suites();
  const std::vector<Selected> selected = select(all, options, context.backend());
  const std::vector<Ceiling> ceilings = measure_ceilings(context);
  const auto live = std::make_shared<Live>();
  for (const Selected& one : selected)
    register_case(context, one, options.seed, std::make_shared<Measurement>(describe(context, one, ceilings)),
                  live);
  benchmark::Initialize(argc, argv);
  const std::size_t ran = benchmark::RunSpecifiedBenchmarks();
  benchmark::ClearRegisteredBenchmarks();
  return ran;
}

}  // namespace assay::benchmarks
