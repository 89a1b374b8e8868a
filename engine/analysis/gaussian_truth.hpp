#pragma once

#include <cstdint>
#include <vector>

#include "engine/analysis/specification.hpp"

namespace assay::analysis {

/// A stationary vector autoregression x_t = sum_l A_l x_{t-l} + e_t, e ~ N(0, diag(noise
/// variances)), l = 1 .. coefficients.size(); A_l is (m, m) row-major: entry (i, j) is the weight of
/// variable j in the next value of i.
struct VectorAutoregression {
  std::int64_t variables = 0;
  std::vector<std::vector<double>> coefficients;
  std::vector<double> noise_variances;
};

/// Covariances of a stationary process at lags 0 .. max_lag: element [h][i * m + j] = cov(x_i(t), x_j(t -
/// h)). Solves the discrete Lyapunov equation of the companion form by doubling (S <- S + A S A^T, A <- A A),
/// which converges quadratically. Throws ContractError for a process that is not stationary.
std::vector<std::vector<double>> lagged_covariances(const VectorAutoregression& process,
                                                    std::int64_t max_lag);

/// I(x; y | z) of a layout on that process, in nats: 1/2 ln(|S_xz| |S_yz| / (|S_z| |S_xyz|)), exact for
/// Gaussian noise. With a single target this is 1/2 ln(var(y | z) / var(y | z, x)) (Barnett, Barrett,
/// Seth 2009, PRL 103, 238701).
double gaussian_information(const VectorAutoregression& process, const Layout& layout);

/// The same from the covariances of the process at lags 0 .. H (`lagged_covariances`), for many layouts of
/// one process. Throws ContractError for a layout that reaches beyond H.
double gaussian_information(std::int64_t variables, const std::vector<std::vector<double>>& lags,
                            const Layout& layout);

/// ln of the determinant of a symmetric positive definite (n, n) matrix by Cholesky.
/// Throws ContractError otherwise.
double log_determinant(std::vector<double> matrix, std::int64_t n);

}  // namespace assay::analysis
