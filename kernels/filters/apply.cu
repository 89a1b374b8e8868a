// Steps without a draw on CUDA: the launch that the chain has too (rows.cu), which draws nothing where no
// seed is given.
#include "kernels/filters/apply.hpp"
#include "kernels/filters/rows_cuda.hpp"

namespace assay::kernels::filters {

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
  run_rows_cuda(stream, rows);
}

}  // namespace assay::kernels::filters
