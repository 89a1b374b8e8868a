// sampling.logit_bias: biases are added to the logits of their ids.
#include "kernels/sampling/logit_bias.hpp"

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

using namespace filters;

void logit_bias_cpu(ThreadPool& pool, const FilterCall& call, std::span<std::byte> scratch) {
  for_each_row(pool, call.in, scratch, [&](std::int64_t row, Left left, RowScratch& own) {
    const StepParameters& all = call.parameters;
    const std::int64_t first = mutant("sampling.logit_bias.of_the_first_row") ? 0 : row * all.bias_count;
    const std::int64_t count = all.bias_count - (mutant("sampling.logit_bias.last_lost") ? 1 : 0);
    const int times = mutant("sampling.logit_bias.twice") ? 2 : 1;
    for (int time = 0; time < times; ++time)
      apply_bias(left, all.bias_ids + first, all.biases + first, count);
    write_row(call, row, left, own);
  });
}

}  // namespace assay::kernels::sampling
