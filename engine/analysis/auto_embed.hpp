#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/analysis/estimator.hpp"
#include "engine/analysis/series.hpp"
#include "engine/analysis/specification.hpp"
#include "engine/runtime/result.hpp"

namespace assay::analysis {

/// How history and spacing are chosen. Names on the command line and in JIDT:
enum class EmbedMethod : std::uint8_t {
  ragwitz,         ///< "ragwitz", RAGWITZ: target, then source, each by its own prediction error
  ragwitz_target,  ///< "ragwitz-target", RAGWITZ_DEST_ONLY: source history and spacing stay 1
  ais,             ///< "ais", MAX_CORR_AIS: target, then source, each by its own active information storage
  ais_target,      ///< "ais-target", MAX_CORR_AIS_DEST_ONLY
  ais_te  ///< "ais-te", MAX_CORR_AIS_AND_TE: target by storage, then the source that gives the largest TE
};

/// The method of a command-line or JIDT name; none where the name is unknown.
std::optional<EmbedMethod> embed_method_of(std::string_view name);

struct EmbedSearch {
  EmbedMethod method = EmbedMethod::ragwitz;
  std::int64_t k_search_max = 5;
  std::int64_t tau_search_max = 5;
  std::int64_t ragwitz_neighbours = 0;  ///< 0: the k of the estimate
  unsigned threads = 0;                 ///< for the neighbours of the prediction; 0: all
};

/// History and spacing, and the score that chose them: a mean squared error (Ragwitz,
/// normalised units) or nats.
struct Embedding {
  std::int64_t history = 1;
  std::int64_t tau = 1;
  double score = 0;
};

/// Searches history 1 .. k_search_max and spacing 1 .. tau_search_max (spacing 1 only for history 1) of the
/// past of the given columns taken together. A candidate replaces the best so far only if strictly better;
/// each uses all observations that it can form; candidates that leave too few are passed over.
///
/// ragwitz: smallest mean squared error of predicting the next value by the mean over the next values of the
/// nearest neighbours of the past vector (Ragwitz, Kantz 2002, PRE 65, 056201), on normalised data,
/// neighbours outside the Theiler window, ties by the lower index. ais: largest active information storage by
/// the estimator (it carries its own bias correction: Garland, James, Bradley 2016, PRE 93, 022221). Refused:
/// k_search_max or tau_search_max < 1, columns not in the table, no candidate with enough observations.
Result<Embedding> search_ragwitz(const SeriesTable& table, const std::vector<std::int64_t>& columns,
                                 const EstimationOptions& options, const EmbedSearch& search);
Result<Embedding> search_ais(const SeriesTable& table, const std::vector<std::int64_t>& columns,
                             const EstimationOptions& options, const EmbedSearch& search,
                             const Estimator& estimator);

/// The search of the method's kind (Ragwitz or storage) on the past of the given columns.
Result<Embedding> search_past(const SeriesTable& table, const std::vector<std::int64_t>& columns,
                              const EstimationOptions& options, const EmbedSearch& search,
                              const Estimator& estimator);

/// The source history and spacing that give the largest transfer entropy, everything else as in `spec`.
Result<Embedding> search_transfer(const SeriesTable& table, const TeSpec& spec,
                                  const EstimationOptions& options, const EmbedSearch& search,
                                  const Estimator& estimator);

/// The specification with k_history, k_tau, l_history and l_tau replaced by what the search found.
/// Conditionals stay, and take part in the transfer entropy that `ais_te` maximises.
Result<TeSpec> auto_embed(const SeriesTable& table, TeSpec spec, const EstimationOptions& options,
                          const EmbedSearch& search, const Estimator& estimator);

/// For active information storage: the target half of the search.
Result<AisSpec> auto_embed(const SeriesTable& table, AisSpec spec, const EstimationOptions& options,
                           const EmbedSearch& search, const Estimator& estimator);

}  // namespace assay::analysis
