#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/analysis/auto_embed.hpp"
#include "engine/analysis/estimator.hpp"
#include "engine/analysis/interval.hpp"
#include "engine/analysis/measure.hpp"
#include "engine/analysis/series.hpp"
#include "engine/analysis/specification.hpp"
#include "engine/runtime/result.hpp"

namespace assay::analysis {

struct NetworkOptions {
  std::vector<std::int64_t> columns;  ///< empty: all of the table
  TeSpec spec;  ///< histories, delay, conditionals; sources and targets are set pair by pair
  EstimationOptions estimation;
  SurrogateOptions surrogates;  ///< given permutations are not taken here
  double fdr = 0.05;            ///< level of the false discovery rate
  double confidence = 0;        ///< of jackknife intervals; 0: none
  std::int64_t jackknife_blocks = 10;
  std::optional<EmbedSearch> embed;  ///< choose the embedding pair by pair
};

/// One ordered pair.
struct NetworkEdge {
  std::int64_t source = 0, target = 0;  ///< columns of the table
  Estimate estimate;                    ///< of its surrogates the summary alone; their values are not kept
  std::int64_t k_history = 1, k_tau = 1, l_history = 1, l_tau = 1;  ///< as estimated, chosen or given
  std::optional<Interval> interval;
  bool significant = false;  ///< survives the false discovery rate; false without surrogates
};

struct Network {
  std::vector<std::int64_t> columns;
  std::vector<NetworkEdge> edges;  ///< all ordered pairs, source by source
  /// The edge from columns[source] to columns[target], source != target.
  const NetworkEdge& edge(std::size_t source, std::size_t target) const;
};

/// Called after each pair, from any worker, one call at a time: pairs done, pairs in all.
using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Transfer entropy of all ordered pairs: a parallel loop over pairs, surrogates within. Surrogates of a pair
/// come from the seed and the two column numbers alone, so neither threads nor the other columns change them.
/// A pair that is refused refuses the whole (the message names the pair). A conditional is left out for the
/// pairs that have it as source or target.
Result<Network> network(const SeriesTable& table, const NetworkOptions& options, const Estimator& estimator,
                        ThreadPool& pool, const Progress& progress = {});

/// Benjamini, Hochberg 1995 (J. R. Stat. Soc. B 57, 289): with p sorted, all up to the largest i with p_(i)
/// <= i q / m are discoveries. Order of the input; equal p are treated alike.
std::vector<bool> benjamini_hochberg(std::span<const double> p_values, double q);

/// How many of `pairs` must reach the smallest p-value that so many surrogates can give, 1 / (1 +
/// surrogates), before any of them is a discovery at level q. More than one is worth a warning: fewer true
/// edges than that cannot be found, and pairs / q - 1 surrogates would find a single one.
std::int64_t least_discoveries(std::int64_t pairs, std::int64_t surrogates, double q);

}  // namespace assay::analysis
