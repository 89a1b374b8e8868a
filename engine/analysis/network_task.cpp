#include "engine/analysis/network_task.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "engine/analysis/delay_scan.hpp"
#include "engine/analysis/fingerprint.hpp"
#include "engine/analysis/random.hpp"

namespace assay::analysis {

namespace {

InputError refuse(std::string message) {
  return {InputError::Code::out_of_range, std::move(message), {}, {}, {}};
}

TeSpec spec_of(const NetworkTask& task, std::int64_t source, std::int64_t target) {
  TeSpec spec = task.options.spec;
  spec.sources = {task.column(source)};
  spec.targets = {task.column(target)};
  spec.delay = task.delays.front();
  return spec;
}

/// (count, n, width) from (n, width) of each place, made on all workers.
Result<Tensor> stacked(const NetworkTask& task, const SharedParts& parts, std::int64_t first,
                       std::int64_t count, std::int64_t width, std::int64_t first_column, ThreadPool& pool,
                       const std::function<std::vector<te::EmbeddedVariable>(std::int64_t column)>& lags) {
  const std::int64_t n = parts.seen.count;
  Tensor all(DType::f64, {count, n, width});
  if (width == 0) return all;
  std::vector<std::optional<InputError>> errors(static_cast<std::size_t>(count));
  pool.parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end, unsigned) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Result<Tensor> part = prepare_part(task.table, lags(task.column(first + i)), parts.seen.reach,
                                               first_column, task.options.estimation);
      if (!part) {
        errors[static_cast<std::size_t>(i)] = part.error();
        continue;
      }
      const auto from = part.value().as<double>();
      std::copy(from.begin(), from.end(), all.as<double>().begin() + i * n * width);
    }
  });
  for (const auto& error : errors)
    if (error) return *error;
  return all;
}

}  // namespace

std::string NetworkTask::name(std::int64_t place) const {
  const auto index = static_cast<std::size_t>(column(place));
  return index < table.names.size() && !table.names[index].empty() ? table.names[index]
                                                                   : std::to_string(column(place));
}

std::string NetworkTask::name_of_pair(std::int64_t source, std::int64_t target) const {
  return "pair " + name(source) + " -> " + name(target) + ": ";
}

Result<NetworkTask> task_of(const SeriesTable& table, const NetworkOptions& options) {
  if (!options.surrogates.permutations.empty())
    return refuse("network: given permutations are for one pair, expected a number of surrogates");
  if (options.surrogates.count < 0 || options.surrogates.count > 0xFFFFFFFF)
    return refuse("surrogates: " + std::to_string(options.surrogates.count) + ", expected 0 to 2^32 - 1");
  if (!(options.fdr > 0 && options.fdr < 1)) return refuse("fdr: expected a number between 0 and 1");
  NetworkTask task{table, options, options.columns, options.delays, {}};
  if (task.columns.empty()) {
    task.columns.resize(static_cast<std::size_t>(table.columns()));
    std::iota(task.columns.begin(), task.columns.end(), std::int64_t{0});
  }
  if (task.columns.size() < 2)
    return refuse("network: " + std::to_string(task.columns.size()) + " column, expected at least 2");
  if (std::set<std::int64_t>(task.columns.begin(), task.columns.end()).size() != task.columns.size())
    return refuse("network: a column is given twice, expected each once");
  for (const std::int64_t column : task.columns)
    if (column < 0 || column >= table.columns())
      return refuse("network: " + std::to_string(column) + " is not a column of the data, expected 0 to " +
                    std::to_string(table.columns() - 1));
  if (task.delays.empty()) task.delays = {options.spec.delay};
  if (auto error = check_delays(task.delays)) return *error;
  if (options.scans() && options.embed)
    return refuse("network: delays are scanned with the embedding given, expected no search for one");
  if (options.scans() && options.interval.confidence > 0)
    return refuse("network: no interval is known for the largest of several delays, expected a single delay");
  task.kinds = {options.surrogates.count > 0, options.interval.confidence > 0, options.scans(),
                !shares_sources(options)};
  return task;
}

bool shares_sources(const NetworkOptions& options) {
  if (options.embed) return false;
  return std::none_of(
      options.spec.conditionals.begin(), options.spec.conditionals.end(), [&](std::int64_t column) {
        if (options.columns.empty()) return true;  // all columns of the table take part
        return std::find(options.columns.begin(), options.columns.end(), column) != options.columns.end();
      });
}

