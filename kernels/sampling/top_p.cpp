// sampling.top_p: the shortest prefix of the order of mass p.
#include "kernels/sampling/top_p.hpp"

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

using namespace filters;

void top_p_cpu(ThreadPool& pool, const FilterCall& call, std::span<std::byte> scratch) {
  for_each_row(pool, call.in, scratch, [&](std::int64_t row, Left left, RowScratch& own) {
    double p = call.parameters.top_p[mutant("sampling.top_p.of_the_first_row") ? 0 : row];
    if (mutant("sampling.top_p.single_precision")) p = static_cast<float>(p);
    keep_top_p(left, p, call.parameters.min_keep, own);
    if (mutant("sampling.top_p.crossing_token_dropped") && p < 1 && left.count > 1)
      keep_top_k(left, left.count - 1, own);
    write_row(call, row, left, own);
  });
}

}  // namespace assay::kernels::sampling
