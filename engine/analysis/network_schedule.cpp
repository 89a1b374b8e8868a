#include "engine/analysis/network_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "engine/analysis/delay_scan.hpp"
#include "engine/analysis/host_memory.hpp"
#include "engine/analysis/placement.hpp"
#include "engine/runtime/device.hpp"
#include "engine/te/network.hpp"

namespace assay::analysis {

namespace {

constexpr double points_a_batch_on_a_core = 5e7;  // some seconds
constexpr double points_a_batch_on_a_device = 2e10;
/// A plan keeps its sources' rows, and what it sorts them into: indices and ranks beside each value.
constexpr double plan_values_a_source_value = 3;

InputError too_large(double needed, double limit, const std::string& what) {
  return {InputError::Code::too_large,
          "network: " + what + " needs " + memory_text(needed) + " of memory, of which " +
              memory_text(limit) + " may be used; expected fewer columns or surrogates, or more memory",
          {},
          {},
          {}};
}

double host_limit(const NetworkOptions& options) {
  if (options.memory_bytes > 0) return static_cast<double>(options.memory_bytes);
  const std::int64_t available = available_memory();
  return available < 0 ? std::numeric_limits<double>::infinity() : 0.8 * static_cast<double>(available);
}

/// What a device may be filled with: the smallest of those that take part, less what its runtime needs.
double device_limit(const NetworkOptions& options, std::span<Context* const> contexts) {
  double limit = std::numeric_limits<double>::infinity();
  for (const DeviceInfo& device : cuda_devices())
    for (const Context* context : contexts)
      if (context->device() == device.ordinal)
        limit = std::min(limit, 0.7 * static_cast<double>(device.memory_bytes));
  return options.memory_bytes > 0 ? std::min(limit, static_cast<double>(options.memory_bytes)) : limit;
}

/// Bytes that te.network itself takes for s sources and t targets: linear in the sources, and no more than a
/// cap where one target does not exceed it.
struct WorkingBytes {
  double first = 0;  ///< for one source and one target
  double more = 0;   ///< for each source more
  double cap = 0;
  double of(double s, double t) const {
    const double each = first + (s - 1) * more;
    return std::min(t * each, std::max(each, cap));
  }
};

/// Bytes that a tile of s sources and t targets takes where it is computed, and on the host beside that.
struct TileBytes {
  double n = 0, source_width = 0, past_width = 0, delays = 1, surrogates = 0, replicates = 0;
  double replicate_rows = 0;      ///< of all replicates
  bool keeps_surrogates = false;  ///< plans hold the rows of all surrogates (on a device)
  WorkingBytes working;
  double table = 0;  ///< of a pair in the tables

