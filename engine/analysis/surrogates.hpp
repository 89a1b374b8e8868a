#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/analysis/estimator.hpp"
#include "engine/analysis/prepare.hpp"
#include "engine/analysis/specification.hpp"
#include "engine/runtime/result.hpp"

namespace assay::analysis {

/// How the x-part of the points (for transfer entropy the embedded source) is taken apart from the rest.
enum class SurrogateMethod : std::uint8_t {
  permute,  ///< a random permutation of its rows
  shift  ///< a circular shift of its rows within each trial, by a random lag of at least a tenth of the trial
};

struct SurrogateOptions {
  std::int64_t count = 0;  ///< 0: none
  SurrogateMethod method = SurrogateMethod::permute;
  std::optional<std::uint64_t> seed = {};  ///< of their own; none: that of the estimate
  /// Given permutations of 0 .. n - 1, used instead of `count` and `method` where not empty.
  std::vector<std::vector<std::int64_t>> permutations = {};
};

/// The permutation of surrogate `index`: row i of the x-part is replaced by its row permutation[i].
/// `permute` is a Fisher-Yates shuffle without modulo bias from the Philox stream (seed, index);
/// `shift` draws one lag a trial of length L, uniform in [m, L - m] with m = max(1, ceil(L / 10)); a
/// trial of one row stays as it is.
std::vector<std::int64_t> surrogate_permutation(SurrogateMethod method,
                                                std::span<const std::int64_t> trial_lengths,
                                                std::uint64_t seed, std::int64_t index);

/// What the surrogates say about an observed value.
struct SurrogateSummary {
  std::vector<double> values;     ///< nats, one a surrogate
  std::int64_t hits = 0;          ///< surrogates >= the observed value
  double p_value = 1;             ///< (1 + hits) / (1 + count): never 0
  double p_value_raw = 1;         ///< hits / count
  double mean = 0;                ///< nats
  double standard_deviation = 0;  ///< nats; divisor count - 1; 0 for a single surrogate
  double effective = 0;           ///< observed - mean, nats
};
SurrogateSummary summarise(double observed, std::vector<double> surrogates);
/// The same without a copy of the values, for many pairs.
SurrogateSummary reduce_surrogates(double observed, std::span<const double> surrogates);

/// Why surrogates of so many observations would leave a point fewer than k neighbours, their trials dropped;
/// none where they do not.
std::optional<InputError> check_surrogate_neighbours(std::int64_t observations,
                                                     const EstimationOptions& options);

/// Evaluates the surrogates of prepared points. As in JIDT, y and z stay, and a surrogate's row numbers act
/// as times: the exclusion window looks at |i - j| alone and the trials are dropped. The result does not
/// depend on the number of threads. Refused: a given list that is not a permutation of 0 .. n - 1 (says
/// which, and where); too few neighbours once the trials are dropped.
Result<std::vector<double>> surrogate_values(const Points& points, const EstimationOptions& options,
                                             const SurrogateOptions& surrogates, const Estimator& estimator,
                                             ThreadPool& pool);

}  // namespace assay::analysis
