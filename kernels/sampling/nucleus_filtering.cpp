// sampling.nucleus_filtering: the steps of the call, and probabilities (filters/apply.cpp).
#include "kernels/sampling/nucleus_filtering.hpp"

#include <algorithm>

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::sampling {

void nucleus_filtering_cpu(ThreadPool& pool, const filters::FilterCall& call, std::span<std::byte> scratch) {
  filters::FilterCall ordered = call;
  if (mutant("sampling.nucleus_filtering.cut_before_temperature"))
    std::reverse(ordered.steps.list, ordered.steps.list + ordered.steps.count);
  filters::apply_cpu(pool, ordered, scratch);
}

}  // namespace assay::kernels::sampling
