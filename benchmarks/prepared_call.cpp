#include "benchmarks/prepared_call.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <vector>

#include "engine/runtime/buffer.hpp"
#include "engine/runtime/clock_meter.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/event.hpp"
#include "engine/runtime/graph.hpp"
#include "engine/runtime/stream.hpp"

namespace assay::benchmarks {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double cpu_sample_seconds = 50e-6;    // the steady clock resolves some 30 ns
constexpr double cuda_sample_seconds = 500e-6;  // events resolve some 0.5 us
constexpr double reading_seconds = 0.02;        // between readings of the management library, and so
constexpr double reading_share = 0.1;           // that they take no more of the time: some answer slowly
constexpr std::size_t set_memory_limit = std::size_t{8} << 30;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Arguments and outputs in one place, with the memory they lie in.
struct BufferSet {
  std::vector<DeviceBuffer> buffers;
  std::map<std::string, Tensor> tensors;
  Arguments arguments;
  Outputs outputs;
};

}  // namespace

CpuClock CpuClock::now() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return {seconds(used.ru_utime) + seconds(used.ru_stime)};
}

struct PreparedCall::State {
  Context& context;
  const Operation& operation;
  HostArguments arguments;
  Arguments resolved;
  std::vector<BufferSet> sets;
  std::size_t next_set = 0;
  std::int64_t calls = 1;
  bool on_device = false;
  std::optional<Event> begin, end;
  std::optional<Graph> graph;
  std::optional<ClockMeter> clock;
  OpenedMonitor monitor;
  std::optional<DeviceReading> reading;
  Clock::time_point read_at;
  double reading_wait = reading_seconds;
  CacheState cache_state = CacheState::warm;
  DeviceBuffer overwritten;  ///< larger than the cache

  /// The latest reading, a new one where that is old.
  const std::optional<DeviceReading>& read() {
    if (monitor.monitor != nullptr && (!reading || seconds_since(read_at) > reading_wait)) {
      const auto start = Clock::now();
      reading = monitor.monitor->read();
      read_at = Clock::now();
      reading_wait = std::max(reading_seconds, seconds_since(start) / reading_share);
    }
    return reading;
  }

  void call(BufferSet& set) { operation.run(context, set.arguments, set.outputs); }
  void call_next() {
    call(sets[next_set]);
    next_set = (next_set + 1) % sets.size();
  }

  BufferSet host_set() {
    BufferSet set;
    set.arguments = resolved;
    for (const OutputShape& shape : operation.output_shapes(resolved)) {
      Tensor& tensor = set.tensors.emplace(shape.name, Tensor(shape.dtype, shape.shape)).first->second;
      set.outputs.emplace(shape.name, tensor.view());
    }
    return set;
  }

  bool stays_on_host(const std::string& input) const {
    return std::any_of(operation.inputs.begin(), operation.inputs.end(),
                       [&](const TensorInfo& info) { return info.name == input && info.on_host; });
  }

  BufferSet device_set() {
    BufferSet set;
    set.arguments.parameters = resolved.parameters;
    const int device = context.device();
    for (const auto& [name, view] : resolved.inputs) {
      if (stays_on_host(name)) {
        set.arguments.inputs.emplace(name, view);
        continue;
      }
      const DeviceBuffer& buffer = set.buffers.emplace_back(device, view.bytes());
      context.stream().copy(buffer.data(), view.data, view.bytes());
      set.arguments.inputs.emplace(name, as_const(view_of(buffer, view.dtype, view.shape)));
    }
    for (const OutputShape& shape : operation.output_shapes(resolved)) {
      const std::size_t bytes = static_cast<std::size_t>(element_count(shape.shape)) * size_of(shape.dtype);
      const DeviceBuffer& buffer = set.buffers.emplace_back(device, bytes);
      set.outputs.emplace(shape.name, view_of(buffer, shape.dtype, shape.shape));
    }
    context.stream().synchronize();
    return set;
  }

  std::size_t cache_bytes() const {
    return cuda_devices().at(static_cast<std::size_t>(context.device())).l2_bytes;
  }

  std::size_t set_bytes() const {
    std::size_t bytes = 1;
    for (const auto& [name, view] : resolved.inputs) bytes += view.bytes();
    for (const OutputShape& shape : operation.output_shapes(resolved))
      bytes += static_cast<std::size_t>(element_count(shape.shape)) * size_of(shape.dtype);
    return bytes;
  }

  /// Enough copies that a round through them displaces the cache five times over, and never one alone.
  std::size_t sets_needed() const {
    const std::size_t wanted = std::max<std::size_t>(2, 5 * cache_bytes() / set_bytes() + 1);
    return std::max<std::size_t>(1, std::min(wanted, set_memory_limit / set_bytes()));
  }

  void capture(std::int64_t count) {
    calls = count;
    graph.emplace(Graph::capture(context.stream(), [&] {
      for (std::int64_t number = 0; number < calls; ++number)
        call(sets[static_cast<std::size_t>(number) % sets.size()]);
    }));
  }
};

