// sampling.min_p: what is at most so much less likely than the most likely token.
#include "kernels/sampling/min_p.hpp"

#include <cmath>

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

using namespace filters;

void min_p_cpu(ThreadPool& pool, const FilterCall& call, std::span<std::byte> scratch) {
  for_each_row(pool, call.in, scratch, [&](std::int64_t row, Left left, RowScratch& own) {
    double p = call.parameters.min_p[mutant("sampling.min_p.of_the_first_row") ? 0 : row];
    if (mutant("sampling.min_p.sign_lost")) p = std::fabs(p);
    const std::int64_t one_more = mutant("sampling.min_p.keeps_one_more") ? 1 : 0;
    keep_min_p(left, p, call.parameters.min_keep + one_more, own);
    write_row(call, row, left, own);
  });
}

}  // namespace assay::kernels::sampling