  double block(double s) const {
    const double plans = plan_values_a_source_value * (n * delays + replicate_rows);
    const double drawn = keeps_surrogates ? surrogates * n * delays : 0;
    return 8 * s * source_width * (n + plans + drawn);
  }
  double batch(double s, double t) const {
    const double points = n * (1 + past_width) * (replicates > 0 ? 2 : 1);
    const double values = (1 + surrogates) * (delays > 1 ? 2 : 1) + replicates;
    return t * (8 * points + s * (8 * values + 2 * table));
  }
  double all(double s, double t) const { return block(s) + batch(s, t) + working.of(s, t); }
};

void count_work(const NetworkTask& task, NetworkSchedule& schedule, std::int64_t replicates) {
  const auto delays = static_cast<std::int64_t>(task.delays.size());
  schedule.pairs = task.pairs();
  schedule.evaluations = task.pairs() * ((1 + task.options.surrogates.count) * delays + replicates);
  schedule.result_bytes = task.width() * task.width() * bytes_a_pair(task.kinds);
}

/// From plans of one source and of two, as te.network itself says it.
std::optional<InputError> ask_for_working_bytes(const NetworkTask& task, const SharedParts& parts,
                                                Context& context, WorkingBytes& working) {
  double bytes[2] = {0, 0};
  for (std::int64_t count = 1; count <= 2; ++count) {
    const Result<Tensor> sources = sources_of(task, parts, task.delays[0], 0, count, context.pool());
    if (!sources) return sources.error();
    const PlacedInput placed(context, sources.value().view());
    const EstimationOptions& how = task.options.estimation;
    const te::NetworkPlan plan(
        context, placed.view(), parts.seen.trial_lengths,
        {.k = how.k, .algorithm = how.algorithm, .theiler_window = how.theiler_window},
        {.count = task.options.surrogates.count,
         .seeds = std::vector<std::uint64_t>(static_cast<std::size_t>(count), how.seed)});
    bytes[count - 1] = static_cast<double>(plan.working_bytes(1, 1, parts.past_width));
    if (count == 1) working.cap = static_cast<double>(plan.working_bytes(task.width(), 1, parts.past_width));
    context.synchronize();
  }
  working.first = bytes[0];
  working.more = std::max(0.0, bytes[1] - bytes[0]);
  return std::nullopt;
}

/// Targets of a batch that make some seconds of work, at least as many as there are workers inside it.
std::int64_t batch_of_work(double points_a_batch, double points_a_target, std::int64_t width,
                           std::int64_t least) {
  const double targets = std::clamp(points_a_batch / points_a_target, 1.0, static_cast<double>(width));
  return std::min(width, std::max(least, static_cast<std::int64_t>(targets)));
}

}  // namespace

Result<NetworkSchedule> schedule_of(const NetworkTask& task, const SharedParts& parts,
                                    std::span<Context* const> contexts) {
  Context& first = *contexts[0];
  const bool on_device = first.backend() == Backend::cuda;
  const std::int64_t width = task.width(), n = parts.seen.count;
  const std::int64_t threads = on_device ? 1 : first.pool().threads();
  const auto workers = static_cast<std::int64_t>(contexts.size());
  NetworkSchedule schedule;
  count_work(task, schedule, static_cast<std::int64_t>(parts.replicates.size()));
  schedule.samples = n;

  TileBytes bytes;
  bytes.n = static_cast<double>(n);
  bytes.source_width = static_cast<double>(parts.source_width);
  bytes.past_width = static_cast<double>(parts.past_width);
  bytes.delays = static_cast<double>(task.delays.size());
  bytes.surrogates = static_cast<double>(task.options.surrogates.count);
  bytes.replicates = static_cast<double>(parts.replicates.size());
  for (const Replicate& replicate : parts.replicates)
    bytes.replicate_rows += static_cast<double>(replicate.count);
  bytes.table = static_cast<double>(bytes_a_pair(task.kinds));
  bytes.keeps_surrogates = on_device;
  if (auto error = ask_for_working_bytes(task, parts, first, bytes.working)) return *error;

  const double points_a_pair = bytes.n * (1 + bytes.surrogates) * bytes.delays + bytes.replicate_rows;
  const double points_a_batch =
      on_device ? points_a_batch_on_a_device : points_a_batch_on_a_core * static_cast<double>(threads);
  std::int64_t sources = width;
  std::int64_t targets =
      task.options.batch_targets > 0
          ? std::min(width, task.options.batch_targets)
          : batch_of_work(points_a_batch, static_cast<double>(width) * points_a_pair, width, threads);
  if (workers > 1 && task.options.batch_targets == 0)  // several batches a device, so that none waits long
    targets = std::max<std::int64_t>(1, std::min(targets, width / (4 * workers)));

  const double host = host_limit(task.options), result = static_cast<double>(schedule.result_bytes);
  if (result > host) return too_large(result, host, "the result of " + std::to_string(width) + " columns");
  const double left =
      on_device ? device_limit(task.options, contexts) : (host - result) / static_cast<double>(workers);
  const auto fits = [&](std::int64_t s, std::int64_t t) {
    return bytes.all(static_cast<double>(s), static_cast<double>(t)) <= left;
  };
  while (sources > 1 && !fits(sources, std::min(targets, threads))) sources = (sources + 1) / 2;
  while (targets > 1 && !fits(sources, targets)) targets = (targets + 1) / 2;
  const double tile = bytes.all(static_cast<double>(sources), static_cast<double>(targets));
  if (!fits(sources, targets))
    return too_large(tile, left, "a single pair of " + std::to_string(n) + " observations");
  const double staged = on_device ? bytes.batch(static_cast<double>(sources), static_cast<double>(targets)) +
                                        8 * static_cast<double>(sources) * bytes.n * bytes.source_width
                                  : tile;
  if (result + staged * static_cast<double>(workers) > host)
    return too_large(result + staged * static_cast<double>(workers), host, "the host's part of the work");
  schedule.tiling = {width, sources, targets};
  schedule.host_bytes = static_cast<std::int64_t>(staged * static_cast<double>(workers));
  schedule.device_bytes = on_device ? static_cast<std::int64_t>(tile) : 0;
  return schedule;
}

Result<NetworkSchedule> schedule_of(const NetworkTask& task, unsigned threads) {
  TeSpec spec = task.options.spec;
  spec.sources = {task.column(0)};
  spec.targets = {task.column(1)};
  const Result<std::int64_t> reach = common_reach(task.table, spec, task.delays);
  if (!reach) {
    InputError error = reach.error();
    error.message = task.name_of_pair(0, 1) + error.message;
    return error;
  }
  NetworkSchedule schedule;
  for (const std::int64_t length : trial_lengths_of(task.table))
    schedule.samples += std::max<std::int64_t>(0, length - reach.value());
  const bool jackknife = task.options.interval.method == IntervalMethod::jackknife;
  count_work(task, schedule, !task.kinds.interval ? 0 : jackknife ? task.options.interval.blocks : 40);
  const double evaluations = static_cast<double>(schedule.evaluations) / static_cast<double>(task.width());
  const double host = host_limit(task.options), result = static_cast<double>(schedule.result_bytes);
  const double rows = static_cast<double>(task.table.rows());
  // each worker holds the points of a pair, and what its estimate makes of them
  const double working =
      64.0 * threads * rows * 16 + 8.0 * static_cast<double>(task.options.surrogates.count);
  if (result + working > host)
    return too_large(result + working, host, "the result of " + std::to_string(task.width()) + " columns");
  const std::int64_t targets =
      task.options.batch_targets > 0
          ? std::min(task.width(), task.options.batch_targets)
          : batch_of_work(points_a_batch_on_a_core * threads, evaluations * rows, task.width(), 1);
  schedule.tiling = {task.width(), task.width(), targets};
  schedule.host_bytes = static_cast<std::int64_t>(working);
  return schedule;
}

}  // namespace assay::analysis
