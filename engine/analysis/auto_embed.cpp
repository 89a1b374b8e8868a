#include "engine/analysis/auto_embed.hpp"

#include <functional>
#include <string>

#include "engine/analysis/prepare.hpp"
#include "engine/runtime/context.hpp"
#include "engine/te/knn.hpp"

namespace assay::analysis {

namespace {

InputError refuse(std::string message) {
  return {InputError::Code::out_of_range, std::move(message), {}, {}, {}};
}

/// Scores one candidate: lower is better.
using Score = std::function<double(const Points&)>;
/// The layout of one candidate.
using Candidate = std::function<Result<Layout>(std::int64_t history, std::int64_t tau)>;

Result<Embedding> search_candidates(const SeriesTable& table, const EstimationOptions& options,
                                    const EmbedSearch& search, const Candidate& candidate,
                                    const Score& score) {
  if (search.k_search_max < 1)
    return refuse("k-search-max: " + std::to_string(search.k_search_max) + ", expected at least 1");
  if (search.tau_search_max < 1)
    return refuse("tau-search-max: " + std::to_string(search.tau_search_max) + ", expected at least 1");
  std::optional<Embedding> best;
  std::optional<InputError> first_refusal;
  for (std::int64_t history = 1; history <= search.k_search_max; ++history) {
    bool any_fits = false;
    for (std::int64_t tau = 1; tau <= (history == 1 ? 1 : search.tau_search_max); ++tau) {
      const Result<Layout> layout = candidate(history, tau);
      if (!layout) return layout.error();
      const Result<Points> points = prepare(table, layout.value(), options);
      if (!points) {  // passed over: too few observations, and fewer still at any larger spacing
        if (!first_refusal) first_refusal = points.error();
        if (points.error().code != InputError::Code::out_of_range) return points.error();
        break;
      }
      any_fits = true;
      const double loss = score(points.value());
      if (!best || loss < best->score) best = Embedding{history, tau, loss};
    }
    if (!any_fits) break;
  }
  if (!best) return *first_refusal;
  return *best;
}

Candidate past_of(const SeriesTable& table, const std::vector<std::int64_t>& columns) {
  return [&table, columns](std::int64_t history, std::int64_t tau) {
    return layout_of(table, AisSpec{columns, history, tau});
  };
}

Score negated_estimate(const EstimationOptions& options, const Estimator& estimator) {
  return [options, &estimator](const Points& points) {
    return -estimator
                .evaluate(view_of(points),
                          {.k = options.k,
                           .algorithm = options.algorithm,
                           .theiler_window = options.theiler_window},
                          false)
                .value;
  };
}

/// The search minimises; the score that is reported is the estimate itself.
Result<Embedding> negated(Result<Embedding> found) {
  if (found) found.value().score = -found.value().score;
  return found;
}

/// Mean squared error of predicting y by the mean over the neighbours' y (Ragwitz, Kantz 2002, eq. 4 with a
/// locally constant predictor); of a y with several columns the errors are summed.
double prediction_error(const Points& points, const EstimationOptions& options, std::int64_t neighbours,
                        unsigned threads) {
  const std::int64_t n = points.count();
  Tensor distances(DType::f64, {n, neighbours});
  Tensor indices(DType::i64, {n, neighbours});
  Context host = Context::cpu(threads);
  te::knn(host, points.x.view(), points.trial_lengths, neighbours, options.theiler_window, distances.view(),
          indices.view());
  const auto near = indices.as<std::int64_t>();
  const auto next = points.y.as<double>();
  const std::int64_t width = points.y.shape().at(1);
  double squares = 0;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < width; ++c) {
      double prediction = 0;
      for (std::int64_t m = 0; m < neighbours; ++m)
        prediction +=
            next[static_cast<std::size_t>(near[static_cast<std::size_t>(i * neighbours + m)] * width + c)];
      const double error =
          next[static_cast<std::size_t>(i * width + c)] - prediction / static_cast<double>(neighbours);
      squares += error * error;
    }
  return squares / static_cast<double>(n);
}

bool by_ragwitz(EmbedMethod method) {
  return method == EmbedMethod::ragwitz || method == EmbedMethod::ragwitz_target;
}

}  // namespace

