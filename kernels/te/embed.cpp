#include "kernels/te/embed.hpp"

#include <algorithm>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"

namespace assay::kernels::te {

namespace {

/// Where a column of the embedded matrix comes from: series[t - offset, column].
struct Source {
  std::int64_t column = 0;
  std::int64_t offset = 0;
};

std::vector<Source> sources_of(std::span<const Lags> variables) {
  const bool no_delay = mutant("te.embed.delay_ignored");
  const bool no_tau = mutant("te.embed.tau_ignored");
  const bool reversed = mutant("te.embed.lags_reversed");
  const bool first_delayed = mutant("te.embed.delay_of_first_lag_only");
  const bool repeated = mutant("te.embed.last_lag_repeated");
  std::vector<Source> sources;
  for (const Lags& variable : variables)
    for (std::int64_t j = 0; j < variable.history; ++j) {
      const std::int64_t lag = reversed            ? variable.history - 1 - j
                               : repeated && j > 0 ? std::min(j, variable.history - 2)
                                                   : j;
      sources.push_back({variable.column, (no_delay || (first_delayed && j > 0) ? 0 : variable.delay) +
                                              lag * (no_tau ? 1 : variable.tau)});
    }
  return sources;
}

}  // namespace

void embed(ThreadPool& pool, spatial::Rows series, std::span<const std::int64_t> trial_lengths,
           std::span<const Lags> variables, std::int64_t reach, std::span<double> embedded,
           std::span<std::int64_t> times) {
  const std::vector<Source> sources = sources_of(variables);
  const auto d = static_cast<std::int64_t>(sources.size());
  const bool crossing = mutant("te.embed.crosses_trial");
  const bool within = mutant("te.embed.times_within_trial");
  const bool restarts = mutant("te.embed.chunk_restarts");
  const bool rounded = mutant("te.embed.float32_copy");
  const bool not_passed = mutant("te.embed.short_trial_not_passed");
  const std::int64_t width = mutant("te.embed.stride_ignored") ? 1 : series.d;
  std::int64_t trial_begin = 0;
  std::int64_t written = 0;
  for (const std::int64_t length : trial_lengths) {
    const std::int64_t count = std::max<std::int64_t>(length - reach, 0);
    // the first t whose whole past lies in the trial
    const std::int64_t first = trial_begin + (crossing && trial_begin >= reach ? 0 : reach);
    pool.parallel_for(count, 4096, [&](std::int64_t begin, std::int64_t end, unsigned) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t t = first + (restarts ? i - begin : i);
        double* row = embedded.data() + (written + i) * d;
        for (const Source& source : sources) {
          *row = series.data[(t - source.offset) * width + source.column];
          if (rounded) *row = static_cast<float>(*row);
          ++row;
        }
        times[static_cast<std::size_t>(written + i)] = within ? t - trial_begin : t;
      }
    });
    trial_begin += not_passed && count == 0 ? 0 : length;
    written += count;
  }
}

EmbeddingTables embedding_tables(std::int64_t width, std::span<const std::int64_t> trial_lengths,
                                 std::span<const Lags> variables, std::int64_t reach) {
  const bool no_delay = mutant("te.embed.cuda_delay_ignored");
  EmbeddingTables tables;
  for (const Lags& variable : variables)
    for (std::int64_t j = 0; j < variable.history; ++j)
      tables.offsets.push_back(variable.column -
                               ((no_delay ? 0 : variable.delay) + j * variable.tau) * width);
  std::int64_t trial_begin = 0;
  std::int64_t written = 0;
  for (const std::int64_t length : trial_lengths) {
    if (length > reach) {
      tables.firsts.push_back(written);
      tables.shifts.push_back(trial_begin + reach - written);
      written += length - reach;
    }
    trial_begin += length;
  }
  return tables;
}

}  // namespace assay::kernels::te
