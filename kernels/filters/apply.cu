// Steps without a draw on CUDA: the launch that the chain has too (rows.cu), which draws nothing where no
// seed is given.
#include "kernels/filters/apply.hpp"

#include <utility>

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/rows_cuda.hpp"

namespace assay::kernels::filters {

namespace {

/// Planted faults of how a call is handed over; those of the steps are in faults.cuh.
void plant(RowsCall& rows) {
  if (mutant("sampling.top_k.cuda_mask_ignored")) rows.in.mask = nullptr;
  if (mutant("sampling.temperature.cuda_mask_ignored")) rows.in.mask = nullptr;
  if (mutant("sampling.min_p.cuda_ignored_row_stride")) rows.in.row_stride = rows.in.tokens;
  if (mutant("sampling.repetition_penalty.cuda_swapped"))
    std::swap(rows.parameters.presence, rows.parameters.frequency);
  if (mutant("sampling.logit_bias.cuda_twice")) rows.steps.list[rows.steps.count++] = Step::bias;
  if (mutant("sampling.nucleus_filtering.cuda_cut_before_temperature"))
    std::swap(rows.steps.list[0], rows.steps.list[rows.steps.count - 1]);
}

}  // namespace

void apply_cuda(CUstream_st* stream, const FilterCall& call, std::uint32_t* pending, std::uint32_t* status) {
  RowsCall rows;
  rows.in = call.in;
  rows.steps = call.steps;
  rows.parameters = call.parameters;
  rows.kept = call.kept;
  rows.left = call.left;
  rows.left_logits = call.left_logits;
  rows.probabilities = call.probabilities;
  rows.status = status;
  rows.pending = pending;
  plant(rows);
  run_rows_cuda(stream, rows);
}

}  // namespace assay::kernels::filters
