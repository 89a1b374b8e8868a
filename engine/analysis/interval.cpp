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

/// Regularised incomplete beta function I_x(a, b) by its continued fraction (DLMF 8.17.22),
/// modified Lentz evaluation.
double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2))
    return 1 - incomplete_beta(1 - x, b, a);  // where the fraction converges fast
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x)) /
      a;
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

/// The points without rows [begin, end).
Points without(const Points& points, std::int64_t begin, std::int64_t end) {
  const auto keep = [&](const Tensor& matrix) {
    const std::int64_t width = matrix.shape().at(1);
    const auto values = matrix.as<double>();
    std::vector<double> kept(values.begin(), values.begin() + begin * width);
    kept.insert(kept.end(), values.begin() + end * width, values.end());
    return Tensor::from(kept, Shape{points.count() - (end - begin), width});
  };
  Points left{keep(points.x), keep(points.y), keep(points.z), {}, {}};
  std::int64_t first = 0;
  for (const std::int64_t length : points.trial_lengths) {
    const std::int64_t last = first + length;
    const std::int64_t before = std::min(last, begin) - first, after = last - std::max(first, end);
    if (before > 0) left.trial_lengths.push_back(before);
    if (after > 0) left.trial_lengths.push_back(after);
    first = last;
  }
  return left;
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

Result<Interval> jackknife_interval(const Points& points, double value, const EstimationOptions& options,
                                    double confidence, std::int64_t blocks, const Estimator& estimator,
                                    ThreadPool& pool) {
  if (!(confidence > 0 && confidence < 1)) return refuse("confidence: expected a number between 0 and 1");
  const std::int64_t n = points.count();
  if (blocks < 2 || blocks > n)
    return refuse("jackknife blocks: " + std::to_string(blocks) + ", expected 2 to " + std::to_string(n));
  const auto edge = [&](std::int64_t block) { return block * n / blocks; };
  for (std::int64_t j = 0; j < blocks; ++j) {
    const Points left = without(points, edge(j), edge(j + 1));
    const std::int64_t admissible = admissible_neighbours(left.trial_lengths, options.theiler_window);
    if (admissible < options.k)
      return refuse("too few observations for an interval: with one of " + std::to_string(blocks) +
                    " blocks left out " + std::to_string(admissible) +
                    " neighbours remain, expected at least k = " + std::to_string(options.k));
  }
  std::vector<double> estimates(static_cast<std::size_t>(blocks));
  for_each(pool, estimator, blocks, [&](std::int64_t j, const Estimator& worker) {
    const Points left = without(points, edge(j), edge(j + 1));
    estimates[static_cast<std::size_t>(j)] =
        worker
            .evaluate(
                view_of(left),
                {.k = options.k, .algorithm = options.algorithm, .theiler_window = options.theiler_window},
                false)
            .value;
  });
  const double count = static_cast<double>(blocks);
  const double mean = std::accumulate(estimates.begin(), estimates.end(), 0.0) / count;
  double squares = 0;
  for (const double estimate : estimates) squares += (estimate - mean) * (estimate - mean);
  Interval interval;
  interval.standard_error = std::sqrt((count - 1) / count * squares);
  const double reach = student_t_quantile(0.5 + confidence / 2, count - 1) * interval.standard_error;
  interval.low = value - reach;
  interval.high = value + reach;
  return interval;
}

}  // namespace assay::analysis
