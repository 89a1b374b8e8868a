#include "engine/analysis/interval.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "engine/runtime/error.hpp"

namespace assay::analysis {

namespace {

InputError refuse(std::string message) {
  return {InputError::Code::out_of_range, std::move(message), {}, {}, {}};
}

/// ln |gamma(x)|; std::lgamma leaves the sign in a global variable, which pairs on several threads write at
/// once.
double log_gamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

/// Regularised incomplete beta function I_x(a, b) by its continued fraction (DLMF 8.17.22),
/// modified Lentz evaluation.
double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2))
    return 1 - incomplete_beta(1 - x, b, a);  // where the fraction converges fast
  const double front =
      std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) + b * std::log1p(-x)) / a;
  constexpr double tiny = 1e-300;
  double c = 1, d = 0, fraction = 1;
  for (int m = 0; m < 500; ++m) {
    const double half = m / 2;  // integer division: the fraction's terms come in pairs
    const double term = m == 0 ? 1
                        : m % 2 == 0
                            ? half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
                            : -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1));
    d = 1 + term * d;
    d = 1 / (std::fabs(d) < tiny ? tiny : d);
    c = 1 + term / c;
    if (std::fabs(c) < tiny) c = tiny;
    fraction *= c * d;
    if (m > 0 && std::fabs(1 - c * d) < 1e-15) break;
  }
  return front * (fraction - 1);
}

