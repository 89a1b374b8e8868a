#pragma once

#include <cmath>

#include "engine/arguments.hpp"

namespace assay::reference::te {

/// psi(x) for x > 0, by another route than the engine's: the recurrence psi(x) = psi(x + 1) - 1/x
/// (Abramowitz, Stegun 6.3.5) a thousand times over in 80-bit arithmetic, then the asymptotic series 6.3.18,
/// whose first term left out is 1 / (240 z^8) < 10^-26 at z >= 1000.
inline double digamma(double x) {
  constexpr int steps = 1000;
  const long double start = x;
  long double sum = 0;
  for (int m = steps - 1; m >= 0; --m) sum += 1 / (start + m);  // smallest terms first
  const long double z = start + steps;
  const long double inverse_square = 1 / (z * z);
  // ln z - 1/(2z) - 1/(12 z^2) + 1/(120 z^4) - 1/(252 z^6)
  const long double series =
      std::log(z) - 1 / (2 * z) -
      inverse_square * (1.0L / 12 - inverse_square * (1.0L / 120 - inverse_square / 252));
  return static_cast<double>(series - sum);
}

inline void run_digamma(const Arguments& arguments, const Outputs& outputs) {
  const auto x = arguments.input("x").as<double>();
  const auto psi = outputs.at("psi").as<double>();
  for (std::size_t i = 0; i < x.size(); ++i) psi[i] = digamma(x[i]);
}

}  // namespace assay::reference::te
