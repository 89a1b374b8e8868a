#include "kernels/te/digamma.hpp"

#include <algorithm>

#include "engine/runtime/thread_pool.hpp"

namespace assay::kernels::te {

void digamma(ThreadPool& pool, std::span<const double> x, std::span<double> psi) {
  auto count = static_cast<std::int64_t>(x.size());
  if (mutant("te.digamma.last_element_lost")) count = count > 0 ? count - 1 : 0;
  if (mutant("te.digamma.later_chunks_lost")) count = std::min<std::int64_t>(count, 4096);
  const DigammaFaults faults;
  pool.parallel_for(count, 4096, [&](std::int64_t begin, std::int64_t end, unsigned) {
    for (std::int64_t i = begin; i < end; ++i)
      psi[static_cast<std::size_t>(i)] = digamma(x[static_cast<std::size_t>(i)], faults);
  });
}

}  // namespace assay::kernels::te
