#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "engine/analysis/network_schedule.hpp"

namespace assay::analysis {

namespace {

constexpr std::int64_t most_probed_observations = 2048;
constexpr std::int64_t probed_surrogates = 2;

using Compute = std::function<Result<Network>(const SeriesTable&, const NetworkOptions&)>;

/// The leading rows of the columns that take part.
SeriesTable shortened(const SeriesTable& table, std::int64_t rows) {
  return std::move(take_first_rows(table, std::min(rows, table.rows()))).value();
}

Result<double> seconds_of(const Compute& compute, const SeriesTable& table, const NetworkOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const Result<Network> made = compute(table, options);
  if (!made) return made.error();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Times a small network on the data and scales it up.
std::optional<InputError> probe(const NetworkTask& task, std::int64_t columns, double replicate_share,
                                const Compute& compute, NetworkForecast& forecast) {
  const auto start = std::chrono::steady_clock::now();
  NetworkOptions small = task.options;
  small.columns.assign(task.columns.begin(),
                       task.columns.begin() + std::min<std::int64_t>(columns, task.width()));
  small.delays = {*std::max_element(task.delays.begin(), task.delays.end())};
  small.interval.confidence = 0;
  small.checkpoint.clear();
  small.batch_targets = 0;
  small.surrogates.count = 0;
  const std::int64_t reach = task.table.rows() - forecast.schedule.samples;  // of all trials
  const std::int64_t probed = std::min(most_probed_observations, forecast.schedule.samples);
  const SeriesTable table = shortened(task.table, reach + probed);
  const Result<double> warm_up = seconds_of(compute, table, small);
  if (!warm_up) return warm_up.error();
  const Result<double> plain = seconds_of(compute, table, small);
  if (!plain) return plain.error();
  double surrogate = 0;
  if (task.options.surrogates.count > 0) {
    NetworkOptions drawn = small;
    drawn.surrogates.count = std::min(probed_surrogates, task.options.surrogates.count);
    const Result<double> with = seconds_of(compute, table, drawn);
    if (!with) return with.error();
    surrogate = std::max(0.0, with.value() - plain.value()) / static_cast<double>(drawn.surrogates.count);
  }
  // how the cost grows with the number of observations, where there are more than were probed
  if (probed < forecast.schedule.samples) {
    const SeriesTable half = shortened(task.table, reach + probed / 2);
    if (const Result<double> less = seconds_of(compute, half, small))
      forecast.exponent = std::clamp(std::log2(plain.value() / less.value()), 1.0, 2.0);
  }
  const auto width = static_cast<double>(small.columns.size());
  const double pairs = static_cast<double>(forecast.schedule.pairs) / (width * (width - 1));
  const double growth = std::pow(static_cast<double>(forecast.schedule.samples) / static_cast<double>(probed),
                                 forecast.exponent);
  const double delays = static_cast<double>(task.delays.size());
  forecast.seconds = pairs * growth *
                     (plain.value() * (delays + replicate_share) +
                      surrogate * delays * static_cast<double>(task.options.surrogates.count));
  forecast.probe_pairs = static_cast<std::int64_t>(width * (width - 1));
  forecast.probe_samples = probed;
  forecast.probe_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return std::nullopt;
}

/// Replicates of an interval, counted as estimates of all observations.
double share_of_replicates(const IntervalOptions& how) {
  if (how.confidence <= 0) return 0;
  return how.method == IntervalMethod::jackknife ? static_cast<double>(how.blocks) : 4.0;
}

}  // namespace

Result<NetworkForecast> forecast_network(const SeriesTable& table, const NetworkOptions& options,
                                         std::span<Context* const> contexts) {
  const Result<NetworkTask> task = task_of(table, options);
  if (!task) return task.error();
  const Result<SharedParts> parts = shared_parts_of(task.value());
  if (!parts) return parts.error();
  const Result<NetworkSchedule> schedule = schedule_of(task.value(), parts.value(), contexts);
  if (!schedule) return schedule.error();
  NetworkForecast forecast{.schedule = schedule.value(), .shared = true};
  const std::int64_t columns = contexts[0]->backend() == Backend::cuda ? 256 : 16;
  auto error = probe(
      task.value(), columns, share_of_replicates(options.interval),
      [&](const SeriesTable& part, const NetworkOptions& small) {
        return network(part, small, contexts.subspan(0, 1));
      },
      forecast);
  if (error) return *error;
  forecast.seconds /= static_cast<double>(contexts.size());
  return forecast;
}

Result<NetworkForecast> forecast_network(const SeriesTable& table, const NetworkOptions& options,
                                         const Estimator& estimator, ThreadPool& pool) {
  const Result<NetworkTask> task = task_of(table, options);
  if (!task) return task.error();
  const Result<NetworkSchedule> schedule = schedule_of(task.value(), pool.threads());
  if (!schedule) return schedule.error();
  NetworkForecast forecast{.schedule = schedule.value(), .shared = false};
  auto error = probe(
      task.value(), 3, share_of_replicates(options.interval),
      [&](const SeriesTable& part, const NetworkOptions& small) {
        return network(part, small, estimator, pool);
      },
      forecast);
  if (error) return *error;
  return forecast;
}

}  // namespace assay::analysis
