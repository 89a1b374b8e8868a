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
};

/// The systems that `generate` knows:
///   data-a        the coupled AR(1) of the reference tables: x' = 0.6 x + e1, y' = 0.5 y + 0.4 x + e2, noise
///   irwin_hall data-b        three jointly Gaussian columns A, B, C without time structure ar1 coupled
///   AR(1), x' = 0.5 x + e, y' = 0.6 y + 0.4 x + e delayed       y' = 0.4 y + 0.5 x(t-3) + e: influence at
///   lag 3 logistic      coupled logistic maps, x drives y henon         coupled Henon maps, x drives y
///   quadratic     y' = 0.3 y + 0.8 (x^2 - 1) + 0.5 e with symmetric x: no linear correlation
///   heavy-tailed  coupled AR(1) with Cauchy noise
///   quantised     coupled AR(1) rounded to multiples of 0.25: ties everywhere
///   common-driver z drives x (lag 1) and y (lag 2); x does not drive y
///   independent   two independent series
///   network       a sparse random vector autoregression of `variables` columns
std::span<const SystemInfo> known_systems();

/// Generates `rows` rows after a transient of 100 that is thrown away. The same seed gives the same doubles
/// everywhere (heavy-tailed alone uses tan and may differ in the last bit between C libraries). `variables`
/// is for `network`. Refused: an unknown name (the message lists the known ones), rows < 1, variables < 2.
Result<GeneratedSystem> generate(std::string_view name, std::int64_t rows, std::uint64_t seed,
                                 std::int64_t variables = 10);

/// Coupled AR(1) with any coefficients: x' = a x + e1, y' = b y + c x + e2, noise irwin_hall; two draws a
/// step, the first for x; a transient of 100 steps. data-a is a = 0.6, b = 0.5, c = 0.4, seed 42.
GeneratedSystem coupled_ar1(std::int64_t rows, double a, double b, double c, std::uint64_t seed);

/// Data from a linear process, noise irwin_hall times the standard deviation, transient 100.
SeriesTable simulate(const VectorAutoregression& process, std::int64_t rows, std::uint64_t seed);

}  // namespace assay::analysis
