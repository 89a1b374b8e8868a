#include "ci/program/network_plan_text.hpp"

#include "ci/program/console.hpp"
#include "engine/analysis/host_memory.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

std::string counted(std::int64_t number, const char* one) {
  return fmt::format("{} {}{}", number, one, number == 1 ? "" : "s");
}

std::int64_t delays_of(const PlannedNetwork& plan) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(plan.options.delays.size()));
}

std::string memory(std::int64_t bytes) {
  return analysis::memory_text(static_cast<double>(bytes));
}

}  // namespace

std::string plan_text(const PlannedNetwork& plan) {
  const analysis::NetworkForecast& forecast = plan.forecast;
  const analysis::NetworkSchedule& schedule = forecast.schedule;
  std::string out = fmt::format("would estimate {} ordered pairs of {} columns, {} observations each\n",
                                schedule.pairs, schedule.tiling.width, schedule.samples);
  out += fmt::format("  {}: {}, {} a pair\n", counted(schedule.evaluations, "estimate"),
                     counted(delays_of(plan), "delay"), counted(plan.options.surrogates.count, "surrogate"));
  out += fmt::format("  {} on {} ({})\n", forecast.shared ? "sources and targets shared" : "pair by pair",
                     plan.backend, fmt::join(plan.devices, ", "));
  out += fmt::format(
      "  {} of up to {} sources with {} targets\n",
      fmt::format("{} batch{}", schedule.tiling.count(), schedule.tiling.count() == 1 ? "" : "es"),
      schedule.tiling.source_block, schedule.tiling.target_batch);
  out += fmt::format("  memory: {} for the result, {} for the work", memory(schedule.result_bytes),
                     memory(schedule.host_bytes));
  if (schedule.device_bytes > 0) out += fmt::format(", {} on each device", memory(schedule.device_bytes));
  out += fmt::format("\n  time: about {}, from {} at {} observations in {:.2f} s",
                     duration_text(forecast.seconds), counted(forecast.probe_pairs, "pair"),
                     forecast.probe_samples, forecast.probe_seconds);
  if (forecast.probe_samples < schedule.samples)
    out += fmt::format(", growing as N^{:.2f}", forecast.exponent);
  return out + "\n";
}

nlohmann::ordered_json plan_json(const PlannedNetwork& plan) {
  const analysis::NetworkForecast& forecast = plan.forecast;
  const analysis::NetworkSchedule& schedule = forecast.schedule;
  nlohmann::ordered_json document;
  document["dry_run"] = true;
  document["columns"] = schedule.tiling.width;
  document["pairs"] = schedule.pairs;
  document["samples"] = schedule.samples;
  document["delays"] = delays_of(plan);
  document["surrogates"] = plan.options.surrogates.count;
  document["estimates"] = schedule.evaluations;
  document["shared"] = forecast.shared;
  document["backend"] = plan.backend;
  document["devices"] = plan.devices;
  document["batches"] = schedule.tiling.count();
  document["batch_sources"] = schedule.tiling.source_block;
  document["batch_targets"] = schedule.tiling.target_batch;
  document["result_bytes"] = schedule.result_bytes;
  document["host_bytes"] = schedule.host_bytes;
  document["device_bytes"] = schedule.device_bytes;
  document["seconds"] = forecast.seconds;
  document["probe_pairs"] = forecast.probe_pairs;
  document["probe_samples"] = forecast.probe_samples;
  document["probe_seconds"] = forecast.probe_seconds;
  document["exponent"] = forecast.exponent;
  return document;
}

}  // namespace assay::program