std::optional<EmbedMethod> embed_method_of(std::string_view name) {
  if (name == "ragwitz" || name == "RAGWITZ") return EmbedMethod::ragwitz;
  if (name == "ragwitz-target" || name == "RAGWITZ_DEST_ONLY") return EmbedMethod::ragwitz_target;
  if (name == "ais" || name == "MAX_CORR_AIS") return EmbedMethod::ais;
  if (name == "ais-target" || name == "MAX_CORR_AIS_DEST_ONLY") return EmbedMethod::ais_target;
  if (name == "ais-te" || name == "MAX_CORR_AIS_AND_TE") return EmbedMethod::ais_te;
  return std::nullopt;
}

Result<Embedding> search_ragwitz(const SeriesTable& table, const std::vector<std::int64_t>& columns,
                                 const EstimationOptions& options, const EmbedSearch& search) {
  if (search.ragwitz_neighbours < 0)
    return refuse("ragwitz-nns: " + std::to_string(search.ragwitz_neighbours) + ", expected at least 1");
  EstimationOptions with_neighbours =
      options;  // so that `prepare` asks for as many neighbours as are used here
  if (search.ragwitz_neighbours > 0) with_neighbours.k = search.ragwitz_neighbours;
  const auto score = [&](const Points& points) {
    return prediction_error(points, options, with_neighbours.k, search.threads);
  };
  return search_candidates(table, with_neighbours, search, past_of(table, columns), score);
}

Result<Embedding> search_ais(const SeriesTable& table, const std::vector<std::int64_t>& columns,
                             const EstimationOptions& options, const EmbedSearch& search,
                             const Estimator& estimator) {
  return negated(search_candidates(table, options, search, past_of(table, columns),
                                   negated_estimate(options, estimator)));
}

Result<Embedding> search_past(const SeriesTable& table, const std::vector<std::int64_t>& columns,
                              const EstimationOptions& options, const EmbedSearch& search,
                              const Estimator& estimator) {
  return by_ragwitz(search.method) ? search_ragwitz(table, columns, options, search)
                                   : search_ais(table, columns, options, search, estimator);
}

Result<Embedding> search_transfer(const SeriesTable& table, const TeSpec& spec,
                                  const EstimationOptions& options, const EmbedSearch& search,
                                  const Estimator& estimator) {
  const auto candidate = [&](std::int64_t history, std::int64_t tau) {
    TeSpec tried = spec;
    tried.l_history = history;
    tried.l_tau = tau;
    return layout_of(table, tried);
  };
  return negated(search_candidates(table, options, search, candidate, negated_estimate(options, estimator)));
}

Result<TeSpec> auto_embed(const SeriesTable& table, TeSpec spec, const EstimationOptions& options,
                          const EmbedSearch& search, const Estimator& estimator) {
  spec.k_history = spec.k_tau = spec.l_history = spec.l_tau = 1;
  if (const Result<Layout> layout = layout_of(table, spec); !layout) return layout.error();
  const Result<Embedding> target = search_past(table, spec.targets, options, search, estimator);
  if (!target) return target.error();
  spec.k_history = target.value().history;
  spec.k_tau = target.value().tau;
  if (search.method == EmbedMethod::ragwitz_target || search.method == EmbedMethod::ais_target) return spec;

  const Result<Embedding> source = search.method == EmbedMethod::ais_te
                                       ? search_transfer(table, spec, options, search, estimator)
                                       : search_past(table, spec.sources, options, search, estimator);
  if (!source) return source.error();
  spec.l_history = source.value().history;
  spec.l_tau = source.value().tau;
  return spec;
}

Result<AisSpec> auto_embed(const SeriesTable& table, AisSpec spec, const EstimationOptions& options,
                           const EmbedSearch& search, const Estimator& estimator) {
  const Result<Embedding> found = search_past(table, spec.series, options, search, estimator);
  if (!found) return found.error();
  spec.k_history = found.value().history;
  spec.k_tau = found.value().tau;
  return spec;
}

}  // namespace assay::analysis