PreparedCall::PreparedCall(Context& context, const Operation& operation, const HostArguments& arguments,
                           CacheState cache)
    : state_(new State{context,
                       operation,
                       arguments.clone(),
                       {},
                       {},
                       0,
                       1,
                       context.backend() == Backend::cuda,
                       {},
                       {},
                       {},
                       {},
                       {},
                       {},
                       {},
                       reading_seconds,
                       cache,
                       {}}) {
  State& state = *state_;
  state.resolved = resolve(operation, state.arguments.view());
  if (!state.on_device) {
    state.sets.push_back(state.host_set());
    return;
  }
  state.begin.emplace(context.device());
  state.end.emplace(context.device());
  state.clock.emplace(context.device());
  state.monitor = open_device_monitor(cuda_devices().at(static_cast<std::size_t>(context.device())));
  const std::size_t count = cache == CacheState::rotated ? state.sets_needed() : 1;
  if (cache == CacheState::overwritten)
    state.overwritten = DeviceBuffer(context.device(), 3 * state.cache_bytes());
  for (std::size_t index = 0; index < count; ++index) state.sets.push_back(state.device_set());
}

PreparedCall::~PreparedCall() = default;

std::int64_t PreparedCall::calibrate(double warm_up_seconds, double sample_seconds) {
  State& state = *state_;
  const auto start = Clock::now();
  std::int64_t warm_calls = 0;
  // Some at least on a device: the first call may make the workspace grow, and the second one join what that
  // gave it, while capturing allows neither.
  const std::int64_t fewest = state.on_device ? 3 : 1;
  do {
    state.call_next();
    ++warm_calls;
    if (state.on_device) state.context.stream().synchronize();
  } while (warm_calls < fewest || seconds_since(start) < warm_up_seconds);
  state.calls = 1;
  if (!state.on_device) {
    const double once = seconds_since(start) / static_cast<double>(warm_calls);
    state.calls = std::clamp<std::int64_t>(
        std::llround(std::ceil(std::max(cpu_sample_seconds, sample_seconds) / once)), 1, 100'000);
    return state.calls;
  }
  const double wanted = std::max(cuda_sample_seconds, sample_seconds);
  // A whole number of rounds through the sets, so that every sample reads the same memory in the same order.
  const auto round = static_cast<std::int64_t>(state.sets.size());
  state.capture(round);
  sample();
  const double once = sample().seconds;
  const std::int64_t rounds = std::clamp<std::int64_t>(std::llround(std::ceil(wanted / once)), 1, 200);
  if (state.cache_state == CacheState::overwritten) {
    const auto most =
        static_cast<std::int64_t>(std::max<std::size_t>(1, set_memory_limit / state.set_bytes()));
    while (static_cast<std::int64_t>(state.sets.size()) < std::min(rounds, most))
      state.sets.push_back(state.device_set());
    state.capture(static_cast<std::int64_t>(state.sets.size()));
  } else if (rounds > 1) {
    state.capture(rounds * round);
  }
  sample();
  return state.calls;
}

void PreparedCall::run() {
  state_->call(state_->sets.front());
}

Sample PreparedCall::sample(const std::function<void(Stream&)>& behind) {
  State& state = *state_;
  if (!state.on_device) {
    const auto start = Clock::now();
    for (std::int64_t call = 0; call < state.calls; ++call) state.call(state.sets.front());
    return {.seconds = seconds_since(start), .sm_megahertz = 0, .reading = {}};
  }
  Stream& stream = state.context.stream();
  if (state.overwritten.bytes() > 0) stream.fill(state.overwritten.data(), 0, state.overwritten.bytes());
  state.clock->begin(stream);
  state.begin->record(stream);
  state.graph->launch(stream);
  if (behind) behind(stream);
  state.end->record(stream);
  state.clock->end(stream);
  state.end->synchronize();
  return {.seconds = milliseconds_between(*state.begin, *state.end) * 1e-3,
          .sm_megahertz = state.clock->megahertz(stream),
          .reading = state.read()};
}

std::map<std::string, Tensor> PreparedCall::outputs() {
  State& state = *state_;
  BufferSet& set = state.sets.front();
  state.call(set);
  std::map<std::string, Tensor> copies;
  for (const auto& [name, view] : set.outputs) {
    Tensor& copy = copies.emplace(name, Tensor(view.dtype, view.shape)).first->second;
    if (state.on_device)
      state.context.stream().copy(copy.view().data, view.data, view.bytes());
    else
      std::copy_n(view.data, view.bytes(), copy.view().data);
  }
  if (state.on_device) state.context.stream().synchronize();
  return copies;
}

std::string PreparedCall::cache() const {
  if (!state_->on_device || state_->cache_state == CacheState::warm) return "warm";
  if (state_->cache_state == CacheState::overwritten) return "cold: overwritten before each sample";
  return "cold: " + std::to_string(state_->sets.size()) + " buffer sets in turn";
}

std::string PreparedCall::unmonitored() const {
  return state_->monitor.reason;
}

std::string PreparedCall::launches() const {
  std::string text;
  if (!state_->graph) return text;
  for (const auto& [what, count] : state_->graph->launches())
    text += (text.empty() ? "" : "; ") + std::to_string(count / static_cast<std::size_t>(state_->calls)) +
            " of " + what;
  return text;
}

}  // namespace assay::benchmarks
