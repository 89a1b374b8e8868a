// sampling.temperature: logits are divided, or all but the first maximum drop to -Inf.
#include "kernels/sampling/temperature.hpp"

#include <cmath>

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

using namespace filters;

void temperature_cpu(ThreadPool& pool, const FilterCall& call, std::span<std::byte> scratch) {
  for_each_row(pool, call.in, scratch, [&](std::int64_t row, Left left, RowScratch& own) {
    float t = call.parameters.temperature[mutant("sampling.temperature.of_the_first_row") ? 0 : row];
    if (mutant("sampling.temperature.zero_ignored") && t == 0) t = 1;
    if (mutant("sampling.temperature.sign_lost")) t = std::fabs(t);
    apply_temperature(left, t);
    write_row(call, row, left, own);
  });
}

}  // namespace assay::kernels::sampling
