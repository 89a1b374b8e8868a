#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "engine/runtime/host_device.hpp"
#include "engine/runtime/mutant.hpp"

struct CUstream_st;

namespace assay {
class ThreadPool;
}

namespace assay::kernels::te {

/// Planted faults of the per-item body, by value because device code cannot ask `mutant`; constants in the
/// usual build.
struct DigammaFaults {
#ifdef ASSAY_MUTANTS
  bool too_few_recurrences = mutant("te.digamma.too_few_recurrences");
  bool series_term_dropped = mutant("te.digamma.series_term_dropped");
  bool half_term_sign = mutant("te.digamma.half_term_sign");
  bool reciprocals_shifted = mutant("te.digamma.reciprocals_shifted");
  bool single_precision_recurrence = mutant("te.digamma.single_precision_recurrence");
  bool single_precision_log = false;
#else
  static constexpr bool too_few_recurrences = false, series_term_dropped = false, half_term_sign = false,
                        reciprocals_shifted = false, single_precision_recurrence = false,
                        single_precision_log = false;
#endif
};

/// psi(x) for x > 0: psi(x) = psi(x + 1) - 1/x until x >= 8, then ln x - 1/(2x) - sum B_2m / (2m x^2m), m = 1
/// .. 9 (Abramowitz, Stegun 1964, 6.3.5 and 6.3.18). The first term left out is below 2.4e-17 at x = 8.
/// Negative infinity never ends.
ASSAY_HOST_DEVICE inline double digamma(double x, const DigammaFaults& faults) {
  const double large = faults.too_few_recurrences ? 3.0 : 8.0;
  double recurrence = 0.0;
  for (; x < large; x += 1.0) recurrence += 1.0 / (faults.reciprocals_shifted ? x + 1.0 : x);
  if (faults.single_precision_recurrence) recurrence = static_cast<float>(recurrence);
  const double r = 1.0 / x;
  const double s = r * r;
  const double c8 = faults.series_term_dropped ? 0.0 : 1.0 / 240.0;
  const double series =
      s *
      (1.0 / 12.0 -
       s * (1.0 / 120.0 -
            s * (1.0 / 252.0 -
                 s * (c8 - s * (1.0 / 132.0 -
                                s * (691.0 / 32760.0 -
                                     s * (1.0 / 12.0 - s * (3617.0 / 8160.0 - s * (43867.0 / 14364.0)))))))));
  const double half = faults.half_term_sign ? -0.5 * r : 0.5 * r;
  const double logarithm = faults.single_precision_log ? std::log(static_cast<float>(x)) : std::log(x);
  return (logarithm - half) - series - recurrence;
}

inline double digamma(double x) {
  return digamma(x, DigammaFaults{});
}

/// psi of every element.
void digamma(ThreadPool& pool, std::span<const double> x, std::span<double> psi);

#ifdef ASSAY_HAVE_CUDA
/// psi of `count` elements of device memory: puts one kernel on the stream, whose device is current. Stores
/// DeviceStatus::value_out_of_range in `status` where an element is not above 0 or not finite, whose psi is
/// then NaN. Throws DeviceError where the launch fails.
void digamma_cuda(CUstream_st* stream, const double* x, std::int64_t count, double* psi,
                  std::uint32_t* status);
#endif

}  // namespace assay::kernels::te
