#include "engine/analysis/surrogates.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "kernels/resampling/surrogate_rows.hpp"

namespace assay::analysis {

namespace {

std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed, std::int64_t index) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  kernels::resampling::permuted_rows(seed, index, count, rows.data());
  return rows;
}

std::vector<std::int64_t> shifted(std::span<const std::int64_t> trial_lengths, std::uint64_t seed,
                                  std::int64_t index) {
  std::vector<std::int64_t> rows;
  kernels::resampling::shift_lags(
      seed, index, trial_lengths.data(), static_cast<std::int64_t>(trial_lengths.size()),
      [&](std::int64_t trial, std::int64_t lag) {
        const auto begin = static_cast<std::int64_t>(rows.size());
        const std::int64_t length = trial_lengths[static_cast<std::size_t>(trial)];
        for (std::int64_t at = 0; at < length; ++at)
          rows.push_back(begin + kernels::resampling::shifted_row(at, length, lag));
      });
  return rows;
}

/// The first reason why a list is no permutation of 0 .. count - 1; empty where it is one.
std::string not_a_permutation(const std::vector<std::int64_t>& list, std::int64_t count) {
  if (static_cast<std::int64_t>(list.size()) != count)
    return std::to_string(list.size()) + " entries, expected the " + std::to_string(count) +
           " embedded observations";
  std::vector<bool> seen(list.size(), false);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] < 0 || list[i] >= count)
      return "entry " + std::to_string(i) + " is " + std::to_string(list[i]) + ", expected 0 to " +
             std::to_string(count - 1);
    if (seen[static_cast<std::size_t>(list[i])])
      return "entry " + std::to_string(i) + " repeats " + std::to_string(list[i]) +
             ", expected each row once";
    seen[static_cast<std::size_t>(list[i])] = true;
  }
  return {};
}

Tensor rows_taken(const Tensor& matrix, std::span<const std::int64_t> rows) {
  const std::int64_t width = matrix.shape().at(1);
  Tensor taken(DType::f64, {static_cast<std::int64_t>(rows.size()), width});
  const auto from = matrix.as<double>();
  auto to = taken.as<double>().begin();
  for (const std::int64_t row : rows) to = std::copy_n(from.begin() + row * width, width, to);
  return taken;
}

}  // namespace

std::vector<std::int64_t> surrogate_permutation(SurrogateMethod method,
                                                std::span<const std::int64_t> trial_lengths,
                                                std::uint64_t seed, std::int64_t index) {
  if (method == SurrogateMethod::shift) return shifted(trial_lengths, seed, index);
  return shuffled(std::accumulate(trial_lengths.begin(), trial_lengths.end(), std::int64_t{0}), seed, index);
}

SurrogateSummary reduce_surrogates(double observed, std::span<const double> surrogates) {
  SurrogateSummary summary;
  const double count = static_cast<double>(surrogates.size());
  summary.hits = std::count_if(surrogates.begin(), surrogates.end(), [&](double v) { return v >= observed; });
  summary.p_value = (1 + static_cast<double>(summary.hits)) / (1 + count);
  if (surrogates.empty()) return summary;
  summary.p_value_raw = static_cast<double>(summary.hits) / count;
  summary.mean = std::accumulate(surrogates.begin(), surrogates.end(), 0.0) / count;
  double squares = 0;
  for (const double value : surrogates) squares += (value - summary.mean) * (value - summary.mean);
  summary.standard_deviation = count > 1 ? std::sqrt(squares / (count - 1)) : 0;
  summary.effective = observed - summary.mean;
  return summary;
}

SurrogateSummary summarise(double observed, std::vector<double> surrogates) {
  SurrogateSummary summary = reduce_surrogates(observed, surrogates);
  summary.values = std::move(surrogates);
  return summary;
}

std::optional<InputError> check_surrogate_neighbours(std::int64_t observations,
                                                     const EstimationOptions& options) {
  const std::vector<std::int64_t> one_trial{observations};
  const std::int64_t admissible = admissible_neighbours(one_trial, options.theiler_window);
  if (admissible >= options.k) return std::nullopt;
  return InputError{
      InputError::Code::out_of_range,
      "too few observations for surrogates: they drop the trials, so that a Theiler window of " +
          std::to_string(options.theiler_window) + " leaves " + std::to_string(admissible) + " of " +
          std::to_string(observations) +
          " observations as neighbours; expected at least k = " + std::to_string(options.k),
      {},
      {},
      {}};
}

Result<std::vector<double>> surrogate_values(const Points& points, const EstimationOptions& options,
                                             const SurrogateOptions& surrogates, const Estimator& estimator,
                                             ThreadPool& pool) {
  const auto refuse = [](std::string message) {
    return InputError{InputError::Code::out_of_range, std::move(message), {}, {}, {}};
  };
  const std::int64_t observations = points.count();
  const bool given = !surrogates.permutations.empty();
  if (surrogates.count < 0)
    return refuse("surrogates: " + std::to_string(surrogates.count) + ", expected a number of 0 or more");
  for (std::size_t s = 0; s < surrogates.permutations.size(); ++s) {
    const std::string wrong = not_a_permutation(surrogates.permutations[s], observations);
    if (!wrong.empty()) return refuse("permutation " + std::to_string(s) + ": " + wrong);
  }
  if (auto error = check_surrogate_neighbours(observations, options)) return *error;
  const std::vector<std::int64_t> one_trial{observations};

  const auto count = given ? static_cast<std::int64_t>(surrogates.permutations.size()) : surrogates.count;
  const te::KsgParameters parameters{options.k, options.algorithm, options.theiler_window};
  if (estimator.resample && !given && count > 0)
    return estimator.resample(
        view_of(points), parameters,
        surrogates.method == SurrogateMethod::shift ? te::Resampling::shift : te::Resampling::permute, count,
        surrogates.seed.value_or(options.seed));
  std::vector<double> values(static_cast<std::size_t>(count));
  const PointsView rest{{}, points.y.view(), points.z.view(), one_trial};
  const auto fill = [&](const SourceEvaluator& evaluate, std::int64_t s) {
    const auto index = static_cast<std::size_t>(s);
    const Tensor x =
        rows_taken(points.x, given ? surrogates.permutations[index]
                                   : surrogate_permutation(surrogates.method, points.trial_lengths,
                                                           surrogates.seed.value_or(options.seed), s));
    values[index] = evaluate(x.view());
  };
  if (!estimator.serial) {
    if (count == 0) return values;
    const SourceEvaluator evaluate = estimator.plan(rest, parameters);
    for (std::int64_t s = 0; s < count; ++s) fill(evaluate, s);
    return values;
  }
  std::vector<SourceEvaluator> own(pool.threads());  // one a worker, made where it is first needed
  pool.parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end, unsigned worker) {
    if (!own[worker]) own[worker] = estimator.serial().plan(rest, parameters);
    for (std::int64_t s = begin; s < end; ++s) fill(own[worker], s);
  });
  return values;
}

}  // namespace assay::analysis
