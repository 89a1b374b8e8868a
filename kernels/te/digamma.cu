// te.digamma on CUDA: the per-item body of the header, an element a thread at a time. Neighbouring threads
// read neighbouring elements; a logarithm and two to nine divisions an element leave nothing to gain from
// wider loads.
#include <algorithm>
#include <cstdint>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/te/digamma.hpp"

namespace assay::kernels::te {

namespace {

constexpr int threads = 256;

// Planted faults of what surrounds the per-item body; constants in the usual build.
struct Faults {
#ifdef ASSAY_MUTANTS
  bool domain_unchecked, zero_accepted;
#else
  static constexpr bool domain_unchecked = false, zero_accepted = false;
#endif
};

__global__ void __launch_bounds__(threads)
    digamma_of_each(const double* x, std::int64_t count, double* psi, volatile std::uint32_t* status,
                    DigammaFaults item_faults, Faults faults) {
  const std::int64_t step = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < count; i += step) {
    const double argument = x[i];
    const bool inside = (argument > 0 || (faults.zero_accepted && argument == 0)) && isfinite(argument);
    if (!inside && !faults.domain_unchecked)
      *status = static_cast<std::uint32_t>(DeviceStatus::value_out_of_range);
    // The recurrence does not end for every argument that is refused.
    psi[i] = inside ? digamma(argument, item_faults) : nan("");
  }
}

}  // namespace

void digamma_cuda(CUstream_st* stream, const double* x, std::int64_t count, double* psi,
                  std::uint32_t* status) {
  DigammaFaults item_faults;
  Faults faults;
#ifdef ASSAY_MUTANTS
  item_faults = {.too_few_recurrences = false,
                 .series_term_dropped = mutant("te.digamma.cuda_series_term_dropped"),
                 .half_term_sign = mutant("te.digamma.cuda_half_term_sign"),
                 .reciprocals_shifted = mutant("te.digamma.cuda_reciprocals_shifted"),
                 .single_precision_recurrence = mutant("te.digamma.cuda_single_precision_recurrence"),
                 .single_precision_log = mutant("te.digamma.cuda_single_precision_log")};
  faults = {mutant("te.digamma.cuda_domain_unchecked"), mutant("te.digamma.cuda_zero_accepted")};
#endif
  if (mutant("te.digamma.cuda_unhandled_tail")) count = count / threads * threads;
  if (count <= 0) return;
  const std::int64_t blocks = std::min<std::int64_t>((count + threads - 1) / threads, std::int64_t{1} << 20);
  digamma_of_each<<<static_cast<unsigned>(blocks), threads, 0, stream>>>(x, count, psi, status, item_faults,
                                                                         faults);
  detail::check(cudaGetLastError(), "te.digamma: launch");
}

}  // namespace assay::kernels::te
