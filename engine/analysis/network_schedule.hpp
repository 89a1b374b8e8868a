#pragma once

#include "engine/analysis/network.hpp"
#include "engine/analysis/network_task.hpp"
#include "engine/analysis/network_tiles.hpp"

namespace assay::analysis {

/// How a network is cut so that it fits the memory, and what it takes.
struct NetworkSchedule {
  Tiling tiling;
  std::int64_t pairs = 0;
  std::int64_t samples = 0;       ///< embedded observations of a pair
  std::int64_t evaluations = 0;   ///< estimates in all: delays, surrogates and replicates counted
  std::int64_t result_bytes = 0;  ///< the matrices, on the host
  std::int64_t host_bytes = 0;    ///< beside them, for the tiles that are worked on
  std::int64_t device_bytes = 0;  ///< on each device; 0 on the CPU
};

/// The cutting for te.network. As many sources in a block as fit, since a block prepares its targets again;
/// as many targets in a batch as fit, and no more than some seconds of work, so that a checkpoint and the
/// time left are of use. Refused (too_large): a result, or a single pair, that does not fit.
Result<NetworkSchedule> schedule_of(const NetworkTask& task, const SharedParts& parts,
                                    std::span<Context* const> contexts);

/// The same where pairs are estimated one by one: all sources with batches of targets.
Result<NetworkSchedule> schedule_of(const NetworkTask& task, unsigned threads);

/// What a run would take, with nothing computed but a probe.
struct NetworkForecast {
  NetworkSchedule schedule;
  bool shared = false;
  double seconds = 0;        ///< estimated
  double probe_seconds = 0;  ///< what the estimate cost
  std::int64_t probe_pairs = 0, probe_samples = 0;
  double exponent = 1;  ///< the probe's cost grew as samples^exponent
};

/// The time is that of a probe on the user's own data, a few columns and at most 2,048 observations, scaled
/// up by the number of estimates, and by the power of the number of observations with which the probe's own
/// time grew from half as many to all of them (between 1 and 2). Large networks share more than the probe
/// does, so the estimate errs on the long side.
Result<NetworkForecast> forecast_network(const SeriesTable& table, const NetworkOptions& options,
                                         std::span<Context* const> contexts);
Result<NetworkForecast> forecast_network(const SeriesTable& table, const NetworkOptions& options,
                                         const Estimator& estimator, ThreadPool& pool);

}  // namespace assay::analysis
