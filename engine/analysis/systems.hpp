#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/analysis/gaussian_truth.hpp"
#include "engine/analysis/series.hpp"
#include "engine/runtime/result.hpp"

namespace assay::analysis {

/// A true directed influence, by column.
struct TrueEdge {
  std::int64_t source = 0;
  std::int64_t target = 0;
  std::int64_t lag = 1;
};

/// A generated system together with what is known about it.
struct GeneratedSystem {
  SeriesTable table;
  std::vector<TrueEdge> edges;                 ///< every direct influence; anything else is none
  std::optional<VectorAutoregression> linear;  ///< where it is linear: gives exact information values
  std::string description;                     ///< the equations, one line
};

struct SystemInfo {
  std::string_view name;
  std::string_view summary;
  std::int64_t least_variables = 0;  ///< of a system of any number of columns; 0: it has columns of its own
};

/// The systems that `generate` knows:
///   data-a            the coupled AR(1) of the reference tables: x' = 0.6 x + e1, y' = 0.5 y + 0.4 x + e2,
///                     noise irwin_hall
///   data-b            three jointly Gaussian columns A, B, C without time structure
///   ar1               coupled AR(1), x' = 0.5 x + e, y' = 0.6 y + 0.4 x + e
///   delayed           y' = 0.4 y + 0.5 x(t-3) + e: influence at lag 3
///   logistic          coupled logistic maps, x drives y
///   henon             coupled Henon maps, x drives y
///   quadratic         y' = 0.3 y + 0.8 (x^2 - 1) + 0.5 e with symmetric x: no linear correlation
///   heavy-tailed      coupled AR(1) with Cauchy noise
///   quantised         coupled AR(1) rounded to multiples of 0.25: ties everywhere
///   common-driver     z drives x (lag 1) and y (lag 2); x does not drive y
///   independent       two independent series
/// and of `variables` columns v0, v1, ..:
///   network           a sparse random vector autoregression: own weight 0.2; each other variable drives with
///                     probability 1.4 / (variables - 1) (at most 1/2) and a weight of 0.35 to 0.45, either
///                     sign, while the absolute weights of a target sum to at most 0.98 (so at most 2
///                     drivers; 1.05 on average). Rows of absolute weights that sum to less than 1 make every
///                     draw stationary, at any size
///   logistic-network  u_i' = 3.98 m (1 - m), m = 0.9 u_i + 0.1 times the mean of 0 to 3 drivers (the number
///                     and the drivers drawn uniformly), m = u_i without drivers: a coupled map network
///                     (Kaneko 1990, Physica D 41, 137) in [0, 1]
///   henon-chain       x_i(t+1) = 1.4 - (0.5 C (x_{i-1} + x_{i+1}) + (1 - C) x_i)^2 + 0.3 x_i(t-1), C = 0.1;
///                     the two ends are free (Kugiumtzis 2013, Phys. Rev. E 87, 062918, section IV); at least
///                     3 variables
///   lorenz96          dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F on a ring, F = 8 (Lorenz 1996,
///                     "Predictability: a problem partly solved", ECMWF, eq. 3 there), classical Runge-Kutta
///                     with step 0.01, a row every 0.2; edges from i-2, i-1 and i+1 to i; at least 4
///                     variables
std::span<const SystemInfo> known_systems();

/// Generates `rows` rows after a transient that is thrown away: 100 rows, 1,000 of the last three. The same
/// seed gives the same doubles everywhere (heavy-tailed alone uses tan and may differ in the last bit between
/// C libraries). `variables` is for the systems that take it. `observation_noise` adds irwin_hall noise of
/// that share of its standard deviation to every column, for systems that are deterministic (0: none); what
/// is observed is then no longer a linear process. Refused: an unknown name (the message lists the known
/// ones), rows < 1, variables < 2 or less than the system needs, a noise that is negative or not finite.
Result<GeneratedSystem> generate(std::string_view name, std::int64_t rows, std::uint64_t seed,
                                 std::int64_t variables = 10, double observation_noise = 0);

/// Coupled AR(1) with any coefficients: x' = a x + e1, y' = b y + c x + e2, noise irwin_hall; two draws a
/// step, the first for x; a transient of 100 steps. data-a is a = 0.6, b = 0.5, c = 0.4, seed 42.
GeneratedSystem coupled_ar1(std::int64_t rows, double a, double b, double c, std::uint64_t seed);

/// Data from a linear process, noise irwin_hall times the standard deviation, transient 100.
SeriesTable simulate(const VectorAutoregression& process, std::int64_t rows, std::uint64_t seed);

}  // namespace assay::analysis