Result<SharedParts> shared_parts_of(const NetworkTask& task) {
  const EstimationOptions& estimation = task.options.estimation;
  const auto of_pair =
      [&](InputError error) {  // what is wrong with one is wrong with all: the first is named
        error.message = task.name_of_pair(0, 1) + error.message;
        return error;
      };
  const TeSpec spec = spec_of(task, 0, 1);
  const Result<std::int64_t> reach = common_reach(task.table, spec, task.delays);
  if (!reach) return of_pair(reach.error());
  const Layout layout = layout_of(task.table, spec).value();
  SharedParts parts;
  parts.source_width = width_of(layout.x);
  parts.past_width = width_of(layout.z);
  Result<Observations> seen =
      observations_of(task.table, reach.value(), parts.source_width + 1 + parts.past_width, estimation);
  if (!seen) return of_pair(seen.error());
  parts.seen = std::move(seen).value();
  if (task.options.surrogates.count > 0)
    if (auto error = check_surrogate_neighbours(parts.seen.count, estimation)) return of_pair(*error);
  if (task.options.interval.confidence > 0) {
    Result<std::vector<Replicate>> replicates =
        replicates_of(parts.seen.trial_lengths, estimation, task.options.interval);
    if (!replicates) return of_pair(replicates.error());
    parts.replicates = std::move(replicates).value();
  }
  return parts;
}

Result<Tensor> sources_of(const NetworkTask& task, const SharedParts& parts, std::int64_t delay,
                          std::int64_t first, std::int64_t count, ThreadPool& pool) {
  return stacked(task, parts, first, count, parts.source_width, 0, pool, [&](std::int64_t column) {
    const TeSpec& spec = task.options.spec;
    return std::vector<te::EmbeddedVariable>{{column, spec.l_history, spec.l_tau, delay}};
  });
}

Result<Tensor> nexts_of(const NetworkTask& task, const SharedParts& parts, std::int64_t first,
                        std::int64_t count, ThreadPool& pool) {
  return stacked(task, parts, first, count, 1, parts.source_width, pool, [](std::int64_t column) {
    return std::vector<te::EmbeddedVariable>{{column, 1, 1, 0}};
  });
}

Result<Tensor> pasts_of(const NetworkTask& task, const SharedParts& parts, std::int64_t first,
                        std::int64_t count, ThreadPool& pool) {
  // the target's own past, then the conditionals, which are the same for all
  std::vector<te::EmbeddedVariable> lags = layout_of(task.table, spec_of(task, 0, 1)).value().z;
  return stacked(task, parts, first, count, parts.past_width, parts.source_width + 1, pool,
                 [&](std::int64_t column) {
                   std::vector<te::EmbeddedVariable> own = lags;
                   own.front().column = column;
                   return own;
                 });
}

std::uint64_t source_seed(std::uint64_t seed, std::int64_t column) {
  return derived_seed(seed, static_cast<std::uint32_t>(column), 0);
}

std::array<std::uint64_t, 2> digest_of(const NetworkTask& task, std::string_view backend, bool shared) {
  const NetworkOptions& options = task.options;
  Fingerprint print;
  print.add_bytes(backend.data(), backend.size());
  print.add(std::uint64_t{shared});
  print.add(static_cast<std::uint64_t>(task.table.rows()));
  print.add(task.table.trial_lengths);
  print.add_bytes(task.table.values.view().data, task.table.values.bytes());
  print.add(task.columns);
  print.add(task.delays);
  const TeSpec& spec = options.spec;
  for (const auto* list : {&spec.conditionals, &spec.cond_history, &spec.cond_tau, &spec.cond_delay})
    print.add(*list);
  print.add(std::vector<std::int64_t>{spec.k_history, spec.k_tau, spec.l_history, spec.l_tau});
  const EstimationOptions& how = options.estimation;
  print.add(std::vector<std::int64_t>{how.k, how.algorithm, how.theiler_window,
                                      static_cast<std::int64_t>(how.normalise)});
  print.add(how.noise);
  print.add(how.seed);
  print.add(std::vector<std::int64_t>{options.surrogates.count,
                                      static_cast<std::int64_t>(options.surrogates.method),
                                      static_cast<std::int64_t>(options.interval.method),
                                      options.interval.blocks, options.interval.block_rows});
  print.add(options.interval.confidence);
  if (options.embed) {
    const EmbedSearch& search = *options.embed;
    print.add(std::vector<std::int64_t>{static_cast<std::int64_t>(search.method), search.k_search_max,
                                        search.tau_search_max, search.ragwitz_neighbours});
  }
  return print.digest();
}

}  // namespace assay::analysis
