#include "benchmarks/brief.hpp"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "benchmarks/chosen_cases.hpp"
#include "benchmarks/device_slowdown.hpp"
#include "benchmarks/hygiene.hpp"
#include "benchmarks/measurement.hpp"
#include "benchmarks/prepared_call.hpp"
#include "benchmarks/runner.hpp"
#include "benchmarks/slowdown.hpp"
#include "benchmarks/suite.hpp"
#include "engine/runtime/mutant.hpp"

namespace assay::benchmarks {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double warm_up_seconds = 0.002;
constexpr int fewest_samples = 3;
constexpr double longest_rewarming = 0.002;  // seconds of a call that is made once more before a sample
constexpr double event_resolution_ns = 500;  // of the time between two device events

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

/// The least step of a clock that is not none, by looking at it.
template <typename Now>
double resolution_of(const Now& now) {
  double least = 1e9;
  for (int i = 0; i < 50; ++i) {
    const double before = now();
    double after = before;
    while (after <= before) after = now();
    least = std::min(least, after - before);
  }
  return least;
}

/// The planted slowdown of this process, made when it is first needed.
class Plant {
 public:
  explicit Plant(Context& context) : slowdown_(slowdown_of(selected_mutant())) {
    if (!slowdown_) return;
    if (context.backend() == Backend::cuda)
      on_device_ = std::make_unique<DeviceTimeSpender>(slowdown_->kind, context.stream());
    else
      on_cpu_ = std::make_unique<TimeSpender>(slowdown_->kind);
  }
  bool planted() const { return slowdown_.has_value(); }
  /// What is planted in a sample that takes so long without it, in steps of its kind on the CPU.
  std::int64_t steps_in(double undisturbed) const {
    return on_cpu_ ? on_cpu_->steps_in(slowdown_->share * undisturbed) : 0;
  }
  /// A sample that takes so long without it, with its share of that.
  Sample sample(PreparedCall& call, double undisturbed) const {
    if (!slowdown_) return call.sample();
    const double extra = slowdown_->share * undisturbed;
    if (on_device_) return call.sample([&](Stream& stream) { on_device_->spend(extra, stream); });
    const Sample made = call.sample();
    on_cpu_->spend(extra);
    return made;
  }

