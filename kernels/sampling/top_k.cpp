// sampling.top_k: the first k of the order.
#include "kernels/sampling/top_k.hpp"

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

using namespace filters;

void top_k_cpu(ThreadPool& pool, const FilterCall& call, std::span<std::byte> scratch) {
  for_each_row(pool, call.in, scratch, [&](std::int64_t row, Left left, RowScratch& own) {
    std::int64_t k = call.parameters.top_k[mutant("sampling.top_k.of_the_first_row") ? 0 : row];
    if (mutant("sampling.top_k.one_more") && k > 0) ++k;
    if (mutant("sampling.top_k.zero_keeps_one") && k <= 0) k = 1;
    if (mutant("sampling.top_k.narrow_type")) k = static_cast<std::int8_t>(k);
    keep_top_k(left, k, own);
    write_row(call, row, left, own);
  });
}

}  // namespace assay::kernels::sampling
