#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/context.hpp"

namespace assay::benchmarks {

/// What the series of a figure are made of.
enum class SeriesKind : std::uint8_t {
  gaussian,      ///< coupled Gaussian AR(0.4): v' = 0.4 v + 0.4 u + e, u the variable before
  heavy_tailed,  ///< the same with Cauchy noise
  rounded        ///< the Gaussian series rounded to one decimal before they are z-scored
};

/// One line of the table of transfer entropy's figures (all pairs where variables > 2, else one pair).
struct FigureRequest {
  std::string name;
  std::int64_t variables = 2;
  std::int64_t observations = 1'000;
  std::int64_t surrogates = 0;
  SeriesKind kind = SeriesKind::gaussian;
  std::int64_t runs = 30;
  std::int64_t histories = 1;
};

struct Figure {
  FigureRequest request;
  std::vector<double>
      samples_ms;  ///< of the call with its data in the backend's memory, results written there
  std::int64_t pairs_checked = 0;  ///< pairs whose counts were compared with the double brute force
  std::int64_t points_checked = 0;
  std::int64_t counts_wrong = 0;
};

/// Measures a request on the context's backend, then compares the counts of up to 1,000 random pairs (of
/// random points, where all of them would take minutes) with those of a brute force in double, written as the
/// definition has it.
Figure measure_figure(Context& context, const FigureRequest& request, std::uint64_t seed);

/// The figures that the project quotes.
std::vector<FigureRequest> quoted_figures();

}  // namespace assay::benchmarks