double student_t_distribution(double t, double nu) {
  const double square = t * t;
  if (square < nu) {  // the middle, measured from 1/2
    const double half = 0.5 * incomplete_beta(square / (nu + square), 0.5, nu / 2);
    return t > 0 ? 0.5 + half : 0.5 - half;
  }
  const double tail = 0.5 * incomplete_beta(nu / (nu + square), nu / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/// Kept runs of rows as trials: a trial is cut wherever rows of it are missing.
Replicate keeping(std::span<const std::int64_t> trial_lengths,
                  std::vector<std::pair<std::int64_t, std::int64_t>> rows) {
  Replicate made;
  std::erase_if(rows, [](const auto& run) { return run.first >= run.second; });
  for (const auto& [begin, end] : rows) {
    std::int64_t first = 0;
    for (const std::int64_t length : trial_lengths) {
      const std::int64_t kept = std::min(end, first + length) - std::max(begin, first);
      if (kept > 0) made.trial_lengths.push_back(kept);
      first += length;
    }
    made.count += end - begin;
  }
  made.rows = std::move(rows);
  return made;
}

/// Rows of a subsample, and how many there are.
struct Subsampling {
  std::int64_t rows = 0, count = 0;
};

Subsampling subsampling_of(std::int64_t n, const IntervalOptions& how) {
  constexpr std::int64_t most = 40;
  const std::int64_t rows = how.block_rows > 0 ? how.block_rows : n / 5;
  return {rows, std::min(most, n - rows + 1)};
}

}  // namespace

double student_t_quantile(double p, double nu) {
  if (!(p > 0 && p < 1)) throw ContractError("student_t_quantile", "p", "expected 0 < p < 1");
  if (!(nu >= 1)) throw ContractError("student_t_quantile", "nu", "expected at least 1");
  double low = -1, high = 1;
  while (student_t_distribution(low, nu) > p) low *= 2;
  while (student_t_distribution(high, nu) < p) high *= 2;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    if (middle == low || middle == high) break;
    (student_t_distribution(middle, nu) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

Tensor Replicate::of(const ConstTensorView& matrix) const {
  const std::int64_t width = matrix.extent(1);
  Tensor kept(DType::f64, {count, width});
  const auto from = matrix.as<double>();
  auto to = kept.as<double>().begin();
  for (const auto& [begin, end] : rows)
    to = std::copy(from.begin() + begin * width, from.begin() + end * width, to);
  return kept;
}

Result<std::vector<Replicate>> replicates_of(std::span<const std::int64_t> trial_lengths,
                                             const EstimationOptions& options, const IntervalOptions& how) {
  if (!(how.confidence > 0 && how.confidence < 1))
    return refuse("confidence: expected a number between 0 and 1");
  const std::int64_t n = std::accumulate(trial_lengths.begin(), trial_lengths.end(), std::int64_t{0});
  std::vector<Replicate> made;
  std::string cut;
  if (how.method == IntervalMethod::jackknife) {
    const std::int64_t blocks = how.blocks;
    if (blocks < 2 || blocks > n)
      return refuse("jackknife blocks: " + std::to_string(blocks) + ", expected 2 to " + std::to_string(n));
    const auto edge = [&](std::int64_t block) { return block * n / blocks; };
    for (std::int64_t j = 0; j < blocks; ++j)
      made.push_back(keeping(trial_lengths, {{0, edge(j)}, {edge(j + 1), n}}));
    cut = "with one of " + std::to_string(blocks) + " blocks left out ";
  } else {
    const Subsampling sizes = subsampling_of(n, how);
    if (sizes.rows < 1 || 2 * sizes.rows > n)
      return refuse("subsamples: blocks of " + std::to_string(sizes.rows) + " of " + std::to_string(n) +
                    " observations, expected 1 to " + std::to_string(n / 2));
    for (std::int64_t j = 0; j < sizes.count; ++j) {
      const std::int64_t begin = j * (n - sizes.rows) / (sizes.count - 1);
      made.push_back(keeping(trial_lengths, {{begin, begin + sizes.rows}}));
    }
    cut = "in a block of " + std::to_string(sizes.rows) + " of " + std::to_string(n) + " observations ";
  }
  for (const Replicate& replicate : made) {
    const std::int64_t admissible = admissible_neighbours(replicate.trial_lengths, options.theiler_window);
    if (admissible < options.k)
      return refuse("too few observations for an interval: " + cut + std::to_string(admissible) +
                    " neighbours remain, expected at least k = " + std::to_string(options.k));
  }
  return made;
}

IntervalScale interval_scale(std::int64_t n, std::int64_t replicates, std::int64_t replicate_rows,
                             const IntervalOptions& how) {
  const double count = static_cast<double>(replicates);
  IntervalScale scale;
  double freedom = count - 1;
  if (how.method == IntervalMethod::jackknife) {
    scale.variance = (count - 1) / count;
  } else {
    const double all = static_cast<double>(n), block = static_cast<double>(replicate_rows);
    scale.variance = block / (all - block) / count;
    freedom = std::max(1.0, std::min(freedom, all / block - 1));
  }
  scale.quantile = student_t_quantile(0.5 + how.confidence / 2, freedom);
  return scale;
}

Interval interval_of(double value, std::span<const double> estimates, const IntervalScale& scale) {
  const double mean =
      std::accumulate(estimates.begin(), estimates.end(), 0.0) / static_cast<double>(estimates.size());
  double squares = 0;
  for (const double estimate : estimates) squares += (estimate - mean) * (estimate - mean);
  const double error = std::sqrt(scale.variance * squares);
  return {value - scale.quantile * error, value + scale.quantile * error, error};
}

Result<Interval> interval_around(const Points& points, double value, const EstimationOptions& options,
                                 const IntervalOptions& how, const Estimator& estimator, ThreadPool& pool) {
  const Result<std::vector<Replicate>> replicates = replicates_of(points.trial_lengths, options, how);
  if (!replicates) return replicates.error();
  const auto count = static_cast<std::int64_t>(replicates.value().size());
  std::vector<double> estimates(static_cast<std::size_t>(count));
  for_each(pool, estimator, count, [&](std::int64_t j, const Estimator& worker) {
    const Replicate& kept = replicates.value()[static_cast<std::size_t>(j)];
    const Points left{
        kept.of(points.x.view()), kept.of(points.y.view()), kept.of(points.z.view()), kept.trial_lengths, {}};
    estimates[static_cast<std::size_t>(j)] =
        worker
            .evaluate(
                view_of(left),
                {.k = options.k, .algorithm = options.algorithm, .theiler_window = options.theiler_window},
                false)
            .value;
  });
  return interval_of(value, estimates,
                     interval_scale(points.count(), count, replicates.value().front().count, how));
}

Result<Interval> jackknife_interval(const Points& points, double value, const EstimationOptions& options,
                                    double confidence, std::int64_t blocks, const Estimator& estimator,
                                    ThreadPool& pool) {
  return interval_around(points, value, options, {.confidence = confidence, .blocks = blocks}, estimator,
                         pool);
}

}  // namespace assay::analysis
