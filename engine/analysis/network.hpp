#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/analysis/auto_embed.hpp"
#include "engine/analysis/estimator.hpp"
#include "engine/analysis/interval.hpp"
#include "engine/analysis/pair_matrix.hpp"
#include "engine/analysis/series.hpp"
#include "engine/analysis/specification.hpp"
#include "engine/analysis/surrogates.hpp"
#include "engine/runtime/context.hpp"
#include "engine/runtime/result.hpp"

namespace assay::analysis {

struct NetworkOptions {
  std::vector<std::int64_t> columns;  ///< empty: all of the table
  TeSpec spec;  ///< histories, delay, conditionals; sources and targets are set pair by pair
  /// More than one: a scan. The value of a pair is its largest over these delays, spec.delay is not read.
  std::vector<std::int64_t> delays = {};
  EstimationOptions estimation;
  SurrogateOptions surrogates;       ///< given permutations are not taken here
  double fdr = 0.05;                 ///< level of the false discovery rate
  IntervalOptions interval;          ///< a confidence of 0: none. Not beside a scan
  std::optional<EmbedSearch> embed;  ///< choose the embedding pair by pair. Not beside a scan
  std::int64_t memory_bytes = 0;     ///< what results and working memory may take; 0: what the machine has
  std::int64_t batch_targets = 0;    ///< targets evaluated at a time; 0: chosen by memory and work
  /// A file that holds the finished batches; empty: none. Where it is there already it is resumed.
  std::string checkpoint;

  bool scans() const { return delays.size() > 1; }
};

/// What is known of each pair of some sources with some targets. A matrix that was not asked for is empty;
/// cells of a column with itself hold NaN or 0. At 10,000 columns a f64 matrix takes 763 MiB, which is why
/// what follows from another number is computed where it is read.
struct PairTables {
  PairMatrix<double> te;  ///< nats; of a scan the largest over the delays
  /// Of the surrogates: how many are at least te, their mean and their standard deviation (divisor count -
  /// 1), nats.
  PairMatrix<std::uint32_t> hits;
  PairMatrix<double> surrogate_mean, surrogate_std;
  PairMatrix<double> ci_low, ci_high;  ///< nats
  PairMatrix<std::int32_t> delay;      ///< of a scan: where te was found, the smallest of equals
  /// Where they differ by pair (a search of embeddings, conditionals that drop out): embedded observations,
  /// histories and spacings.
  PairMatrix<std::int64_t> samples;
  PairMatrix<std::int32_t> k_history, k_tau, l_history, l_tau;
};

struct Network : PairTables {
  std::vector<std::int64_t> columns;     ///< of the table, in the order of rows and columns
  std::int64_t least_samples = 0;        ///< embedded observations; the least of all pairs
  std::int64_t surrogates = 0;           ///< a pair
  PairMatrix<std::uint8_t> significant;  ///< 1: survives the false discovery rate; empty without surrogates
  bool shared = false;                   ///< by te.network, not pair by pair
  std::int64_t resumed_pairs = 0;        ///< taken from the checkpoint

  std::size_t width() const { return columns.size(); }
  bool tested() const { return surrogates > 0; }
  std::int64_t samples_of(std::size_t source, std::size_t target) const {
    return samples.empty() ? least_samples : samples(source, target);
  }
  /// (1 + hits) / (1 + surrogates). Precondition: tested.
  double p_value(std::size_t source, std::size_t target) const {
    return (1 + static_cast<double>(hits(source, target))) / (1 + static_cast<double>(surrogates));
  }
  /// te less the mean of the surrogates, nats. Precondition: tested.
  double effective(std::size_t source, std::size_t target) const {
    return te(source, target) - surrogate_mean(source, target);
  }
};

/// Called as pairs are finished, from any worker, one call at a time: pairs done, pairs in all. The first
/// call of a resumed network reports what the checkpoint held.
using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Whether te.network can serve it: all pairs have the same observations. Not so where the embedding is
/// chosen pair by pair, or a conditional is itself one of the columns.
bool shares_sources(const NetworkOptions& options);

/// Transfer entropy of all ordered pairs by te.network: sources are prepared once, targets once a batch, and
/// batches are shared out over the contexts, which are all of one backend. Values equal those of `estimate`
/// for the pair alone, to the rounding of one sum on CUDA and bit for bit on the CPU.
///
/// Surrogates come from the seed and the source's column number alone: surrogate s of a source is the same
/// for every target, and at every delay of a scan. What a source's surrogates share (their rows, their order)
/// is then made once for all of its targets, which is what makes them affordable. Each p-value stays what it
/// was: for one pair, s runs over independent permutations of the source. The p-values of one source with
/// several targets are dependent, as they are anyhow through the source's data. The false discovery rate of
/// Benjamini and Hochberg's procedure is proven for independent and for positively regression dependent
/// p-values (Benjamini, Yekutieli 2001, Ann. Stat. 29, 1165); that these are so is not proven.
///
/// A scan takes for each pair the maximum over the delays, and corrects for having looked at them by the
/// maximum statistic (Westfall, Young 1993): with TE*_s,d the value of surrogate s at delay d, p = (1 + #{s:
/// max_d TE*_s,d >= max_d TE_d}) / (1 + S), so that a pair without any influence has p <= alpha with
/// probability <= alpha however many delays were tried. Observations are the same at every delay: they start
/// where the largest reach allows.
///
/// Neither threads, devices, batches nor other columns change a result. Refused in one line: what `prepare`
/// and `estimate` refuse, fewer than two columns, a result that does not fit the memory (too_large), a
/// checkpoint of other data or options.
Result<Network> network(const SeriesTable& table, const NetworkOptions& options,
                        std::span<Context* const> contexts, const Progress& progress = {});

/// The same pair by pair with any estimator: for what te.network cannot serve, and the oracle of the rest. A
/// parallel loop over pairs, surrogates within. A pair that is refused refuses the whole (the message names
/// the pair). A conditional is left out for the pairs that have it as source or target.
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