 private:
  std::optional<Slowdown> slowdown_;
  std::unique_ptr<TimeSpender> on_cpu_;
  std::unique_ptr<DeviceTimeSpender> on_device_;
};

/// Seconds of the quicker of two calls: the first one also pays for memory that the operation then keeps.
double call_seconds(PreparedCall& call, double longest) {
  const double first = call.sample().seconds;
  return first > 5 * longest ? first : std::min(first, call.sample().seconds);
}

struct Clocks {
  double wall_ns = 0;
  double cpu_ns = 0;
};

/// One turn, as long as it lives; nothing where nobody takes turns.
class Turn {
 public:
  explicit Turn(Turns* turns) : turns_(turns) {
    if (turns_ != nullptr) turns_->take();
  }
  ~Turn() {
    if (turns_ != nullptr) turns_->pass();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Turns* turns_;
};

/// The time of the sample by itself: a share is planted of that, and of one that was interrupted it would be
/// several times too much.
double undisturbed_seconds(PreparedCall& call, const Plant& plant) {
  double least = call.sample().seconds;
  for (int more = 0; plant.planted() && more < 7; ++more) least = std::min(least, call.sample().seconds);
  return least;
}

void take_device_samples(PreparedCall& call, const Plant& plant, double undisturbed, BriefMeasurement& made) {
  std::vector<Sample> samples;
  for (int sample = 0; sample < made.samples; ++sample) samples.push_back(plant.sample(call, undisturbed));
  const Sifted sifted = sift(samples);
  made.failure = sifted.invalid_reason;
  if (sifted.seconds.empty() || !made.failure.empty()) return;
  const auto calls = static_cast<double>(made.calls);
  made.medians["wall"] = median_of(sifted.seconds) * 1e9 / calls;
  made.resolutions["wall"] = event_resolution_ns / calls;
}

void take_cpu_samples(PreparedCall& call, const Plant& plant, double undisturbed, Turns* turns,
                      const InstructionCounter& instructions, const Clocks& resolution,
                      BriefMeasurement& made) {
  // Others had the caches meanwhile: what takes longer than this brings its data back by itself.
  const bool again = turns != nullptr && undisturbed / static_cast<double>(made.calls) < longest_rewarming;
  std::vector<double> wall, cpu, counted;
  for (int sample = 0; sample < made.samples; ++sample) {
    const Turn turn(turns);
    if (again) call.run();
    const double counted_before = instructions.read();
    const double cpu_before = cpu_ns();
    const auto start = Clock::now();
    plant.sample(call, undisturbed);
    wall.push_back(seconds_since(start) * 1e9);
    cpu.push_back(cpu_ns() - cpu_before);
    counted.push_back(instructions.read() - counted_before);
  }
  const auto keep = [&](const char* measure, const std::vector<double>& samples, double step) {
    made.medians[measure] = median_of(samples) / static_cast<double>(made.calls);
    made.resolutions[measure] = step / static_cast<double>(made.calls);
  };
  keep("wall", wall, resolution.wall_ns);
  keep("cpu", cpu, resolution.cpu_ns);
  if (instructions.works()) keep("instructions", counted, 1);
}

/// A case that is in place, and what is known of it so far.
struct Prepared {
  BriefMeasurement made;
  HostArguments arguments;
  std::unique_ptr<PreparedCall> call;  ///< none where nothing is to be measured
  std::map<std::string, Tensor> answer;
  double undisturbed = 0;  ///< seconds of a sample
};

Prepared prepare(Context& context, const ChosenCase& chosen, const BriefOptions& options,
                 const Plant& plant) {
  Prepared prepared;
  BriefMeasurement& made = prepared.made;
  made.name = chosen.name;
  prepared.arguments = chosen.item->make(options.seed);
  const bool on_device = context.backend() == Backend::cuda;
  auto call =
      std::make_unique<PreparedCall>(context, *chosen.operation, prepared.arguments, CacheState::overwritten);
  if (on_device) {
    made.calls = call->calibrate(warm_up_seconds, options.sample_seconds);
    made.launches = call->launches();
  }
  if (options.longest_call > 0) {
    const double seconds = on_device ? call->sample().seconds / static_cast<double>(made.calls)
                                     : call_seconds(*call, options.longest_call);
    if (seconds > options.longest_call) {
      made.too_long = seconds;
      return prepared;
    }
  }
  if (options.check) {
    const auto start = Clock::now();
    made.failure = wrong_answer(context, *chosen.operation, *chosen.item, prepared.arguments, options.seed);
    made.seconds = -seconds_since(start);
    if (!made.failure.empty()) return prepared;
  }
  if (made.calls == 0) made.calls = call->calibrate(warm_up_seconds, options.sample_seconds);
  prepared.answer = call->outputs();
  made.answer = digest_of(prepared.answer);
  prepared.undisturbed = undisturbed_seconds(*call, plant);
  made.planted_steps = plant.steps_in(prepared.undisturbed) / made.calls;
  const auto asked = options.samples.find(made.name);
  made.samples =
      asked != options.samples.end()
          ? asked->second
          : std::max(fewest_samples, static_cast<int>(std::lround(options.seconds / prepared.undisturbed)));
  prepared.call = std::move(call);
  return prepared;
}

BriefMeasurement measure_one(Context& context, const ChosenCase& chosen, const BriefOptions& options,
                             const Plant& plant, const InstructionCounter& instructions,
                             const Clocks& resolution) {
  Prepared prepared;
  {
    const Turn turn(options.turns);
    prepared = prepare(context, chosen, options, plant);
  }
  BriefMeasurement& made = prepared.made;
  if (!prepared.call) return std::move(made);
  if (context.backend() == Backend::cuda)
    take_device_samples(*prepared.call, plant, prepared.undisturbed, made);
  else
    take_cpu_samples(*prepared.call, plant, prepared.undisturbed, options.turns, instructions, resolution,
                     made);
  const Turn turn(options.turns);
  const std::string changed = unequal_output(prepared.answer, prepared.call->outputs());
  if (!changed.empty()) {
    made.failure = "output '" + changed + "' changed while it was timed";
    made.medians.clear();
  }
  prepared.call.reset();
  return std::move(made);
}

}  // namespace

std::vector<std::string> brief_names(const BriefOptions& options, Backend backend) {
  const std::vector<Suite> all = suites();
  std::vector<std::string> names;
  for (const ChosenCase& one : choose_cases(all, options.wanted, options.names, backend))
    names.push_back(one.name);
  return names;
}

std::vector<BriefMeasurement> measure_briefly(Context& context, const BriefOptions& options,
                                              const InstructionCounter& instructions) {
  const std::vector<Suite> all = suites();
  const Plant plant(context);
  const Clocks resolution{
      resolution_of(
          [] { return std::chrono::duration<double, std::nano>(Clock::now().time_since_epoch()).count(); }),
      resolution_of(cpu_ns)};
  std::vector<BriefMeasurement> measured;
  for (const ChosenCase& one : choose_cases(all, options.wanted, options.names, context.backend())) {
    const auto start = Clock::now();
    measured.push_back(measure_one(context, one, options, plant, instructions, resolution));
    measured.back().seconds += seconds_since(start);
  }
  return measured;
}

}  // namespace assay::benchmarks
