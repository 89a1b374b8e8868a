// sampling.typical: the tokens nearest to the entropy, of mass p.
#include "kernels/sampling/typical.hpp"

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

using namespace filters;

void typical_cpu(ThreadPool& pool, const FilterCall& call, std::span<std::byte> scratch) {
  for_each_row(pool, call.in, scratch, [&](std::int64_t row, Left left, RowScratch& own) {
    const double p = call.parameters.typical[mutant("sampling.typical.of_the_first_row") ? 0 : row];
    if (mutant("sampling.typical.by_probability")) {
      keep_top_p(left, p, call.parameters.min_keep, own);
    } else {
      const std::int64_t one_more = mutant("sampling.typical.keeps_one_more") ? 1 : 0;
      keep_typical(left, p, call.parameters.min_keep + one_more, own);
    }
    write_row(call, row, left, own);
  });
}

}  // namespace assay::kernels::sampling
