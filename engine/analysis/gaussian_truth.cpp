#include "engine/analysis/gaussian_truth.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/runtime/error.hpp"

namespace assay::analysis {

namespace {

/// A dense square matrix, row-major.
struct Square {
  std::size_t n = 0;
  std::vector<double> values;
  explicit Square(std::size_t size) : n(size), values(size * size, 0.0) {}
  double& operator()(std::size_t i, std::size_t j) { return values[i * n + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * n + j]; }
};

/// left * right, or left * right^T.
Square product(const Square& left, const Square& right, bool transposed) {
  Square result(left.n);
  for (std::size_t i = 0; i < left.n; ++i)
    for (std::size_t j = 0; j < left.n; ++j) {
      double sum = 0;
      for (std::size_t m = 0; m < left.n; ++m) sum += left(i, m) * (transposed ? right(j, m) : right(m, j));
      result(i, j) = sum;
    }
  return result;
}

/// The process as one of order 1 on (x_t, x_{t-1}, ..).
Square companion(const VectorAutoregression& process) {
  const auto m = static_cast<std::size_t>(process.variables);
  const std::size_t order = process.coefficients.size();
  Square whole(m * order);
  for (std::size_t lag = 0; lag < order; ++lag)
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < m; ++j) whole(i, lag * m + j) = process.coefficients[lag][i * m + j];
  for (std::size_t i = m; i < m * order; ++i) whole(i, i - m) = 1;
  return whole;
}

void check(const VectorAutoregression& process) {
  const auto refuse = [](const char* argument, const char* expected) {
    throw ContractError("gaussian truth", argument, expected);
  };
  const auto m = static_cast<std::size_t>(process.variables);
  if (process.variables < 1) refuse("variables", "expected at least 1");
  if (process.coefficients.empty()) refuse("coefficients", "expected at least one lag");
  for (const auto& lag : process.coefficients)
    if (lag.size() != m * m) refuse("coefficients", "expected variables * variables entries a lag");
  if (process.noise_variances.size() != m) refuse("noise_variances", "expected one entry a variable");
  if (std::any_of(process.noise_variances.begin(), process.noise_variances.end(),
                  [](double v) { return !(v > 0); }))
    refuse("noise_variances", "expected positive numbers");
}

/// One embedded value: a column at an offset into the past.
struct Component {
  std::int64_t column;
  std::int64_t offset;
};

std::vector<Component> components(const std::vector<te::EmbeddedVariable>& variables) {
  std::vector<Component> all;
  for (const te::EmbeddedVariable& variable : variables)
    for (std::int64_t j = 0; j < variable.history; ++j)
      all.push_back({variable.column, variable.delay + j * variable.tau});
  return all;
}

/// The largest offset into the past.
std::int64_t reach_of(const Layout& layout) {
  std::int64_t reach = 0;
  for (const auto* part : {&layout.x, &layout.y, &layout.z})
    for (const Component& component : components(*part)) reach = std::max(reach, component.offset);
  return reach;
}

}  // namespace

std::vector<std::vector<double>> lagged_covariances(const VectorAutoregression& process,
                                                    std::int64_t max_lag) {
  check(process);
  const auto m = static_cast<std::size_t>(process.variables);
  const Square transition = companion(process);
  Square covariance(transition.n);
  for (std::size_t i = 0; i < m; ++i) covariance(i, i) = process.noise_variances[i];
  // Sum of A^j Q A^jT over j < 2^step, doubled until nothing is added: 64 doublings cover any stationary
  // process that double precision can tell from one that is not.
  Square power = transition;
  bool settled = false;
  for (int step = 0; step < 64 && !settled; ++step) {
    const Square added = product(product(power, covariance, false), power, true);
    settled = true;
    for (std::size_t i = 0; i < covariance.values.size(); ++i) {
      const double before = covariance.values[i];
      covariance.values[i] += added.values[i];
      settled = settled && covariance.values[i] == before;
    }
    power = product(power, power, false);
  }
  if (!settled || !std::all_of(covariance.values.begin(), covariance.values.end(),
                               [](double v) { return std::isfinite(v); }))
    throw ContractError("gaussian truth", "coefficients", "expected a stationary process");

  std::vector<std::vector<double>> lags;
  Square lagged = covariance;  // cov(state(t), state(t - h)) = A^h S
  for (std::int64_t h = 0; h <= max_lag; ++h) {
    std::vector<double>& block = lags.emplace_back(m * m);
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < m; ++j) block[i * m + j] = lagged(i, j);
    lagged = product(transition, lagged, false);
  }
  return lags;
}

double log_determinant(std::vector<double> matrix, std::int64_t n) {
  const auto size = static_cast<std::size_t>(n);
  double sum = 0;
  for (std::size_t j = 0; j < size; ++j) {
    double pivot = matrix[j * size + j];
    for (std::size_t m = 0; m < j; ++m) pivot -= matrix[j * size + m] * matrix[j * size + m];
    if (!(pivot > 0))
      throw ContractError("gaussian truth", "covariance", "expected a positive definite matrix");
    const double root = std::sqrt(pivot);
    matrix[j * size + j] = root;
    sum += 2 * std::log(root);
    for (std::size_t i = j + 1; i < size; ++i) {
      double value = matrix[i * size + j];
      for (std::size_t m = 0; m < j; ++m) value -= matrix[i * size + m] * matrix[j * size + m];
      matrix[i * size + j] = value / root;
    }
  }
  return sum;
}

double gaussian_information(const VectorAutoregression& process, const Layout& layout) {
  return gaussian_information(process.variables, lagged_covariances(process, reach_of(layout)), layout);
}

double gaussian_information(std::int64_t variables, const std::vector<std::vector<double>>& lags,
                            const Layout& layout) {
  if (static_cast<std::int64_t>(lags.size()) <= reach_of(layout))
    throw ContractError("gaussian truth", "lags", "expected covariances as far back as the layout reaches");
  const std::vector<Component> x = components(layout.x), y = components(layout.y), z = components(layout.z);
  const auto m = static_cast<std::size_t>(variables);
  const auto covariance = [&](const Component& a, const Component& b) {
    // a lies at t - a.offset, b at t - b.offset; the later of the two leads
    if (a.offset <= b.offset)
      return lags[static_cast<std::size_t>(b.offset - a.offset)]
                 [static_cast<std::size_t>(a.column) * m + static_cast<std::size_t>(b.column)];
    return lags[static_cast<std::size_t>(a.offset - b.offset)]
               [static_cast<std::size_t>(b.column) * m + static_cast<std::size_t>(a.column)];
  };
  const auto log_volume = [&](std::initializer_list<const std::vector<Component>*> parts) {
    std::vector<Component> all;
    for (const auto* part : parts) all.insert(all.end(), part->begin(), part->end());
    std::vector<double> matrix;
    for (const Component& a : all)
      for (const Component& b : all) matrix.push_back(covariance(a, b));
    return log_determinant(std::move(matrix), static_cast<std::int64_t>(all.size()));
  };
  return 0.5 * (log_volume({&x, &z}) + log_volume({&y, &z}) - log_volume({&z}) - log_volume({&x, &y, &z}));
}

}  // namespace assay::analysis
