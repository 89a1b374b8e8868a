#include <algorithm>
#include <mutex>
#include <string>

#include "engine/analysis/delay_scan.hpp"
#include "engine/analysis/network.hpp"
#include "engine/analysis/network_run.hpp"
#include "engine/analysis/network_schedule.hpp"
#include "engine/analysis/network_task.hpp"

namespace assay::analysis {

namespace {

/// The specification of one pair: conditionals that are its source or target drop
/// out, with their own entries.
TeSpec spec_of_pair(const TeSpec& base, std::int64_t source, std::int64_t target) {
  TeSpec spec = base;
  spec.sources = {source};
  spec.targets = {target};
  const std::size_t count = base.conditionals.size();
  for (std::size_t c = count; c-- > 0;) {
    if (base.conditionals[c] != source && base.conditionals[c] != target) continue;
    const auto drop = [&](std::vector<std::int64_t>& list) {
      if (count > 1 && list.size() == spec.conditionals.size())
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(c));
    };
    drop(spec.cond_history);
    drop(spec.cond_tau);
    drop(spec.cond_delay);
    spec.conditionals.erase(spec.conditionals.begin() + static_cast<std::ptrdiff_t>(c));
  }
  return spec;
}

/// What a search chose for the past of every column, by column number of the table; empty without a search.
using Pasts = std::vector<Embedding>;

Result<Pasts> search_pasts(const NetworkTask& task, const Estimator& estimator, ThreadPool& pool) {
  const SeriesTable& table = task.table;
  const NetworkOptions& options = task.options;
  const std::vector<std::int64_t>& columns = task.columns;
  Pasts pasts(static_cast<std::size_t>(table.columns()));
  if (!options.embed) return pasts;
  std::vector<std::optional<InputError>> errors(columns.size());
  EmbedSearch search = *options.embed;
  search.threads = 1;  // the loop over columns is what runs in parallel
  for_each(pool, estimator, static_cast<std::int64_t>(columns.size()),
           [&](std::int64_t i, const Estimator& worker) {
             const std::int64_t column = columns[static_cast<std::size_t>(i)];
             const Result<Embedding> found = search_past(table, {column}, options.estimation, search, worker);
             if (found)
               pasts[static_cast<std::size_t>(column)] = found.value();
             else
               errors[static_cast<std::size_t>(i)] = found.error();
           });
  for (std::size_t i = 0; i < errors.size(); ++i)
    if (errors[i])
      return InputError{InputError::Code::out_of_range,
                        "column " + task.name(static_cast<std::int64_t>(i)) + ": " + errors[i]->message,
                        {},
                        {},
                        {}};
  return pasts;
}

/// The histories and spacings of a pair, searched where that is asked for.
std::optional<InputError> choose_embedding(const NetworkTask& task, const Pasts& pasts,
                                           const Estimator& estimator, TeSpec& spec) {
  const NetworkOptions& options = task.options;
  if (!options.embed) return std::nullopt;
  const Embedding& next = pasts[static_cast<std::size_t>(spec.targets[0])];
  spec.k_history = next.history;
  spec.k_tau = next.tau;
  spec.l_history = spec.l_tau = 1;
  Embedding past;
  if (options.embed->method == EmbedMethod::ais_te) {
    const Result<Embedding> found =
        search_transfer(task.table, spec, options.estimation, *options.embed, estimator);
    if (!found) return found.error();
    past = found.value();
  } else if (options.embed->method == EmbedMethod::ragwitz || options.embed->method == EmbedMethod::ais) {
    past = pasts[static_cast<std::size_t>(spec.sources[0])];
  }
  spec.l_history = past.history;
  spec.l_tau = past.tau;
  return std::nullopt;
}

/// One pair: its cell of the tables.
struct Cell {
  const Tile& tile;
  PairTables& tables;
  std::size_t source, target;
};

std::optional<InputError> surround(const NetworkTask& task, const Layout& layout, const Estimator& estimator,
                                   ThreadPool& pool, const Cell& cell) {
  const Result<Points> points = prepare(task.table, layout, task.options.estimation);
  if (!points) return points.error();
  const Result<Interval> interval =
      interval_around(points.value(), cell.tables.te(cell.source, cell.target), task.options.estimation,
                      task.options.interval, estimator, pool);
  if (!interval) return interval.error();
  cell.tables.ci_low(cell.source, cell.target) = interval.value().low;
  cell.tables.ci_high(cell.source, cell.target) = interval.value().high;
  return std::nullopt;
}

std::optional<InputError> estimate_cell(const NetworkTask& task, const Pasts& pasts,
                                        const Estimator& estimator, ThreadPool& pool, const Cell& cell) {
  const NetworkOptions& options = task.options;
  PairTables& tables = cell.tables;
  const std::int64_t source = task.column(cell.tile.first_source + static_cast<std::int64_t>(cell.source));
  const std::int64_t target = task.column(cell.tile.first_target + static_cast<std::int64_t>(cell.target));
  TeSpec spec = spec_of_pair(options.spec, source, target);
  spec.delay = task.delays[0];
  if (auto error = choose_embedding(task, pasts, estimator, spec)) return error;
  MeasureOptions how{options.estimation, options.surrogates, false};
  how.surrogates.seed = source_seed(options.estimation.seed, source);
  const Result<DelayScan> scan = scan_delays(task.table, spec, task.delays, how, estimator, pool);
  if (!scan) return scan.error();
  const Estimate& found = scan.value().estimate;
  tables.te(cell.source, cell.target) = found.value;
  if (found.surrogates) {
    tables.hits(cell.source, cell.target) = static_cast<std::uint32_t>(found.surrogates->hits);
    tables.surrogate_mean(cell.source, cell.target) = found.surrogates->mean;
    tables.surrogate_std(cell.source, cell.target) = found.surrogates->standard_deviation;
  }
  if (task.kinds.delay)
    tables.delay(cell.source, cell.target) = static_cast<std::int32_t>(scan.value().delay);
  if (task.kinds.by_pair) {
    tables.samples(cell.source, cell.target) = found.samples;
    tables.k_history(cell.source, cell.target) = static_cast<std::int32_t>(spec.k_history);
    tables.k_tau(cell.source, cell.target) = static_cast<std::int32_t>(spec.k_tau);
    tables.l_history(cell.source, cell.target) = static_cast<std::int32_t>(spec.l_history);
    tables.l_tau(cell.source, cell.target) = static_cast<std::int32_t>(spec.l_tau);
  }
  if (!task.kinds.interval) return std::nullopt;
  return surround(task, layout_of(task.table, spec).value(), estimator, pool, cell);
}

/// All pairs of a tile: on all workers where there are enough, else each with its surrogates on all of them.
std::optional<InputError> estimate_tile(const NetworkTask& task, const Pasts& pasts,
                                        const Estimator& estimator, ThreadPool& pool, const Tile& tile,
                                        PairTables& tables, const Tick& tick) {
  const std::int64_t cells = tile.sources * tile.targets;
  std::vector<std::optional<InputError>> errors(static_cast<std::size_t>(cells));
  const auto one_cell = [&](std::int64_t index, const Estimator& worker, ThreadPool& inner) {
    const std::int64_t source = index / tile.targets, target = index % tile.targets;
    if (tile.first_source + source == tile.first_target + target) return;
    auto error =
        estimate_cell(task, pasts, worker, inner,
                      {tile, tables, static_cast<std::size_t>(source), static_cast<std::size_t>(target)});
    if (error) {
      error->message =
          task.name_of_pair(tile.first_source + source, tile.first_target + target) + error->message;
      errors[static_cast<std::size_t>(index)] = std::move(error);
    }
    tick(1);
  };
  if (tile.pairs() < static_cast<std::int64_t>(pool.threads())) {
    for (std::int64_t index = 0; index < cells; ++index) one_cell(index, estimator, pool);
  } else {
    for_each(pool, estimator, cells, [&](std::int64_t index, const Estimator& worker) {
      ThreadPool alone(1);
      one_cell(index, worker, alone);
    });
  }
  for (const auto& error : errors)
    if (error) return error;
  return std::nullopt;
}

/// The tables of a network that te.network could have served have no matrix of their own for samples.
std::int64_t samples_of_all(const NetworkTask& task, const Network& made) {
  if (made.samples.empty()) return 0;
  std::int64_t least = made.samples(0, 1);
  for (std::int64_t source = 0; source < task.width(); ++source)
    for (std::int64_t target = 0; target < task.width(); ++target)
      if (source != target)
        least =
            std::min(least, made.samples(static_cast<std::size_t>(source), static_cast<std::size_t>(target)));
  return least;
}

}  // namespace

Result<Network> network(const SeriesTable& table, const NetworkOptions& options, const Estimator& estimator,
                        ThreadPool& pool, const Progress& progress) {
  const Result<NetworkTask> task = task_of(table, options);
  if (!task) return task.error();
  Network made;
  if (!task.value().kinds.by_pair) {
    const Result<SharedParts> parts = shared_parts_of(task.value());
    if (!parts) return parts.error();
    made.least_samples = parts.value().seen.count;
  }
  const Result<NetworkSchedule> schedule = schedule_of(task.value(), pool.threads());
  if (!schedule) return schedule.error();
  const Result<Pasts> pasts = search_pasts(task.value(), estimator, pool);
  if (!pasts) return pasts.error();
  const TileBody body = [&](const Tile& tile, PairTables& tables, const Tick& tick) {
    return estimate_tile(task.value(), pasts.value(), estimator, pool, tile, tables, tick);
  };
  const auto digest = digest_of(task.value(), estimator.name, false);
  if (auto error = run_tiles(task.value(), schedule.value().tiling, digest, {&body, 1}, progress, made))
    return *error;
  if (task.value().kinds.by_pair) made.least_samples = samples_of_all(task.value(), made);
  return made;
}

}  // namespace assay::analysis
