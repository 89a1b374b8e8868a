#include "engine/analysis/network.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <set>
#include <string>

#include "engine/analysis/random.hpp"

namespace assay::analysis {

namespace {

InputError refuse(std::string message) {
  return {InputError::Code::out_of_range, std::move(message), {}, {}, {}};
}

std::string name_of(const SeriesTable& table, std::int64_t column) {
  const auto index = static_cast<std::size_t>(column);
  return index < table.names.size() && !table.names[index].empty() ? table.names[index]
                                                                   : std::to_string(column);
}

Result<std::vector<std::int64_t>> columns_of(const SeriesTable& table, std::vector<std::int64_t> columns) {
  if (columns.empty()) {
    columns.resize(static_cast<std::size_t>(table.columns()));
    std::iota(columns.begin(), columns.end(), std::int64_t{0});
  }
  if (columns.size() < 2)
    return refuse("network: " + std::to_string(columns.size()) + " column, expected at least 2");
  if (std::set<std::int64_t>(columns.begin(), columns.end()).size() != columns.size())
    return refuse("network: a column is given twice, expected each once");
  return columns;
}

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

Result<NetworkEdge> estimate_pair(const SeriesTable& table, const NetworkOptions& options, const Pasts& pasts,
                                  std::int64_t source, std::int64_t target, const Estimator& estimator,
                                  ThreadPool& pool) {
  TeSpec spec = spec_of_pair(options.spec, source, target);
  if (options.embed) {
    const Embedding& next = pasts[static_cast<std::size_t>(target)];
    spec.k_history = next.history;
    spec.k_tau = next.tau;
    spec.l_history = spec.l_tau = 1;
    Embedding past;
    if (options.embed->method == EmbedMethod::ais_te) {
      const Result<Embedding> found =
          search_transfer(table, spec, options.estimation, *options.embed, estimator);
      if (!found) return found.error();
      past = found.value();
    } else if (options.embed->method == EmbedMethod::ragwitz || options.embed->method == EmbedMethod::ais) {
      past = pasts[static_cast<std::size_t>(source)];
    }
    spec.l_history = past.history;
    spec.l_tau = past.tau;
  }
  const Result<Layout> layout = layout_of(table, spec);
  if (!layout) return layout.error();
  const Result<Points> points = prepare(table, layout.value(), options.estimation);
  if (!points) return points.error();
  MeasureOptions how{options.estimation, options.surrogates, false};
  how.estimation.seed = derived_seed(options.estimation.seed, static_cast<std::uint32_t>(source),
                                     static_cast<std::uint32_t>(target));
  Result<Estimate> estimate = estimate_points(points.value(), how, estimator, pool);
  if (!estimate) return estimate.error();

  NetworkEdge edge;
  edge.source = source;
  edge.target = target;
  edge.estimate = std::move(estimate).value();
  if (edge.estimate.surrogates) edge.estimate.surrogates->values = {};
  edge.k_history = spec.k_history;
  edge.k_tau = spec.k_tau;
  edge.l_history = spec.l_history;
  edge.l_tau = spec.l_tau;
  if (options.confidence > 0) {
    const Result<Interval> interval =
        jackknife_interval(points.value(), edge.estimate.value, options.estimation, options.confidence,
                           options.jackknife_blocks, estimator, pool);
    if (!interval) return interval.error();
    edge.interval = interval.value();
  }
  return edge;
}

Result<Pasts> search_pasts(const SeriesTable& table, const NetworkOptions& options,
                           const std::vector<std::int64_t>& columns, const Estimator& estimator,
                           ThreadPool& pool) {
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
    if (errors[i]) return refuse("column " + name_of(table, columns[i]) + ": " + errors[i]->message);
  return pasts;
}

}  // namespace

const NetworkEdge& Network::edge(std::size_t source, std::size_t target) const {
  return edges.at(source * (columns.size() - 1) + (target < source ? target : target - 1));
}

Result<Network> network(const SeriesTable& table, const NetworkOptions& options, const Estimator& estimator,
                        ThreadPool& pool, const Progress& progress) {
  if (!options.surrogates.permutations.empty())
    return refuse("network: given permutations are for one pair, expected a number of surrogates");
  if (!(options.fdr > 0 && options.fdr < 1)) return refuse("fdr: expected a number between 0 and 1");
  const Result<std::vector<std::int64_t>> columns = columns_of(table, options.columns);
  if (!columns) return columns.error();
  Network made;
  made.columns = columns.value();
  const auto width = static_cast<std::int64_t>(made.columns.size());
  for (const std::int64_t column : made.columns)
    if (column < 0 || column >= table.columns())
      return refuse("network: " + std::to_string(column) + " is not a column of the data, expected 0 to " +
                    std::to_string(table.columns() - 1));
  const Result<Pasts> pasts = search_pasts(table, options, made.columns, estimator, pool);
  if (!pasts) return pasts.error();

  const std::int64_t pairs = width * (width - 1);
  made.edges.resize(static_cast<std::size_t>(pairs));
  std::vector<std::optional<InputError>> errors(static_cast<std::size_t>(pairs));
  std::mutex mutex;
  std::int64_t done = 0;
  const auto one_pair = [&](std::int64_t pair, const Estimator& worker, ThreadPool& inner) {
    const std::int64_t from = pair / (width - 1), place = pair % (width - 1);
    const std::int64_t source = made.columns[static_cast<std::size_t>(from)];
    const std::int64_t target = made.columns[static_cast<std::size_t>(place < from ? place : place + 1)];
    Result<NetworkEdge> edge = estimate_pair(table, options, pasts.value(), source, target, worker, inner);
    if (edge) {
      made.edges[static_cast<std::size_t>(pair)] = std::move(edge).value();
    } else {
      InputError error = edge.error();
      error.message =
          "pair " + name_of(table, source) + " -> " + name_of(table, target) + ": " + error.message;
      errors[static_cast<std::size_t>(pair)] = std::move(error);
    }
    const std::lock_guard lock(mutex);
    ++done;
    if (progress) progress(done, pairs);
  };
  if (pairs <
      static_cast<std::int64_t>(pool.threads())) {  // few pairs: their surrogates share the workers instead
    for (std::int64_t pair = 0; pair < pairs; ++pair) one_pair(pair, estimator, pool);
  } else {
    for_each(pool, estimator, pairs, [&](std::int64_t pair, const Estimator& worker) {
      ThreadPool alone(1);
      one_pair(pair, worker, alone);
    });
  }
  for (const auto& error : errors)
    if (error) return *error;

  if (options.surrogates.count > 0) {
    std::vector<double> p_values;
    for (const NetworkEdge& edge : made.edges) p_values.push_back(edge.estimate.surrogates->p_value);
    const std::vector<bool> found = benjamini_hochberg(p_values, options.fdr);
    for (std::size_t i = 0; i < found.size(); ++i) made.edges[i].significant = found[i];
  }
  return made;
}

std::int64_t least_discoveries(std::int64_t pairs, std::int64_t surrogates, double q) {
  const double smallest = 1 / (1 + static_cast<double>(surrogates));
  auto found = static_cast<std::int64_t>(std::floor(smallest * static_cast<double>(pairs) / q));
  while (smallest > static_cast<double>(found) * q / static_cast<double>(pairs))
    ++found;  // as the procedure compares
  return found;
}

std::vector<bool> benjamini_hochberg(std::span<const double> p_values, double q) {
  std::vector<double> sorted(p_values.begin(), p_values.end());
  std::sort(sorted.begin(), sorted.end());
  const double count = static_cast<double>(sorted.size());
  double threshold = -1;
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] <= static_cast<double>(i + 1) * q / count) threshold = sorted[i];
  std::vector<bool> discoveries(p_values.size());
  std::transform(p_values.begin(), p_values.end(), discoveries.begin(),
                 [&](double p) { return p <= threshold; });
  return discoveries;
}

}  // namespace assay::analysis
