// sampling.repetition_penalty: what was seen is divided and lowered.
#include "kernels/sampling/repetition_penalty.hpp"

#include <utility>

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

using namespace filters;

void repetition_penalty_cpu(ThreadPool& pool, const FilterCall& call, std::span<std::byte> scratch) {
  for_each_row(pool, call.in, scratch, [&](std::int64_t row, Left left, RowScratch& own) {
    const StepParameters& all = call.parameters;
    const auto of_row = [&](const float* values, float otherwise) {
      return values == nullptr ? otherwise : values[row];
    };
    Penalties penalties{of_row(all.repetition, 1), of_row(all.presence, 0), of_row(all.frequency, 0),
                        all.last_n == nullptr ? all.previous_length : all.last_n[row]};
    if (mutant("sampling.repetition_penalty.swapped")) std::swap(penalties.presence, penalties.frequency);
    if (mutant("sampling.repetition_penalty.one_more") && penalties.last_n > 0) ++penalties.last_n;
    const std::int64_t history = mutant("sampling.repetition_penalty.of_the_first_row") ? 0 : row;
    apply_penalties(left, all.previous + history * all.previous_length, all.previous_length, penalties, own);
    write_row(call, row, left, own);
  });
}

}  // namespace assay::kernels::sampling
